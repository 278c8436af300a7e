//! Conversations over HTTP: asking, stopping, coming back.

mod answer;
mod service_completion;
mod web_completion;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(service_completion::router()).merge(web_completion::router())
}
