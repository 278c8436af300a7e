//! `/console/api/trial-apps/{app_id}`: looking at an app of the catalogue before installing it.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path};
use services_app::{detail, json::Object, parameters, ports::Ports};
use services_platform::explore::trial;
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{host::HostUrl, wire::AppDetailWithSite};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_trial_app_detail))
        .routes(routes!(get_trial_app_parameters))
}

/// An app that may be tried, with its web app and configuration. Public while trials are on, as in the reference.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AppDetailWithSite), (status = "4XX", body = ErrorBody)),
)]
async fn get_trial_app_detail(
    State(state): State<AppState>,
    ports: Part<Ports>,
    Path(app): Path<AppId>,
    HostUrl(host): HostUrl,
) -> Result<Json<AppDetailWithSite>, ApiError> {
    let app = trial::read(&state.ctx, app).await?;
    let full = detail::full(&state.ctx, &ports, app).await?;
    Ok(Json(AppDetailWithSite::new(full, &host, &state.ctx.config)))
}

/// Form, features and upload limits of an app that may be tried.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/parameters",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_trial_app_parameters(
    State(state): State<AppState>,
    Path(app): Path<AppId>,
) -> Result<Json<Object>, ApiError> {
    let app = trial::read(&state.ctx, app).await?;
    Ok(Json(parameters::of(&state.ctx, &app).await?))
}
