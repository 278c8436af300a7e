//! `/v1/parameters`, `/v1/meta`, `/v1/info`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, guard::KeyedApp};
use serde::Serialize;
use services_app::{json::Object, meta, parameters};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_app_parameters))
        .routes(routes!(get_app_meta))
        .routes(routes!(get_app_info))
}

/// Form, features and upload limits of the app.
#[utoipa::path(
    get,
    path = "/v1/parameters",
    tag = "app",
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_parameters(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
) -> Result<Json<Object>, ApiError> {
    Ok(Json(parameters::of(&state.ctx, &app).await?))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AppMeta {
    /// By name of the tool: a URL, or colour and letter.
    #[schema(value_type = Object)]
    pub tool_icons: Object,
}

/// Icons of the tools the app uses.
#[utoipa::path(
    get,
    path = "/v1/meta",
    tag = "app",
    responses((status = 200, body = AppMeta), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_meta(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
) -> Result<Json<AppMeta>, ApiError> {
    Ok(Json(AppMeta { tool_icons: meta::tool_icons(&state.ctx, &app).await? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppInfo {
    name: String,
    description: String,
    tags: Vec<String>,
    mode: String,
    author_name: Option<String>,
}

/// Name, description, tags, mode and author of the app.
#[utoipa::path(
    get,
    path = "/v1/info",
    tag = "app",
    responses((status = 200, body = AppInfo), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_info(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
) -> Result<Json<AppInfo>, ApiError> {
    let info = meta::info(&state.ctx, &app).await?;
    Ok(Json(AppInfo {
        name: app.name,
        description: app.description,
        tags: info.tags,
        mode: app.mode,
        author_name: info.author,
    }))
}
