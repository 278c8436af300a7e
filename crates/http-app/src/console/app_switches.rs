//! `/console/api/apps/{app_id}/name`, `…/icon`, `…/site-enable`, `…/api-enable`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, validation::lax};
use serde::Deserialize;
use services_app::{app, detail};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AdminApp, EditApp},
    wire::AppDetail,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(rename_app))
        .routes(routes!(update_app_icon))
        .routes(routes!(update_app_site_status))
        .routes(routes!(update_app_api_status))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct AppNamePayload {
    #[garde(length(chars, min = 1))]
    name: String,
}

/// Rename an app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/name",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = AppNamePayload,
    responses((status = 200, body = AppDetail), (status = "4XX", body = ErrorBody)),
)]
async fn rename_app(
    State(state): State<AppState>,
    EditApp { user, app }: EditApp,
    Valid(body): Valid<AppNamePayload>,
) -> Result<Json<AppDetail>, ApiError> {
    let app = app::rename(&state.ctx, &app, user.account.id, &body.name).await?;
    Ok(Json(detail::of(&state.ctx, app).await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppIconPayload {
    icon: Option<String>,
    icon_background: Option<String>,
}

/// Change an app's icon.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/icon",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = AppIconPayload,
    responses((status = 200, body = AppDetail), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_icon(
    State(state): State<AppState>,
    EditApp { user, app }: EditApp,
    Valid(body): Valid<AppIconPayload>,
) -> Result<Json<AppDetail>, ApiError> {
    let (icon, background) =
        (body.icon.unwrap_or_default(), body.icon_background.unwrap_or_default());
    let app = app::set_icon(&state.ctx, &app, user.account.id, &icon, &background).await?;
    Ok(Json(detail::of(&state.ctx, app).await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppSiteStatusPayload {
    #[serde(deserialize_with = "lax::flag")]
    enable_site: bool,
}

/// Open or close the web app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/site-enable",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = AppSiteStatusPayload,
    responses((status = 200, body = AppDetail), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_site_status(
    State(state): State<AppState>,
    EditApp { user, app }: EditApp,
    Valid(body): Valid<AppSiteStatusPayload>,
) -> Result<Json<AppDetail>, ApiError> {
    let app = app::enable_site(&state.ctx, &app, user.account.id, body.enable_site).await?;
    Ok(Json(detail::of(&state.ctx, app).await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppApiStatusPayload {
    #[serde(deserialize_with = "lax::flag")]
    enable_api: bool,
}

/// Open or close the service API.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/api-enable",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = AppApiStatusPayload,
    responses((status = 200, body = AppDetail), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_api_status(
    State(state): State<AppState>,
    AdminApp { user, app }: AdminApp,
    Valid(body): Valid<AppApiStatusPayload>,
) -> Result<Json<AppDetail>, ApiError> {
    let app = app::enable_api(&state.ctx, &app, user.account.id, body.enable_api).await?;
    Ok(Json(detail::of(&state.ctx, app).await?.into()))
}
