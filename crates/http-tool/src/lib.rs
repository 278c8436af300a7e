//! Endpoints of tools and plugins.

mod datasource;
mod guard;
mod notion;
mod plugin;
mod tool;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// All endpoints of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(plugin::router())
        .merge(tool::router())
        .merge(datasource::router())
        .merge(notion::router())
}
