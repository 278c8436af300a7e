//! `/console/api/account/delete`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Console, SetUp},
};
use serde::Deserialize;
use services_account::deletion;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::{self, Done, DoneWith};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send_deletion_code))
        .routes(routes!(delete_account))
        .routes(routes!(leave_deletion_feedback))
}

/// Have a code to delete your account mailed.
#[utoipa::path(
    get,
    path = "/console/api/account/delete/verify",
    tag = "account",
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_deletion_code(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<DoneWith<String>>, ApiError> {
    Ok(Json(DoneWith::new(deletion::send_code(&state.ctx, &user).await?)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DeletePayload {
    token: String,
    /// Six digits.
    code: String,
}

/// Delete your account.
#[utoipa::path(
    post,
    path = "/console/api/account/delete",
    tag = "account",
    request_body = DeletePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn delete_account(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<DeletePayload>,
) -> Result<Json<Done>, ApiError> {
    deletion::confirm(&state.ctx, &user, &payload.code, &payload.token).await?;
    Ok(Json(Done::SUCCESS))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct FeedbackPayload {
    #[garde(custom(body::email))]
    email: String,
    feedback: String,
}

/// Say why you left.
#[utoipa::path(
    post,
    path = "/console/api/account/delete/feedback",
    tag = "account",
    request_body = FeedbackPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn leave_deletion_feedback(
    State(state): State<AppState>,
    _: SetUp,
    Valid(payload): Valid<FeedbackPayload>,
) -> Result<Json<Done>, ApiError> {
    deletion::leave_feedback(&state.ctx, &payload.email, &payload.feedback).await?;
    Ok(Json(Done::SUCCESS))
}
