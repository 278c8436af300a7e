//! `/console/api/features` and `/console/api/system-features`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json,
    guard::{Console, LoggedIn},
};
use services_platform::feature::{self, Features, SystemFeatures};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_features)).routes(routes!(find_system_features))
}

/// What the workspace can do.
#[utoipa::path(
    get,
    path = "/console/api/features",
    tag = "features",
    responses((status = 200, body = Features), (status = "4XX", body = ErrorBody)),
)]
async fn find_features(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Features>, ApiError> {
    Ok(Json(feature::features(&state.ctx, user.tenant).await?))
}

/// What the installation can do. Public: the console needs it before anybody can sign in.
#[utoipa::path(
    get,
    path = "/console/api/system-features",
    tag = "features",
    responses((status = 200, body = SystemFeatures), (status = "4XX", body = ErrorBody)),
)]
async fn find_system_features(
    State(state): State<AppState>,
    user: Result<LoggedIn, ApiError>,
) -> Result<Json<SystemFeatures>, ApiError> {
    Ok(Json(feature::system_features(&state.ctx, user.is_ok()).await?))
}
