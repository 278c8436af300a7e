//! `/v1`.

mod end_users;
mod files;
mod site;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(end_users::router()).merge(files::router()).merge(site::router())
}
