//! `/api/forgot-password`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::SetUp};
use services_account::forgot_password;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{
        AskForMail, ClientIp, Done, DoneWith, Enterprise, NewPassword, PasswordLogin, Prove, Proved,
    },
    features,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send_web_forgotten_code))
        .routes(routes!(prove_web_forgotten_code))
        .routes(routes!(set_web_forgotten_password))
}

/// Have a code for a new password mailed. The answer is the same whether or not the address has an account.
#[utoipa::path(
    post,
    path = "/api/forgot-password",
    tag = "web login",
    request_body = AskForMail,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_web_forgotten_code(
    State(state): State<AppState>,
    _: Enterprise,
    _: SetUp,
    _: PasswordLogin,
    ClientIp(ip): ClientIp,
    Valid(ask): Valid<AskForMail>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let policy = features::policy(&state).await?;
    let language = ask.language.as_deref();
    let token =
        forgot_password::send_code(&state.ctx, policy, &ask.email, language, Some(&ip)).await?;
    Ok(Json(DoneWith::new(token)))
}

/// Prove the code; the token answered sets the password.
#[utoipa::path(
    post,
    path = "/api/forgot-password/validity",
    tag = "web login",
    request_body = Prove,
    responses((status = 200, body = Proved), (status = "4XX", body = ErrorBody)),
)]
async fn prove_web_forgotten_code(
    State(state): State<AppState>,
    _: Enterprise,
    _: SetUp,
    _: PasswordLogin,
    Valid(prove): Valid<Prove>,
) -> Result<Json<Proved>, ApiError> {
    let proof = forgot_password::prove(&state.ctx, &prove.email, &prove.code, &prove.token).await?;
    Ok(Json(proof.into()))
}

/// Set a new password.
#[utoipa::path(
    post,
    path = "/api/forgot-password/resets",
    tag = "web login",
    request_body = NewPassword,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn set_web_forgotten_password(
    State(state): State<AppState>,
    _: Enterprise,
    _: SetUp,
    _: PasswordLogin,
    Valid(new): Valid<NewPassword>,
) -> Result<Json<Done>, ApiError> {
    let policy = features::policy(&state).await?;
    let NewPassword { token, new_password, password_confirm } = &new;
    forgot_password::reset(&state.ctx, policy, token, new_password, password_confirm).await?;
    Ok(Json(Done::SUCCESS))
}
