//! OAuth with the services that tools connect to.

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid,
    guard::{Admin, Console, SetUp},
    validation::JsonObject,
};
use plugin::{entity::ProviderConfig, oauth::IncomingRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_tool::Tools;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{AuthorizationUrl, ToolSuccess, journey_cookie, returned};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_tool_oauth_client))
        .routes(routes!(find_own_tool_oauth_client))
        .routes(routes!(save_own_tool_oauth_client))
        .routes(routes!(delete_own_tool_oauth_client))
        .routes(routes!(find_tool_oauth_url))
        .routes(routes!(return_from_tool_oauth))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ToolOauthClient {
    #[schema(value_type = Vec<Object>)]
    schema: Vec<ProviderConfig>,
    is_oauth_custom_client_enabled: bool,
    is_system_oauth_params_exists: bool,
    #[schema(value_type = Object)]
    client_params: Map<String, Value>,
    redirect_uri: String,
}

/// What a provider's OAuth client needs, and what it has.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/oauth/client-schema",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = ToolOauthClient), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_oauth_client(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<ToolOauthClient>, ApiError> {
    let found = tools.oauth_client_view(user.tenant, &provider).await?;
    Ok(Json(ToolOauthClient {
        schema: found.schema,
        is_oauth_custom_client_enabled: found.is_oauth_custom_client_enabled,
        is_system_oauth_params_exists: found.is_system_oauth_params_exists,
        client_params: found.client_params,
        redirect_uri: found.redirect_uri,
    }))
}

/// The settings of the workspace's own OAuth client.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/oauth/custom-client",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_own_tool_oauth_client(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<Map<String, Value>>, ApiError> {
    Ok(Json(tools.own_client_params(user.tenant, &provider).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ToolOauthClientPayload {
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    client_params: Option<JsonObject>,
    #[serde(default)]
    enable_oauth_custom_client: Option<bool>,
}

/// Store the settings of the workspace's own OAuth client.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/oauth/custom-client",
    tag = "tools",
    params(("provider" = String, Path)),
    request_body = ToolOauthClientPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn save_own_tool_oauth_client(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<ToolOauthClientPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let enabled = body.enable_oauth_custom_client.unwrap_or(true);
    let params = body.client_params.unwrap_or_default();
    tools.save_own_client(user.tenant, &provider, params, enabled).await?;
    Ok(ToolSuccess::new())
}

/// Remove the workspace's own OAuth client.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/oauth/custom-client",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_own_tool_oauth_client(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.delete_own_client(user.tenant, &provider).await?;
    Ok(ToolSuccess::new())
}

/// Where a user goes who wants to connect. The answer sets a cookie that his return is known by.
#[utoipa::path(
    get,
    path = "/console/api/oauth/plugin/{provider}/tool/authorization-url",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = AuthorizationUrl), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_oauth_url(
    State(state): State<AppState>,
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Response, ApiError> {
    let (authorization_url, note) =
        tools.oauth_url(user.tenant, user.account.id, &provider).await?;
    let cookie = journey_cookie(&state, &note);
    Ok((cookie, Json(AuthorizationUrl { authorization_url })).into_response())
}

/// Back from the service with leave to connect.
#[utoipa::path(
    get,
    path = "/console/api/oauth/plugin/{provider}/tool/callback",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 302), (status = "4XX", body = ErrorBody)),
)]
async fn return_from_tool_oauth(
    State(state): State<AppState>,
    _: SetUp,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let jar = CookieJar::from_headers(&headers);
    let Some(note) = jar.get("context_id").map(|cookie| cookie.value().to_owned()) else {
        let message = "context_id not found";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = IncomingRequest { method: &Method::GET, target, headers: &headers, body: b"" };
    tools.oauth_return(&provider, &note, request).await?;
    Ok(returned(&state))
}
