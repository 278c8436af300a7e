//! `/console/api/account/change-email`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Console, SetUp},
};
use serde::Deserialize;
use services_account::change_email::{self, Send};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    account::Profile,
    body::{self, ClientIp, Done, DoneWith, EmailChange, Prove, Proved},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send_email_change_code))
        .routes(routes!(prove_email_change_code))
        .routes(routes!(change_email_address))
        .routes(routes!(check_email_unique))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SendPayload {
    #[garde(custom(body::email))]
    email: String,
    language: Option<String>,
    /// `old_email`, then `new_email`.
    phase: Option<String>,
    /// Of the first phase, in the second.
    token: Option<String>,
}

/// Have a code mailed to your current address, then to the new one.
#[utoipa::path(
    post,
    path = "/console/api/account/change-email",
    tag = "account",
    request_body = SendPayload,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_email_change_code(
    State(state): State<AppState>,
    _: EmailChange,
    Console(user): Console,
    ClientIp(ip): ClientIp,
    Valid(payload): Valid<SendPayload>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let ask = Send {
        email: &payload.email,
        phase: payload.phase.as_deref(),
        token: payload.token.as_deref(),
        language: payload.language.as_deref(),
        ip: &ip,
    };
    let token = change_email::send_code(&state.ctx, &user, ask).await?;
    Ok(Json(DoneWith::new(token)))
}

/// Prove a code; the token answered is for the next step.
#[utoipa::path(
    post,
    path = "/console/api/account/change-email/validity",
    tag = "account",
    request_body = Prove,
    responses((status = 200, body = Proved), (status = "4XX", body = ErrorBody)),
)]
async fn prove_email_change_code(
    State(state): State<AppState>,
    _: EmailChange,
    Console(user): Console,
    Valid(prove): Valid<Prove>,
) -> Result<Json<Proved>, ApiError> {
    let Prove { email, code, token } = &prove;
    Ok(Json(change_email::prove(&state.ctx, &user, email, code, token).await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ChangePayload {
    #[garde(custom(body::email))]
    new_email: String,
    token: String,
}

/// Move the account to the new address.
#[utoipa::path(
    post,
    path = "/console/api/account/change-email/reset",
    tag = "account",
    request_body = ChangePayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn change_email_address(
    State(state): State<AppState>,
    _: EmailChange,
    Console(user): Console,
    Valid(payload): Valid<ChangePayload>,
) -> Result<Json<Profile>, ApiError> {
    let account =
        change_email::finish(&state.ctx, &user, &payload.new_email, &payload.token).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct CheckPayload {
    #[garde(custom(body::email))]
    email: String,
}

/// Whether nobody has an address.
#[utoipa::path(
    post,
    path = "/console/api/account/change-email/check-email-unique",
    tag = "account",
    request_body = CheckPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn check_email_unique(
    State(state): State<AppState>,
    _: SetUp,
    Valid(payload): Valid<CheckPayload>,
) -> Result<Json<Done>, ApiError> {
    change_email::check_free(&state.ctx, &payload.email).await?;
    Ok(Json(Done::SUCCESS))
}
