//! Endpoints about apps: the console's, and what the service API and web apps tell of an app.

mod console;
mod guard;
mod host;
mod service;
mod web;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// Every route of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(console::router()).merge(service::router()).merge(web::router())
}
