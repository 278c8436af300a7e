//! `/console/api/workspaces/current/agent-providers`

use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, guard::Console};
use plugin::{Daemon, entity::AgentProvider};
use services_model::plugins;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_agent_providers)).routes(routes!(find_agent_provider))
}

/// The agent strategies of installed plugins.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/agent-providers",
    tag = "agent-providers",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_agent_providers(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
) -> Result<Json<Vec<AgentProvider>>, ApiError> {
    Ok(Json(plugins::list_agent_providers(&daemon, user.tenant).await?))
}

/// The agent strategies of one provider.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/agent-provider/{provider}",
    tag = "agent-providers",
    params(("provider" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_agent_provider(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Path(provider): Path<String>,
) -> Result<Json<AgentProvider>, ApiError> {
    Ok(Json(plugins::find_agent_provider(&daemon, user.tenant, &provider).await?))
}
