//! Endpoints that run workflows, stop them and re-attach to them.

mod body;
mod console;
mod events;
mod explore;
mod part;
mod repeat;
mod service;
mod stream;
mod web;

pub(crate) use body::{BlockingRun, Call, Success, answer};
pub(crate) use console::runner;
use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(service::router())
        .merge(web::router())
        .merge(console::router())
        .merge(events::router())
        .merge(explore::router())
        .merge(part::router())
}
