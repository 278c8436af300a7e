//! `/console/api/apps/{app_id}/server`

use axum::extract::State;
use db::app_mcp_server::AppMcpServer;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_app::{
    json::Object,
    mcp_server::{self, Edit},
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::guard::{EditApp, ReadApp};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_app_mcp_server, create_app_mcp_server, update_app_mcp_server))
        .routes(routes!(refresh_app_mcp_server))
}

/// The MCP server of an app; without one, every field is null.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct AppServer {
    id: Option<Uuid>,
    name: Option<String>,
    server_code: Option<String>,
    description: Option<String>,
    status: Option<String>,
    /// Description of each form field.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// Unix seconds.
    created_at: Option<i64>,
    /// Unix seconds.
    updated_at: Option<i64>,
}

impl From<AppMcpServer> for AppServer {
    fn from(server: AppMcpServer) -> Self {
        Self {
            id: Some(server.id),
            name: Some(server.name),
            server_code: Some(server.server_code),
            description: Some(server.description),
            status: Some(server.status),
            parameters: serde_json::from_str(&server.parameters).ok(),
            created_at: Some(server.created_at.and_utc().timestamp()),
            updated_at: Some(server.updated_at.and_utc().timestamp()),
        }
    }
}

/// The MCP server of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/server",
    tag = "mcp",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AppServer), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_mcp_server(
    State(state): State<AppState>,
    ReadApp { app }: ReadApp,
) -> Result<Json<AppServer>, ApiError> {
    let found = mcp_server::find(&state.ctx, &app).await?;
    Ok(Json(found.map(Into::into).unwrap_or_default()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct MCPServerCreatePayload {
    description: Option<String>,
    #[schema(value_type = Object)]
    parameters: Object,
}

/// Offer an app as an MCP server.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/server",
    tag = "mcp",
    params(("app_id" = AppId, Path)),
    request_body = MCPServerCreatePayload,
    responses((status = 200, body = AppServer), (status = "4XX", body = ErrorBody)),
)]
async fn create_app_mcp_server(
    State(state): State<AppState>,
    EditApp { app, .. }: EditApp,
    Valid(body): Valid<MCPServerCreatePayload>,
) -> Result<Json<AppServer>, ApiError> {
    let description = body.description.as_deref();
    let made = mcp_server::create(&state.ctx, &app, description, &body.parameters).await?;
    Ok(Json(made.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct MCPServerUpdatePayload {
    id: String,
    description: Option<String>,
    #[schema(value_type = Object)]
    parameters: Object,
    /// `active` or `inactive`.
    status: Option<String>,
}

/// Change the MCP server of an app.
#[utoipa::path(
    put,
    path = "/console/api/apps/{app_id}/server",
    tag = "mcp",
    params(("app_id" = AppId, Path)),
    request_body = MCPServerUpdatePayload,
    responses((status = 200, body = AppServer), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_mcp_server(
    State(state): State<AppState>,
    EditApp { app, .. }: EditApp,
    Valid(body): Valid<MCPServerUpdatePayload>,
) -> Result<Json<AppServer>, ApiError> {
    let edit = Edit {
        id: body.id,
        description: body.description,
        parameters: body.parameters,
        status: body.status,
    };
    Ok(Json(mcp_server::update(&state.ctx, &app, edit).await?.into()))
}

/// Give an MCP server another address. The path names the server, not the app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/server/refresh",
    tag = "mcp",
    params(("app_id" = Uuid, Path, description = "The server's id")),
    responses((status = 200, body = AppServer), (status = "4XX", body = ErrorBody)),
)]
async fn refresh_app_mcp_server(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(id): Path<Uuid>,
) -> Result<Json<AppServer>, ApiError> {
    Ok(Json(mcp_server::refresh(&state.ctx, user.tenant, id).await?.into()))
}
