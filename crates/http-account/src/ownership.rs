//! `/console/api/workspaces/current/members/…`: handing the workspace over.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Console};
use serde::Deserialize;
use services_account::ownership;
use types::AccountId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{ClientIp, Done, DoneWith, Proved},
    features,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(send_owner_transfer_code))
        .routes(routes!(prove_owner_transfer_code))
        .routes(routes!(transfer_ownership))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct SendPayload {
    /// Of the mail.
    #[garde(skip)]
    language: Option<String>,
}

/// Have a code mailed to you, the owner.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/members/send-owner-transfer-confirm-email",
    tag = "member",
    request_body = SendPayload,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_owner_transfer_code(
    State(state): State<AppState>,
    Console(user): Console,
    ClientIp(ip): ClientIp,
    Valid(payload): Valid<SendPayload>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    features::check_transferable(&state, user.tenant).await?;
    ownership::check_allowed(&state.ctx, &user).await?;
    let language = payload.language.as_deref();
    let token = ownership::send_code(&state.ctx, &user, language, &ip).await?;
    Ok(Json(DoneWith::new(token)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ProvePayload {
    /// Six digits.
    code: String,
    token: String,
}

/// Prove the code; the token answered hands the workspace over.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/members/owner-transfer-check",
    tag = "member",
    request_body = ProvePayload,
    responses((status = 200, body = Proved), (status = "4XX", body = ErrorBody)),
)]
async fn prove_owner_transfer_code(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<ProvePayload>,
) -> Result<Json<Proved>, ApiError> {
    features::check_transferable(&state, user.tenant).await?;
    ownership::check_allowed(&state.ctx, &user).await?;
    let proof = ownership::prove(&state.ctx, &user, &payload.code, &payload.token).await?;
    Ok(Json(proof.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct TransferPayload {
    #[garde(skip)]
    token: String,
}

/// Hand the workspace over to a member.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/members/{member_id}/owner-transfer",
    tag = "member",
    params(("member_id" = AccountId, Path)),
    request_body = TransferPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn transfer_ownership(
    State(state): State<AppState>,
    Path(id): Path<AccountId>,
    Console(user): Console,
    Valid(payload): Valid<TransferPayload>,
) -> Result<Json<Done>, ApiError> {
    features::check_transferable(&state, user.tenant).await?;
    ownership::check_allowed(&state.ctx, &user).await?;
    ownership::hand_over(&state.ctx, &user, id, &payload.token).await?;
    Ok(Json(Done::SUCCESS))
}
