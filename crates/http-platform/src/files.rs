//! `/files`: signed links. Whoever holds one may follow it.

mod links;
mod plugin_upload;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(links::router()).merge(plugin_upload::router())
}
