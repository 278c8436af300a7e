//! Endpoints of model providers, tools and plugins.

mod console;
mod service;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(console::router()).merge(service::router())
}
