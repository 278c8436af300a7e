//! `/console/api/auth/plugin/datasource/…`: credentials of sources of documents.

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid,
    guard::{Console, Editor, SetUp},
    validation::JsonObject,
};
use plugin::{entity::DatasourceProvider, oauth::IncomingRequest};
use serde::{Deserialize, Serialize};
use services_tool::{
    Tools,
    datasource::{SourceCredentialView, SourceProviderView},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::tool::{AuthorizationUrl, ToolSuccess, journey_cookie, returned};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_source_providers))
        .routes(routes!(list_known_source_providers))
        .routes(routes!(list_pipeline_sources))
        .routes(routes!(list_source_credentials, add_source_credential))
        .routes(routes!(update_source_credential))
        .routes(routes!(rename_source_credential))
        .routes(routes!(make_source_credential_default))
        .routes(routes!(delete_source_credential))
        .routes(routes!(save_source_client, delete_source_client))
        .routes(routes!(find_source_oauth_url))
        .routes(routes!(return_from_source_oauth))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SourceProviders {
    #[schema(value_type = Vec<Object>)]
    result: Vec<SourceProviderView>,
}

/// The providers of sources and the workspace's credentials.
#[utoipa::path(
    get,
    path = "/console/api/auth/plugin/datasource/list",
    tag = "datasources",
    responses((status = 200, body = SourceProviders), (status = "4XX", body = ErrorBody)),
)]
async fn list_source_providers(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<SourceProviders>, ApiError> {
    Ok(Json(SourceProviders { result: tools.source_providers(user.tenant, false).await? }))
}

/// Those of them that older pages offer by themselves.
#[utoipa::path(
    get,
    path = "/console/api/auth/plugin/datasource/default-list",
    tag = "datasources",
    responses((status = 200, body = SourceProviders), (status = "4XX", body = ErrorBody)),
)]
async fn list_known_source_providers(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<SourceProviders>, ApiError> {
    Ok(Json(SourceProviders { result: tools.source_providers(user.tenant, true).await? }))
}

/// The providers of sources as pipelines see them.
#[utoipa::path(
    get,
    path = "/console/api/rag/pipelines/datasource-plugins",
    tag = "datasources",
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_pipeline_sources(
    Console(user): Console,
    Part(tools): Part<Tools>,
) -> Result<Json<Vec<DatasourceProvider>>, ApiError> {
    Ok(Json(tools.pipeline_sources(user.tenant).await?))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SourceCredentials {
    #[schema(value_type = Vec<Object>)]
    result: Vec<SourceCredentialView>,
}

/// The credentials the workspace has of a provider.
#[utoipa::path(
    get,
    path = "/console/api/auth/plugin/datasource/{provider_id}",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    responses((status = 200, body = SourceCredentials), (status = "4XX", body = ErrorBody)),
)]
async fn list_source_credentials(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<SourceCredentials>, ApiError> {
    let result = tools.source_credentials(user.tenant, &provider).await?;
    Ok(Json(SourceCredentials { result }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceCredentialPayload {
    #[serde(default)]
    #[garde(inner(length(chars, max = 100)))]
    name: Option<String>,
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// Add a credential.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceCredentialPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn add_source_credential(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceCredentialPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let account = user.account.id;
    tools
        .add_source_credential(user.tenant, account, &provider, body.name, body.credentials)
        .await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceCredentialUpdatePayload {
    credential_id: String,
    #[serde(default)]
    #[garde(inner(length(chars, max = 100)))]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    credentials: Option<JsonObject>,
}

/// Change a credential.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}/update",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceCredentialUpdatePayload,
    responses((status = 201, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn update_source_credential(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceCredentialUpdatePayload>,
) -> Result<(StatusCode, Json<ToolSuccess>), ApiError> {
    let values = body.credentials.unwrap_or_default();
    let (account, id) = (user.account.id, &body.credential_id);
    tools.update_source_credential(user.tenant, account, &provider, id, body.name, values).await?;
    Ok((StatusCode::CREATED, ToolSuccess::new()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceCredentialNamePayload {
    credential_id: String,
    #[garde(length(chars, max = 100))]
    name: String,
}

/// Rename a credential.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}/update-name",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceCredentialNamePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn rename_source_credential(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceCredentialNamePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let (id, name) = (&body.credential_id, &body.name);
    tools.rename_source_credential(user.tenant, &provider, id, name).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceCredentialDefaultPayload {
    id: String,
}

/// Use a credential where none is named.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}/default",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceCredentialDefaultPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn make_source_credential_default(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceCredentialDefaultPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.make_source_credential_default(user.tenant, &provider, &body.id).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceCredentialDeletePayload {
    credential_id: String,
}

/// Remove a credential.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}/delete",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceCredentialDeletePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_source_credential(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceCredentialDeletePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.delete_source_credential(user.tenant, &provider, &body.credential_id).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SourceClientPayload {
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    client_params: Option<JsonObject>,
    #[serde(default)]
    enable_oauth_custom_client: Option<bool>,
}

/// Store the settings of the workspace's own OAuth client.
#[utoipa::path(
    post,
    path = "/console/api/auth/plugin/datasource/{provider_id}/custom-client",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    request_body = SourceClientPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn save_source_client(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<SourceClientPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let enabled = body.enable_oauth_custom_client.unwrap_or(false);
    let params = body.client_params.unwrap_or_default();
    tools.save_source_client(user.tenant, &provider, params, enabled).await?;
    Ok(ToolSuccess::new())
}

/// Remove the workspace's own OAuth client.
#[utoipa::path(
    delete,
    path = "/console/api/auth/plugin/datasource/{provider_id}/custom-client",
    tag = "datasources",
    params(("provider_id" = String, Path)),
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_source_client(
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<ToolSuccess>, ApiError> {
    tools.delete_source_client(user.tenant, &provider).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct SourceOauthQuery {
    /// The credential that is to be renewed.
    credential_id: Option<String>,
}

/// Where a user goes who wants to connect. The answer sets a cookie that his return is known by.
#[utoipa::path(
    get,
    path = "/console/api/oauth/plugin/{provider_id}/datasource/get-authorization-url",
    tag = "datasources",
    params(("provider_id" = String, Path), SourceOauthQuery),
    responses((status = 200, body = AuthorizationUrl), (status = "4XX", body = ErrorBody)),
)]
async fn find_source_oauth_url(
    State(state): State<AppState>,
    Editor(user): Editor,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Query(query): Query<SourceOauthQuery>,
) -> Result<Response, ApiError> {
    let credential = query.credential_id.filter(|id| !id.is_empty());
    let account = user.account.id;
    let (authorization_url, note) =
        tools.source_oauth_url(user.tenant, account, &provider, credential).await?;
    let cookie = journey_cookie(&state, &note);
    Ok((cookie, Json(AuthorizationUrl { authorization_url })).into_response())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct SourceReturnQuery {
    /// The note about the journey, where there is no cookie.
    context_id: Option<String>,
}

/// Back from the service with leave to connect.
#[utoipa::path(
    get,
    path = "/console/api/oauth/plugin/{provider_id}/datasource/callback",
    tag = "datasources",
    params(("provider_id" = String, Path), SourceReturnQuery),
    responses((status = 302), (status = "4XX", body = ErrorBody)),
)]
async fn return_from_source_oauth(
    State(state): State<AppState>,
    _: SetUp,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Query(query): Query<SourceReturnQuery>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let jar = CookieJar::from_headers(&headers);
    let note = jar.get("context_id").map(|cookie| cookie.value().to_owned());
    let Some(note) = note.or(query.context_id) else {
        let message = "context_id not found";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message));
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = IncomingRequest { method: &Method::GET, target, headers: &headers, body: b"" };
    tools.source_oauth_return(&provider, &note, request).await?;
    Ok(returned(&state))
}
