//! Console, web and service endpoints of files, tags, features, explore.

mod console;
mod files;
mod service;
mod upload;
mod web;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(console::router())
        .merge(files::router())
        .merge(service::router())
        .merge(web::router())
}
