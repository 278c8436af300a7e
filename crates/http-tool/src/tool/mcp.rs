//! MCP servers.

use axum::{extract::State, response::Response};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid,
    guard::Console,
    validation::{self, JsonObject},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_tool::{
    ToolError, Tools,
    mcp::{McpClient, McpContent, SignIn},
    view::McpTimes,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{ToolSuccess, list::listed, returned};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_mcp_servers))
        .routes(routes!(create_mcp_server, update_mcp_server, delete_mcp_server))
        .routes(routes!(find_mcp_server))
        .routes(routes!(refresh_mcp_server))
        .routes(routes!(connect_mcp_server))
        .routes(routes!(return_from_mcp_server))
}

/// The MCP servers of the workspace and their tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tools/mcp",
    tag = "tools",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_mcp_servers(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<Vec<Value>>, ApiError> {
    listed(&tools.mcp_views(user.tenant, true).await?)
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct McpConfiguration {
    #[serde(default = "thirty")]
    timeout: f64,
    #[serde(default = "three_hundred")]
    sse_read_timeout: f64,
}

fn thirty() -> f64 {
    30.0
}

fn three_hundred() -> f64 {
    300.0
}

/// How long to wait. What is wrong is told without where it is, as in the reference.
fn times(given: Option<JsonObject>) -> Result<McpTimes, ApiError> {
    let given: McpConfiguration = validation::read(Value::Object(given.unwrap_or_default()))?;
    Ok(McpTimes { timeout: given.timeout, sse_read_timeout: given.sse_read_timeout })
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct McpAuthentication {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
}

fn client(given: Option<McpAuthentication>) -> Option<McpClient> {
    let given = given?;
    let id = given.client_id.filter(|id| !id.is_empty())?;
    Some(McpClient { id, secret: given.client_secret })
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct McpCreatePayload {
    server_url: String,
    name: String,
    icon: String,
    icon_type: String,
    #[serde(default)]
    icon_background: String,
    server_identifier: String,
    #[serde(default)]
    #[schema(value_type = Option<McpConfiguration>)]
    configuration: Option<JsonObject>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    headers: Option<JsonObject>,
    #[serde(default)]
    authentication: Option<McpAuthentication>,
}

/// Keep a server, and its tools if it lets us in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/mcp",
    tag = "tools",
    request_body = McpCreatePayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn create_mcp_server(
    State(state): State<AppState>,
    Console(user): Console,
    Part(tools): Part<Tools>,
    Valid(body): Valid<McpCreatePayload>,
) -> Result<Json<Value>, ApiError> {
    let content = McpContent {
        server_url: body.server_url,
        name: body.name,
        icon: body.icon,
        icon_type: body.icon_type,
        icon_background: body.icon_background,
        server_identifier: body.server_identifier,
        headers: body.headers.unwrap_or_default(),
        times: times(body.configuration)?,
        client: client(body.authentication),
    };
    let made = tools.create_mcp(user.tenant, user.account.id, content).await?;
    Ok(Json(made.whole(state.ctx.now().timestamp())?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct McpUpdatePayload {
    server_url: String,
    name: String,
    icon: String,
    icon_type: String,
    #[serde(default)]
    icon_background: String,
    server_identifier: String,
    #[serde(default)]
    #[schema(value_type = Option<McpConfiguration>)]
    configuration: Option<JsonObject>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    headers: Option<JsonObject>,
    #[serde(default)]
    authentication: Option<McpAuthentication>,
    provider_id: String,
}

/// Change a server.
#[utoipa::path(
    put,
    path = "/console/api/workspaces/current/tool-provider/mcp",
    tag = "tools",
    request_body = McpUpdatePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn update_mcp_server(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Valid(body): Valid<McpUpdatePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let id = row(&body.provider_id)?;
    let content = McpContent {
        server_url: body.server_url,
        name: body.name,
        icon: body.icon,
        icon_type: body.icon_type,
        icon_background: body.icon_background,
        server_identifier: body.server_identifier,
        headers: body.headers.unwrap_or_default(),
        times: times(body.configuration)?,
        client: client(body.authentication),
    };
    tools.update_mcp(user.tenant, id, content).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct McpDeletePayload {
    provider_id: String,
}

/// Forget a server.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/tool-provider/mcp",
    tag = "tools",
    request_body = McpDeletePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_mcp_server(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Valid(body): Valid<McpDeletePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.delete_mcp(user.tenant, row(&body.provider_id)?).await?;
    Ok(ToolSuccess::new())
}

/// A server and its tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/mcp/tools/{provider_id}",
    tag = "tools",
    params(("provider_id" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_mcp_server(
    State(state): State<AppState>,
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = tools.find_mcp(user.tenant, row(&id)?).await?;
    Ok(Json(found.whole(state.ctx.now().timestamp())?))
}

/// Ask a server for its tools anew.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/mcp/update/{provider_id}",
    tag = "tools",
    params(("provider_id" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn refresh_mcp_server(
    State(state): State<AppState>,
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = tools.refresh_mcp(user.tenant, row(&id)?).await?;
    Ok(Json(found.whole(state.ctx.now().timestamp())?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct McpAuthPayload {
    provider_id: String,
}

/// How connecting went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum McpConnected {
    Done {
        result: &'static str,
    },
    /// A person has to go there.
    Visit {
        authorization_url: String,
    },
}

/// Connect to a server.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/mcp/auth",
    tag = "tools",
    request_body = McpAuthPayload,
    responses((status = 200, body = McpConnected), (status = "4XX", body = ErrorBody)),
)]
async fn connect_mcp_server(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Valid(body): Valid<McpAuthPayload>,
) -> Result<Json<McpConnected>, ApiError> {
    let connected = tools.connect_mcp(user.tenant, row(&body.provider_id)?).await?;
    Ok(Json(match connected {
        SignIn::Done => McpConnected::Done { result: "success" },
        SignIn::Visit(authorization_url) => McpConnected::Visit { authorization_url },
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct McpReturnQuery {
    code: String,
    state: String,
}

/// Back from a server with leave to come in.
#[utoipa::path(
    get,
    path = "/console/api/mcp/oauth/callback",
    tag = "tools",
    params(McpReturnQuery),
    responses((status = 302), (status = "4XX", body = ErrorBody)),
)]
async fn return_from_mcp_server(
    State(state): State<AppState>,
    Part(tools): Part<Tools>,
    Query(query): Query<McpReturnQuery>,
) -> Result<Response, ApiError> {
    tools.return_from_mcp(&query.state, &query.code).await?;
    Ok(returned(&state))
}

/// A row's id; a text that is none names no row.
fn row(id: &str) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ToolError::invalid("MCP tool not found").into())
}
