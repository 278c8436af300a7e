//! `/api/parameters`, `/api/meta`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, guard::Visitor};
use services_app::{json::Object, meta, parameters};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::service::AppMeta;

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_web_app_parameters)).routes(routes!(get_web_app_meta))
}

/// Form, features and upload limits of the web app.
#[utoipa::path(
    get,
    path = "/api/parameters",
    tag = "web app",
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_web_app_parameters(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
) -> Result<Json<Object>, ApiError> {
    Ok(Json(parameters::of(&state.ctx, &visitor.app).await?))
}

/// Icons of the tools the web app uses.
#[utoipa::path(
    get,
    path = "/api/meta",
    tag = "web app",
    responses((status = 200, body = AppMeta), (status = "4XX", body = ErrorBody)),
)]
async fn get_web_app_meta(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
) -> Result<Json<AppMeta>, ApiError> {
    Ok(Json(AppMeta { tool_icons: meta::tool_icons(&state.ctx, &visitor.app).await? }))
}
