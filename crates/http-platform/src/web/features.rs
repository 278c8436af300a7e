//! `/api/system-features`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json};
use services_platform::feature::{self, SystemFeatures};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_web_system_features))
}

/// What the installation can do. Public.
#[utoipa::path(
    get,
    path = "/api/system-features",
    tag = "features",
    responses((status = 200, body = SystemFeatures), (status = "4XX", body = ErrorBody)),
)]
async fn find_web_system_features(
    State(state): State<AppState>,
) -> Result<Json<SystemFeatures>, ApiError> {
    Ok(Json(feature::system_features(&state.ctx, false).await?))
}
