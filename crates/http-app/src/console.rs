//! The console's endpoints about apps, a file a resource.

mod app;
mod app_switches;
mod app_text;
mod convert;
mod generator;
mod imports;
mod mcp_server;
mod model_config;
mod prompt_templates;
mod site;
mod trace;
mod trace_config;
mod trial;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(app::router())
        .merge(app_switches::router())
        .merge(app_text::router())
        .merge(convert::router())
        .merge(generator::router())
        .merge(imports::router())
        .merge(mcp_server::router())
        .merge(model_config::router())
        .merge(prompt_templates::router())
        .merge(site::router())
        .merge(trace::router())
        .merge(trace_config::router())
        .merge(trial::router())
}
