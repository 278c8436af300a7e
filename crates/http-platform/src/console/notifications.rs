//! `/console/api/notification`: of the cloud edition.

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Cloud, Console},
};
use serde::{Deserialize, Serialize};
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
    _: Cloud,
) -> Result<Json<Notifications>, ApiError> {
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
    _: Cloud,
    Valid(body): Valid<DismissNotificationPayload>,
) -> Result<Json<Done>, ApiError> {
    billing::dismiss(&state.ctx, user.account.id, &body.notification_id).await?;
    Ok(Json(Done::new()))
}
