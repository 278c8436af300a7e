//! Providers of every kind, and labels.

use http_core::{ApiError, AppState, ErrorBody, Json, Part, Query, guard::Console};
use serde::Deserialize;
use serde_json::Value;
use services_tool::{
    ToolError, Tools,
    label::{self, Label},
    list::Kind,
    view::ProviderView,
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tool_providers))
        .routes(routes!(list_builtin_tools))
        .routes(routes!(list_tool_labels))
}

/// A kind of providers.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ProviderKind {
    Builtin,
    /// Nothing is of this kind any more.
    Model,
    Api,
    Workflow,
    Mcp,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ToolProviderQuery {
    #[param(inline)]
    r#type: Option<ProviderKind>,
}

/// All of them as lists show them.
pub(super) fn listed(views: &[ProviderView]) -> Result<Json<Vec<Value>>, ApiError> {
    let shown: Result<Vec<Value>, ToolError> = views.iter().map(ProviderView::listed).collect();
    Ok(Json(shown?))
}

/// The providers of tools, without their tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-providers",
    tag = "tools",
    params(ToolProviderQuery),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tool_providers(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Query(query): Query<ToolProviderQuery>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let kind = match query.r#type {
        None => None,
        Some(ProviderKind::Builtin) => Some(Kind::Builtin),
        Some(ProviderKind::Model) => return Ok(Json(Vec::new())),
        Some(ProviderKind::Api) => Some(Kind::Api),
        Some(ProviderKind::Workflow) => Some(Kind::Workflow),
        Some(ProviderKind::Mcp) => Some(Kind::Mcp),
    };
    listed(&tools.providers(user.tenant, kind).await?)
}

/// The providers that come with the server and with plugins, and their tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tools/builtin",
    tag = "tools",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_builtin_tools(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<Vec<Value>>, ApiError> {
    listed(&tools.builtin_views(user.tenant, true).await?)
}

/// The labels providers can have.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-labels",
    tag = "tools",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tool_labels(_: Console) -> Json<Vec<Label>> {
    Json(label::all())
}
