//! `/console/api/trial-apps`: reading what may be tried.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path};
use services_platform::{explore::trial, web_app};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Site;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_trial_site))
}

/// The web app of an app that may be tried.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/site",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Site), (status = "4XX", body = ErrorBody)),
)]
async fn find_trial_site(
    State(state): State<AppState>,
    Path(app): Path<AppId>,
) -> Result<Json<Site>, ApiError> {
    let app = trial::read(&state.ctx, app).await?;
    let site = web_app::site(&state.ctx, &app).await?;
    Ok(Json(Site::new(&state.ctx, site)))
}
