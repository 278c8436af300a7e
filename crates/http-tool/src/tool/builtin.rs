//! Providers that come with the server or with plugins, and their credentials.

use axum::{extract::State, response::Response};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid,
    guard::{Admin, Console, SetUp},
    validation::JsonObject,
};
use plugin::{CredentialType, entity::ProviderConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_tool::{
    ToolError, Tools,
    credential::{CredentialView, NewCredential},
    native,
    view::ToolView,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::ToolSuccess;
use crate::plugin::picture;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tools_of_provider))
        .routes(routes!(find_tool_provider))
        .routes(routes!(find_tool_provider_icon))
        .routes(routes!(list_tool_credentials))
        .routes(routes!(find_tool_credential_info))
        .routes(routes!(find_tool_credential_form))
        .routes(routes!(add_tool_credential))
        .routes(routes!(update_tool_credential))
        .routes(routes!(delete_tool_credential))
        .routes(routes!(make_tool_credential_default))
}

/// The tools of a provider.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/tools",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tools_of_provider(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<Vec<ToolView>>, ApiError> {
    Ok(Json(tools.builtin_tools(user.tenant, &provider).await?))
}

/// A provider and the credential in use.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/info",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_provider(
    State(state): State<AppState>,
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = tools.builtin_info(user.tenant, &provider).await?;
    Ok(Json(found.whole(state.ctx.now().timestamp())?))
}

/// The icon of a provider that comes with the server.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/icon",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = Vec<u8>), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_provider_icon(
    State(state): State<AppState>,
    _: SetUp,
    Path(provider): Path<String>,
) -> Result<Response, ApiError> {
    let Some(icon) = native::icon(&provider) else {
        return Err(ToolError::Invalid(format!("builtin provider {provider} not found")).into());
    };
    let max_age = state.ctx.config.feature.tool_icon_cache_max_age;
    Ok(picture(icon.into(), "icon.svg", max_age))
}

/// The credentials the workspace has of a provider.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/credentials",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tool_credentials(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<Vec<CredentialView>>, ApiError> {
    Ok(Json(tools.credentials(user.tenant, &provider).await?))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ToolCredentialInfo {
    #[schema(value_type = Vec<String>)]
    supported_credential_types: Vec<CredentialType>,
    is_oauth_custom_client_enabled: bool,
    #[schema(value_type = Vec<Object>)]
    credentials: Vec<CredentialView>,
}

/// The credentials the workspace has of a provider, and which it could have.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/credential/info",
    tag = "tools",
    params(("provider" = String, Path)),
    responses((status = 200, body = ToolCredentialInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_credential_info(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
) -> Result<Json<ToolCredentialInfo>, ApiError> {
    let found = tools.find_builtin(user.tenant, &provider).await?;
    Ok(Json(ToolCredentialInfo {
        supported_credential_types: found.supported_types(),
        is_oauth_custom_client_enabled: tools.has_own_client(user.tenant, &provider).await?,
        credentials: tools.credentials(user.tenant, &provider).await?,
    }))
}

/// What a credential of a type holds.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/credential/schema/{credential_type}",
    tag = "tools",
    params(("provider" = String, Path), ("credential_type" = String, Path)),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn find_tool_credential_form(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path((provider, kind)): Path<(String, String)>,
) -> Result<Json<Vec<ProviderConfig>>, ApiError> {
    let Some(kind) = CredentialType::of(&kind) else {
        return Err(ApiError::invalid_param(format!("Invalid credential type: {kind}")));
    };
    let found = tools.find_builtin(user.tenant, &provider).await?;
    Ok(Json(found.form(kind).to_vec()))
}

/// How a credential is given.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ToolCredentialType {
    ApiKey,
    Oauth2,
    Unauthorized,
}

impl From<ToolCredentialType> for CredentialType {
    fn from(kind: ToolCredentialType) -> Self {
        match kind {
            ToolCredentialType::ApiKey => Self::ApiKey,
            ToolCredentialType::Oauth2 => Self::Oauth2,
            ToolCredentialType::Unauthorized => Self::Unauthorized,
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ToolCredentialAddPayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[serde(default)]
    #[garde(inner(length(chars, max = 30)))]
    name: Option<String>,
    #[schema(inline)]
    r#type: ToolCredentialType,
}

/// Add a credential.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/add",
    tag = "tools",
    params(("provider" = String, Path)),
    request_body = ToolCredentialAddPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn add_tool_credential(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<ToolCredentialAddPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let new = NewCredential {
        credentials: body.credentials,
        name: body.name,
        kind: body.r#type.into(),
        expires_at: -1,
    };
    tools.add_credential(user.tenant, user.account.id, &provider, new).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ToolCredentialUpdatePayload {
    credential_id: String,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    credentials: Option<JsonObject>,
    #[serde(default)]
    #[garde(inner(length(chars, max = 30)))]
    name: Option<String>,
}

/// Change a credential.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/update",
    tag = "tools",
    params(("provider" = String, Path)),
    request_body = ToolCredentialUpdatePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn update_tool_credential(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<ToolCredentialUpdatePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let id = row(&body.credential_id, || format!("you have not added provider {provider}"))?;
    let account = user.account.id;
    tools
        .update_credential(user.tenant, account, &provider, id, body.credentials, body.name)
        .await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ToolCredentialDeletePayload {
    credential_id: String,
}

/// Remove a credential.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/delete",
    tag = "tools",
    params(("provider" = String, Path)),
    request_body = ToolCredentialDeletePayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_tool_credential(
    Admin(user): Admin,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<ToolCredentialDeletePayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let id = row(&body.credential_id, || format!("you have not added provider {provider}"))?;
    tools.delete_credential(user.tenant, &provider, id).await?;
    Ok(ToolSuccess::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ToolCredentialDefaultPayload {
    id: String,
}

/// Use a credential where none is named.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/builtin/{provider}/default-credential",
    tag = "tools",
    params(("provider" = String, Path)),
    request_body = ToolCredentialDefaultPayload,
    responses((status = 200, body = ToolSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn make_tool_credential_default(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Path(provider): Path<String>,
    Valid(body): Valid<ToolCredentialDefaultPayload>,
) -> Result<Json<ToolSuccess>, ApiError> {
    let id = row(&body.id, || "provider not found".to_owned())?;
    tools.make_credential_default(user.tenant, &provider, id).await?;
    Ok(ToolSuccess::new())
}

/// A row's id; a text that is none names no row.
fn row(id: &str, missing: impl FnOnce() -> String) -> Result<Uuid, ApiError> {
    id.parse().map_err(|_| ToolError::Invalid(missing()).into())
}
