//! APIs described as tools.

use axum::http::HeaderMap;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid,
    guard::{Admin, Console},
    validation::JsonObject,
};
use plugin::entity::ProviderConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_tool::{
    Tools,
    api::{self, ApiContent, Bundle, Trial},
    view::ToolView,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{ToolSuccess, list::listed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_api_tools))
        .routes(routes!(create_api_tool))
        .routes(routes!(update_api_tool))
        .routes(routes!(delete_api_tool))
        .routes(routes!(find_api_tool))
        .routes(routes!(list_tools_of_api))
        .routes(routes!(read_api_schema))
        .routes(routes!(find_remote_api_schema))
        .routes(routes!(try_api_tool))
}

/// Which of a document's servers is meant.
fn environment(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-request-env")?.to_str().ok()
}

/// The APIs of the workspace and their tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tools/api",
    tag = "tools",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_api_tools(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<Vec<Value>>, ApiError> {
    listed(&tools.api_views(user.tenant, true).await?)
}

/// What a schema claims to be; it is found out anyway.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ApiSchemaType {
    Openapi,
    Swagger,
    OpenaiPlugin,
    OpenaiActions,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiToolCreatePayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[schema(inline)]
    #[expect(dead_code, reason = "checked, not used")]
    schema_type: ApiSchemaType,
    schema: String,
    provider: String,
    /// `{content, background}`.
    #[schema(value_type = Object)]
    icon: JsonObject,
    #[serde(default)]
    privacy_policy: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    custom_disclaimer: String,
}

/// Keep an API.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/api/add",
    tag = "tools",
    request_body = ApiToolCreatePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn create_api_tool(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    headers: HeaderMap,
    Valid(body): Valid<ApiToolCreatePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let content = ApiContent {
        name: body.provider,
        icon: body.icon,
        credentials: body.credentials,
        schema: body.schema,
        privacy_policy: Some(body.privacy_policy.unwrap_or_default()),
        custom_disclaimer: body.custom_disclaimer,
        labels: body.labels.unwrap_or_default(),
    };
    tools.create_api(user.tenant, user.account.id, content, environment(&headers)).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiToolUpdatePayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[schema(inline)]
    #[expect(dead_code, reason = "checked, not used")]
    schema_type: ApiSchemaType,
    schema: String,
    provider: String,
    /// `{content, background}`.
    #[schema(value_type = Object)]
    icon: JsonObject,
    #[serde(default)]
    privacy_policy: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    custom_disclaimer: String,
    /// The name it has.
    original_provider: String,
}

/// Change an API.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/api/update",
    tag = "tools",
    request_body = ApiToolUpdatePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn update_api_tool(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    headers: HeaderMap,
    Valid(body): Valid<ApiToolUpdatePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let content = ApiContent {
        name: body.provider,
        icon: body.icon,
        credentials: body.credentials,
        schema: body.schema,
        privacy_policy: body.privacy_policy,
        custom_disclaimer: body.custom_disclaimer,
        labels: body.labels.unwrap_or_default(),
    };
    let original = &body.original_provider;
    tools.update_api(user.tenant, original, content, environment(&headers)).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiToolDeletePayload {
    provider: String,
}

/// Forget an API.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/api/delete",
    tag = "tools",
    request_body = ApiToolDeletePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_api_tool(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Valid(body): Valid<ApiToolDeletePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.delete_api(user.tenant, &body.provider).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ApiToolQuery {
    provider: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiTool {
    schema_type: String,
    schema: String,
    #[schema(value_type = Vec<Object>)]
    tools: Vec<Bundle>,
    #[schema(value_type = Object)]
    icon: Value,
    description: String,
    #[schema(value_type = Object)]
    credentials: Map<String, Value>,
    privacy_policy: Option<String>,
    custom_disclaimer: String,
    labels: Vec<String>,
}

/// The settings of an API.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/api/get",
    tag = "tools",
    params(ApiToolQuery),
    responses((status = 200, body = ApiTool), (status = "4XX", body = ErrorBody)),
)]
async fn find_api_tool(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Query(query): Query<ApiToolQuery>,
) -> Result<Json<ApiTool>, ApiError> {
    let found = tools.find_api(user.tenant, &query.provider).await?;
    Ok(Json(ApiTool {
        schema_type: found.schema_type,
        schema: found.schema,
        tools: found.tools,
        icon: found.icon,
        description: found.description,
        credentials: found.credentials,
        privacy_policy: found.privacy_policy,
        custom_disclaimer: found.custom_disclaimer,
        labels: found.labels,
    }))
}

/// The tools of an API.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/api/tools",
    tag = "tools",
    params(ApiToolQuery),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tools_of_api(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Query(query): Query<ApiToolQuery>,
) -> Result<Json<Vec<ToolView>>, ApiError> {
    Ok(Json(tools.api_tools(user.tenant, &query.provider).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiSchemaPayload {
    schema: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiSchema {
    schema_type: &'static str,
    #[schema(value_type = Vec<Object>)]
    parameters_schema: Vec<Bundle>,
    #[schema(value_type = Vec<Object>)]
    credentials_schema: Vec<ProviderConfig>,
    #[schema(value_type = Object)]
    warning: Map<String, Value>,
}

/// What a schema describes.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/api/schema",
    tag = "tools",
    request_body = ApiSchemaPayload,
    responses((status = 200, body = ApiSchema), (status = "4XX", body = ErrorBody)),
)]
async fn read_api_schema(
    _: Console,
    headers: HeaderMap,
    Valid(body): Valid<ApiSchemaPayload>,
) -> Result<Json<ApiSchema>, ApiError> {
    // The reference wraps what is wrong twice here.
    let parsed = api::parse(&body.schema, environment(&headers))
        .map_err(|err| ApiError::invalid_param(format!("invalid schema: {err}")))?;
    Ok(Json(ApiSchema {
        schema_type: "openapi",
        parameters_schema: parsed.bundles,
        credentials_schema: api::described_form(),
        warning: parsed.warning,
    }))
}

fn check_url(url: &str, (): &()) -> garde::Result {
    let is_web = |url: &axum::http::Uri| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
    };
    match url.parse() {
        Ok(url) if is_web(&url) => Ok(()),
        _ => Err(garde::Error::new("Input should be a valid URL")),
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
struct RemoteSchemaQuery {
    #[garde(custom(check_url))]
    url: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RemoteSchema {
    schema: String,
}

/// A schema from elsewhere.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/api/remote",
    tag = "tools",
    params(RemoteSchemaQuery),
    responses((status = 200, body = RemoteSchema), (status = "4XX", body = ErrorBody)),
)]
async fn find_remote_api_schema(
    _: Console,
    Part(tools): Part<Tools>,
    headers: HeaderMap,
    Query(query): Query<RemoteSchemaQuery>,
) -> Result<Json<RemoteSchema>, ApiError> {
    let schema = tools.remote_schema(&query.url, environment(&headers)).await?;
    Ok(Json(RemoteSchema { schema }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiTrialPayload {
    tool_name: String,
    #[serde(default)]
    provider_name: Option<String>,
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[schema(value_type = Object)]
    parameters: JsonObject,
    #[schema(inline)]
    #[expect(dead_code, reason = "checked, not used")]
    schema_type: ApiSchemaType,
    schema: String,
}

/// How a trial ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ApiTrial {
    Result(String),
    Error(String),
}

/// Try a tool of an API.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/api/test/pre",
    tag = "tools",
    request_body = ApiTrialPayload,
    responses((status = 200, body = ApiTrial), (status = "4XX", body = ErrorBody)),
)]
async fn try_api_tool(
    Console(user): Console,
    Part(tools): Part<Tools>,
    headers: HeaderMap,
    Valid(body): Valid<ApiTrialPayload>,
) -> Result<Json<ApiTrial>, ApiError> {
    let trial = Trial {
        provider_name: body.provider_name.unwrap_or_default(),
        tool_name: body.tool_name,
        credentials: body.credentials,
        parameters: body.parameters,
        schema: body.schema,
    };
    Ok(Json(match tools.try_api(user.tenant, trial, environment(&headers)).await? {
        Ok(result) => ApiTrial::Result(result),
        Err(error) => ApiTrial::Error(error),
    }))
}
