//! Endpoints of workflows and triggers.

mod draft;
mod draft_variable;
mod form;
mod guard;
mod history;
mod hook;
mod log;
mod mcp;
mod node_execution;
mod run;
mod statistic;
mod tool;
mod trigger;
mod version;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(run::router())
        .merge(draft::router())
        .merge(version::router())
        .merge(draft_variable::router())
        .merge(history::router())
        .merge(node_execution::router())
        .merge(log::router())
        .merge(statistic::router())
        .merge(form::router())
        .merge(tool::router())
        .merge(trigger::router())
        .merge(hook::router())
        .merge(mcp::router())
}
