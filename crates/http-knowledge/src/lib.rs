//! Console endpoints of knowledge bases.

mod dataset;
mod retrieval_setting;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(dataset::router()).merge(retrieval_setting::router())
}
