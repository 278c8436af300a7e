//! `/console/api/email-register`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::SetUp};
use serde::Serialize;
use services_account::registration;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{
        AskForMail, ClientIp, DoneWith, NewPassword, PasswordLogin, Prove, Proved, Registration,
    },
    features,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send_registration_code))
        .routes(routes!(prove_registration_code))
        .routes(routes!(register))
}

/// A session in a body; this call sets no cookies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Session {
    access_token: String,
    refresh_token: String,
    csrf_token: String,
}

/// Have a code for a new account mailed.
#[utoipa::path(
    post,
    path = "/console/api/email-register/send-email",
    tag = "registration",
    request_body = AskForMail,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_registration_code(
    State(state): State<AppState>,
    _: SetUp,
    _: PasswordLogin,
    _: Registration,
    ClientIp(ip): ClientIp,
    Valid(ask): Valid<AskForMail>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let language = ask.language.as_deref();
    let token = registration::send_code(&state.ctx, &ask.email, language, &ip).await?;
    Ok(Json(DoneWith::new(token)))
}

/// Prove the code; the token answered makes the account.
#[utoipa::path(
    post,
    path = "/console/api/email-register/validity",
    tag = "registration",
    request_body = Prove,
    responses((status = 200, body = Proved), (status = "4XX", body = ErrorBody)),
)]
async fn prove_registration_code(
    State(state): State<AppState>,
    _: SetUp,
    _: PasswordLogin,
    _: Registration,
    Valid(prove): Valid<Prove>,
) -> Result<Json<Proved>, ApiError> {
    let proof = registration::prove(&state.ctx, &prove.email, &prove.code, &prove.token).await?;
    Ok(Json(proof.into()))
}

/// Make the account and sign it in.
#[utoipa::path(
    post,
    path = "/console/api/email-register",
    tag = "registration",
    request_body = NewPassword,
    responses((status = 200, body = DoneWith<Session>), (status = "4XX", body = ErrorBody)),
)]
async fn register(
    State(state): State<AppState>,
    _: SetUp,
    _: PasswordLogin,
    _: Registration,
    ClientIp(ip): ClientIp,
    Valid(new): Valid<NewPassword>,
) -> Result<Json<DoneWith<Session>>, ApiError> {
    let policy = features::policy(&state).await?;
    let NewPassword { token, new_password, password_confirm } = &new;
    let tokens =
        registration::finish(&state.ctx, policy, token, new_password, password_confirm, &ip)
            .await?;
    Ok(Json(DoneWith::new(Session {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        csrf_token: tokens.csrf_token,
    })))
}
