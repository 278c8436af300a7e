//! `/console/api/apps/{app_id}/api-keys`, `/console/api/datasets/{dataset_id}/api-keys`, `/console/api/datasets/api-keys`

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path,
    guard::{Admin, Console, Editor},
};
use serde::Serialize;
use services_account::session::SignedIn;
use services_platform::api_key::{self, ApiToken, Resource};
use types::{AppId, DatasetId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::seconds;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_app_keys, create_app_key))
        .routes(routes!(delete_app_key))
        .routes(routes!(list_dataset_keys, create_dataset_key))
        .routes(routes!(delete_dataset_key))
        .routes(routes!(list_knowledge_keys, create_knowledge_key))
        .routes(routes!(delete_knowledge_key))
        .routes(routes!(find_api_base))
}

/// A key of the service API.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiKeyItem {
    id: Uuid,
    /// `app` or `dataset`.
    r#type: String,
    token: String,
    /// Unix seconds.
    last_used_at: Option<i64>,
    /// Unix seconds.
    created_at: i64,
}

impl From<ApiToken> for ApiKeyItem {
    fn from(key: ApiToken) -> Self {
        Self {
            id: key.id,
            r#type: key.r#type,
            token: key.token,
            last_used_at: key.last_used_at.map(seconds),
            created_at: seconds(key.created_at),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiKeyList {
    data: Vec<ApiKeyItem>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiBaseInfo {
    api_base_url: String,
}

async fn list(
    state: &AppState,
    user: &SignedIn,
    resource: Resource,
) -> Result<Json<ApiKeyList>, ApiError> {
    let keys = api_key::list(&state.ctx, user.tenant, resource).await?;
    Ok(Json(ApiKeyList { data: keys.into_iter().map(Into::into).collect() }))
}

async fn create(
    state: &AppState,
    user: &SignedIn,
    resource: Resource,
) -> Result<Json<ApiKeyItem>, ApiError> {
    let key = api_key::create(&state.ctx, user.tenant, resource).await?;
    Ok(Json(key.into()))
}

/// Revokes a key of a resource, which has to be there before the caller's role is looked at.
async fn delete(
    state: &AppState,
    user: &SignedIn,
    resource: Resource,
    id: Uuid,
) -> Result<NoContent, ApiError> {
    api_key::check(&state.ctx, user.tenant, resource).await?;
    if !user.role.is_privileged() {
        return Err(ApiError::forbidden());
    }
    api_key::delete(&state.ctx, user.tenant, resource, id).await?;
    Ok(NoContent)
}

/// The keys of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/api-keys",
    tag = "api-keys",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = ApiKeyList), (status = "4XX", body = ErrorBody)),
)]
async fn list_app_keys(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
) -> Result<Json<ApiKeyList>, ApiError> {
    list(&state, &user, Resource::App(app)).await
}

/// Mint a key of an app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/api-keys",
    tag = "api-keys",
    params(("app_id" = AppId, Path)),
    responses((status = 201, body = ApiKeyItem), (status = "4XX", body = ErrorBody)),
)]
async fn create_app_key(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
) -> Result<(StatusCode, Json<ApiKeyItem>), ApiError> {
    Ok((StatusCode::CREATED, create(&state, &user, Resource::App(app)).await?))
}

/// Revoke a key of an app.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/api-keys/{api_key_id}",
    tag = "api-keys",
    params(("app_id" = AppId, Path), ("api_key_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_app_key(
    State(state): State<AppState>,
    Console(user): Console,
    Path((app, id)): Path<(AppId, Uuid)>,
) -> Result<NoContent, ApiError> {
    delete(&state, &user, Resource::App(app), id).await
}

/// The keys made for a knowledge base.
#[utoipa::path(
    get,
    path = "/console/api/datasets/{dataset_id}/api-keys",
    tag = "api-keys",
    params(("dataset_id" = DatasetId, Path)),
    responses((status = 200, body = ApiKeyList), (status = "4XX", body = ErrorBody)),
)]
async fn list_dataset_keys(
    State(state): State<AppState>,
    Console(user): Console,
    Path(dataset): Path<DatasetId>,
) -> Result<Json<ApiKeyList>, ApiError> {
    list(&state, &user, Resource::Dataset(dataset)).await
}

/// Mint a key for a knowledge base.
#[utoipa::path(
    post,
    path = "/console/api/datasets/{dataset_id}/api-keys",
    tag = "api-keys",
    params(("dataset_id" = DatasetId, Path)),
    responses((status = 201, body = ApiKeyItem), (status = "4XX", body = ErrorBody)),
)]
async fn create_dataset_key(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(dataset): Path<DatasetId>,
) -> Result<(StatusCode, Json<ApiKeyItem>), ApiError> {
    Ok((StatusCode::CREATED, create(&state, &user, Resource::Dataset(dataset)).await?))
}

/// Revoke a key of a knowledge base.
#[utoipa::path(
    delete,
    path = "/console/api/datasets/{dataset_id}/api-keys/{api_key_id}",
    tag = "api-keys",
    params(("dataset_id" = DatasetId, Path), ("api_key_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_dataset_key(
    State(state): State<AppState>,
    Console(user): Console,
    Path((dataset, id)): Path<(DatasetId, Uuid)>,
) -> Result<NoContent, ApiError> {
    delete(&state, &user, Resource::Dataset(dataset), id).await
}

/// The workspace's keys for all its knowledge.
#[utoipa::path(
    get,
    path = "/console/api/datasets/api-keys",
    tag = "api-keys",
    responses((status = 200, body = ApiKeyList), (status = "4XX", body = ErrorBody)),
)]
async fn list_knowledge_keys(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<ApiKeyList>, ApiError> {
    list(&state, &user, Resource::Knowledge).await
}

/// Mint a key for all the workspace's knowledge.
#[utoipa::path(
    post,
    path = "/console/api/datasets/api-keys",
    tag = "api-keys",
    responses((status = 200, body = ApiKeyItem), (status = "4XX", body = ErrorBody)),
)]
async fn create_knowledge_key(
    State(state): State<AppState>,
    Admin(user): Admin,
) -> Result<Json<ApiKeyItem>, ApiError> {
    create(&state, &user, Resource::Knowledge).await
}

/// Revoke a key for all the workspace's knowledge.
#[utoipa::path(
    delete,
    path = "/console/api/datasets/api-keys/{api_key_id}",
    tag = "api-keys",
    params(("api_key_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_knowledge_key(
    State(state): State<AppState>,
    Admin(user): Admin,
    Path(id): Path<Uuid>,
) -> Result<NoContent, ApiError> {
    delete(&state, &user, Resource::Knowledge, id).await
}

/// Where the service API is.
#[utoipa::path(
    get,
    path = "/console/api/datasets/api-base-info",
    tag = "api-keys",
    responses((status = 200, body = ApiBaseInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_api_base(
    State(state): State<AppState>,
    _: Console,
    headers: HeaderMap,
) -> Json<ApiBaseInfo> {
    let base = match state.ctx.config.feature.service_api_url.as_str() {
        "" => host_url(&headers, state.ctx.config.feature.respect_xforward_headers_enabled),
        url => url.to_owned(),
    };
    Json(ApiBaseInfo { api_base_url: format!("{base}/v1") })
}

/// The address the request came to, behind a proxy the one the proxy was asked for.
pub(super) fn host_url(headers: &HeaderMap, trusts_proxy: bool) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let told = |name: &str| text(name).filter(|_| trusts_proxy);
    let host = told("x-forwarded-host").or(text("host")).unwrap_or("localhost");
    let scheme = told("x-forwarded-proto").unwrap_or("http");
    format!("{scheme}://{host}")
}
