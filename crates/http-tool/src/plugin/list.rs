//! What is installed, and what plugins say of themselves.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid,
    guard::{Console, SetUp},
};
use plugin::{
    Daemon,
    entity::{PluginDeclaration, PluginInstallation},
};
use serde::{Deserialize, Serialize};
use services_tool::{
    ToolError,
    plugin_manage::{self, LatestPlugin},
};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::{Debugger, Installer};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_plugins))
        .routes(routes!(list_plugin_installations))
        .routes(routes!(list_latest_plugin_versions))
        .routes(routes!(find_plugin_manifest))
        .routes(routes!(find_marketplace_package))
        .routes(routes!(find_plugin_readme))
        .routes(routes!(find_plugin_icon))
        .routes(routes!(find_plugin_asset))
        .routes(routes!(find_debugging_key))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
pub(super) struct PluginPageQuery {
    #[serde(default = "first")]
    #[garde(range(min = 1))]
    pub page: u32,
    #[serde(default = "most")]
    #[garde(range(min = 1, max = 256))]
    pub page_size: u32,
}

fn first() -> u32 {
    1
}

fn most() -> u32 {
    256
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginPage {
    #[schema(value_type = Vec<Object>)]
    plugins: Vec<PluginInstallation>,
    total: i64,
}

/// The plugins of the workspace.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/list",
    tag = "plugins",
    params(PluginPageQuery),
    responses((status = 200, body = PluginPage), (status = "4XX", body = ErrorBody)),
)]
async fn list_plugins(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginPageQuery>,
) -> Result<Json<PluginPage>, ApiError> {
    let listed = daemon.list_plugins(user.tenant, query.page, query.page_size).await;
    let listed = listed.map_err(ToolError::from)?;
    Ok(Json(PluginPage { plugins: listed.list, total: listed.total }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PluginIdsPayload {
    plugin_ids: Vec<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginInstallations {
    #[schema(value_type = Vec<Object>)]
    plugins: Vec<PluginInstallation>,
}

/// The installations of some plugins.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/list/installations/ids",
    tag = "plugins",
    request_body = PluginIdsPayload,
    responses((status = 200, body = PluginInstallations), (status = "4XX", body = ErrorBody)),
)]
async fn list_plugin_installations(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<PluginIdsPayload>,
) -> Result<Json<PluginInstallations>, ApiError> {
    let plugins = daemon.list_installations(user.tenant, &body.plugin_ids).await;
    Ok(Json(PluginInstallations { plugins: plugins.map_err(ToolError::from)? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LatestVersions {
    #[schema(value_type = Object)]
    versions: BTreeMap<String, Option<LatestPlugin>>,
}

/// The newest versions of some plugins.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/list/latest-versions",
    tag = "plugins",
    request_body = PluginIdsPayload,
    responses((status = 200, body = LatestVersions), (status = "4XX", body = ErrorBody)),
)]
async fn list_latest_plugin_versions(
    State(state): State<AppState>,
    _: Console,
    Valid(body): Valid<PluginIdsPayload>,
) -> Json<LatestVersions> {
    let versions = plugin_manage::latest_versions(&state.ctx, &body.plugin_ids).await;
    Json(LatestVersions { versions })
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PluginIdentifierQuery {
    plugin_unique_identifier: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginManifest {
    #[schema(value_type = Object)]
    manifest: PluginDeclaration,
}

/// What an installed package says of itself.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/fetch-manifest",
    tag = "plugins",
    params(PluginIdentifierQuery),
    responses((status = 200, body = PluginManifest), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_manifest(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginIdentifierQuery>,
) -> Result<Json<PluginManifest>, ApiError> {
    let manifest = daemon.find_manifest(user.tenant, &query.plugin_unique_identifier).await;
    Ok(Json(PluginManifest { manifest: manifest.map_err(ToolError::from)? }))
}

/// What a package of the marketplace says of itself.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/marketplace/pkg",
    tag = "plugins",
    params(PluginIdentifierQuery),
    responses((status = 200, body = PluginManifest), (status = "4XX", body = ErrorBody)),
)]
async fn find_marketplace_package(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginIdentifierQuery>,
) -> Result<Json<PluginManifest>, ApiError> {
    let identifier = &query.plugin_unique_identifier;
    let manifest =
        plugin_manage::marketplace_manifest(&state.ctx, &daemon, user.tenant, identifier).await?;
    Ok(Json(PluginManifest { manifest }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PluginReadmeQuery {
    plugin_unique_identifier: String,
    #[serde(default = "english")]
    language: String,
}

fn english() -> String {
    "en-US".to_owned()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginReadme {
    readme: String,
}

/// What a package tells people to read.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/readme",
    tag = "plugins",
    params(PluginReadmeQuery),
    responses((status = 200, body = PluginReadme), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_readme(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginReadmeQuery>,
) -> Result<Json<PluginReadme>, ApiError> {
    let identifier = &query.plugin_unique_identifier;
    let readme = daemon.find_readme(user.tenant, identifier, &query.language).await;
    Ok(Json(PluginReadme { readme: readme.map_err(ToolError::from)? }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PluginIconQuery {
    tenant_id: TenantId,
    filename: String,
}

/// An icon of a plugin. Whoever knows its name may see it, as pages show it as a picture.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/icon",
    tag = "plugins",
    params(PluginIconQuery),
    responses((status = 200, body = Vec<u8>), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_icon(
    State(state): State<AppState>,
    _: SetUp,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginIconQuery>,
) -> Result<Response, ApiError> {
    let icon = daemon.find_asset(query.tenant_id, &query.filename).await;
    let icon = icon.map_err(ToolError::from)?;
    let max_age = state.ctx.config.feature.tool_icon_cache_max_age;
    Ok(picture(icon, &query.filename, max_age))
}

/// A picture with its type guessed from its name.
pub(crate) fn picture(data: Bytes, name: &str, max_age: i64) -> Response {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let mut response = http_core::picture::picture(data, kind.as_ref());
    if let Ok(cache) = HeaderValue::from_str(&format!("public, max-age={max_age}")) {
        response.headers_mut().insert(header::CACHE_CONTROL, cache);
    }
    response
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PluginAssetQuery {
    plugin_unique_identifier: String,
    file_name: String,
}

/// A file of a package.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/asset",
    tag = "plugins",
    params(PluginAssetQuery),
    responses((status = 200, body = Vec<u8>), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_asset(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginAssetQuery>,
) -> Result<Response, ApiError> {
    let identifier = &query.plugin_unique_identifier;
    let data = daemon.extract_asset(user.tenant, identifier, &query.file_name).await;
    let data = data.map_err(ToolError::from)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], data).into_response())
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DebuggingKey {
    key: String,
    host: String,
    port: i64,
}

/// Where and with which key a plugin under development connects.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/debugging-key",
    tag = "plugins",
    responses((status = 200, body = DebuggingKey), (status = "4XX", body = ErrorBody)),
)]
async fn find_debugging_key(
    State(state): State<AppState>,
    Debugger(user): Debugger,
    Part(daemon): Part<Daemon>,
) -> Result<Json<DebuggingKey>, ApiError> {
    let key = daemon.debugging_key(user.tenant).await.map_err(ToolError::from)?;
    let settings = &state.ctx.config.feature;
    Ok(Json(DebuggingKey {
        key,
        host: settings.plugin_remote_install_host.clone(),
        port: settings.plugin_remote_install_port,
    }))
}
