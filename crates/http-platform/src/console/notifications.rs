//! `/console/api/notification`: of the cloud edition.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::Console};
use serde::{Deserialize, Serialize};
use services_core::Ctx;
use services_platform::billing;
use services_platform::notification::{self, Notification};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Done;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_notification)).routes(routes!(dismiss_notification))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Notifications {
    should_show: bool,
    notifications: Vec<Notification>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DismissNotificationPayload {
    notification_id: String,
}

fn only_cloud(ctx: &Ctx) -> Result<(), ApiError> {
    if ctx.config.is_cloud() { Ok(()) } else { Err(ApiError::no_such_url()) }
}

/// What the account should be told now.
#[utoipa::path(
    get,
    path = "/console/api/notification",
    tag = "notification",
    responses((status = 200, body = Notifications), (status = "4XX", body = ErrorBody)),
)]
async fn find_notification(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Notifications>, ApiError> {
    only_cloud(&state.ctx)?;
    let language = user.account.interface_language.as_deref();
    let notifications = notification::list(&state.ctx, user.account.id, language).await?;
    Ok(Json(Notifications { should_show: !notifications.is_empty(), notifications }))
}

/// Note that the account was told.
#[utoipa::path(
    post,
    path = "/console/api/notification/dismiss",
    tag = "notification",
    request_body = DismissNotificationPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn dismiss_notification(
    State(state): State<AppState>,
    Console(user): Console,
    request: axum::extract::Request,
) -> Result<Json<Done>, ApiError> {
    // Before the body: elsewhere than in the cloud this address does not exist.
    only_cloud(&state.ctx)?;
    let Valid(body) =
        <Valid<DismissNotificationPayload> as axum::extract::FromRequest<_>>::from_request(
            request, &state,
        )
        .await?;
    billing::dismiss(&state.ctx, user.account.id, &body.notification_id).await?;
    Ok(Json(Done::new()))
}
