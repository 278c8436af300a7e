//! `/v1/site`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, guard::KeyedApp};
use services_platform::web_app;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Site;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_site))
}

/// The app's web app.
#[utoipa::path(
    get,
    path = "/v1/site",
    tag = "app",
    responses((status = 200, body = Site), (status = "4XX", body = ErrorBody)),
)]
async fn find_site(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
) -> Result<Json<Site>, ApiError> {
    let site = web_app::site(&state.ctx, &app).await?;
    Ok(Json(Site::new(&state.ctx, site)))
}
