//! The console's side.

mod agent_provider;
mod default_model;
mod endpoint;
mod load_balancing;
mod model;
mod model_credential;
mod provider;
mod provider_credential;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(provider::router())
        .merge(provider_credential::router())
        .merge(model::router())
        .merge(model_credential::router())
        .merge(load_balancing::router())
        .merge(default_model::router())
        .merge(endpoint::router())
        .merge(agent_provider::router())
}
