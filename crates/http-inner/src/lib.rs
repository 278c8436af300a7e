//! What the plugin daemon calls: `/inner/api`.

mod plugin;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(plugin::router())
}
