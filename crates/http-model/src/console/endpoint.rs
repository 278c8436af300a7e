//! `/console/api/workspaces/current/endpoints`

use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid,
    guard::{Admin, Console},
    validation::JsonObject,
};
use plugin::{Daemon, endpoint::Endpoint};
use serde::{Deserialize, Serialize};
use services_model::plugins::{self, NewEndpoint};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_endpoint))
        .routes(routes!(list_endpoints))
        .routes(routes!(list_plugin_endpoints))
        .routes(routes!(update_endpoint))
        .routes(routes!(delete_endpoint))
        .routes(routes!(enable_endpoint))
        .routes(routes!(disable_endpoint))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct EndpointCreatePayload {
    plugin_unique_identifier: String,
    #[schema(value_type = Object)]
    settings: JsonObject,
    #[garde(length(min = 1))]
    name: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct EndpointIdPayload {
    endpoint_id: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct EndpointUpdatePayload {
    endpoint_id: String,
    #[schema(value_type = Object)]
    settings: JsonObject,
    #[garde(length(min = 1))]
    name: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct EndpointListQuery {
    #[garde(range(min = 1))]
    page: u32,
    #[garde(range(min = 1))]
    page_size: u32,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct EndpointListForPluginQuery {
    #[garde(range(min = 1))]
    page: u32,
    #[garde(range(min = 1))]
    page_size: u32,
    plugin_id: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Success {
    success: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EndpointList {
    #[schema(value_type = Vec<Object>)]
    endpoints: Vec<Endpoint>,
}

/// Set up an endpoint of a plugin.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/endpoints/create",
    tag = "endpoints",
    request_body = EndpointCreatePayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn create_endpoint(
    Admin(user): Admin,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<EndpointCreatePayload>,
) -> Result<Json<Success>, ApiError> {
    let new = NewEndpoint {
        plugin_unique_identifier: &body.plugin_unique_identifier,
        name: &body.name,
        settings: &body.settings,
    };
    let success = plugins::create_endpoint(&daemon, user.tenant, user.account.id, new).await?;
    Ok(Json(Success { success }))
}

/// The endpoints of the workspace.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/endpoints/list",
    tag = "endpoints",
    params(EndpointListQuery),
    responses((status = 200, body = EndpointList), (status = "4XX", body = ErrorBody)),
)]
async fn list_endpoints(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Query(query): Query<EndpointListQuery>,
) -> Result<Json<EndpointList>, ApiError> {
    let endpoints =
        plugins::list_endpoints(&daemon, user.tenant, None, query.page, query.page_size).await?;
    Ok(Json(EndpointList { endpoints }))
}

/// The endpoints of one plugin.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/endpoints/list/plugin",
    tag = "endpoints",
    params(EndpointListForPluginQuery),
    responses((status = 200, body = EndpointList), (status = "4XX", body = ErrorBody)),
)]
async fn list_plugin_endpoints(
    Console(user): Console,
    Part(daemon): Part<Daemon>,
    Query(query): Query<EndpointListForPluginQuery>,
) -> Result<Json<EndpointList>, ApiError> {
    let plugin = Some(query.plugin_id.as_str());
    let endpoints =
        plugins::list_endpoints(&daemon, user.tenant, plugin, query.page, query.page_size).await?;
    Ok(Json(EndpointList { endpoints }))
}

/// Change an endpoint.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/endpoints/update",
    tag = "endpoints",
    request_body = EndpointUpdatePayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn update_endpoint(
    Admin(user): Admin,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<EndpointUpdatePayload>,
) -> Result<Json<Success>, ApiError> {
    let account = user.account.id;
    let success = plugins::update_endpoint(
        &daemon,
        user.tenant,
        account,
        &body.endpoint_id,
        &body.name,
        &body.settings,
    )
    .await?;
    Ok(Json(Success { success }))
}

/// Delete an endpoint.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/endpoints/delete",
    tag = "endpoints",
    request_body = EndpointIdPayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn delete_endpoint(
    Admin(user): Admin,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<EndpointIdPayload>,
) -> Result<Json<Success>, ApiError> {
    let success = plugins::delete_endpoint(&daemon, user.tenant, &body.endpoint_id).await?;
    Ok(Json(Success { success }))
}

/// Switch an endpoint on.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/endpoints/enable",
    tag = "endpoints",
    request_body = EndpointIdPayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn enable_endpoint(
    Admin(user): Admin,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<EndpointIdPayload>,
) -> Result<Json<Success>, ApiError> {
    let success = plugins::switch_endpoint(&daemon, user.tenant, &body.endpoint_id, true).await?;
    Ok(Json(Success { success }))
}

/// Switch an endpoint off.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/endpoints/disable",
    tag = "endpoints",
    request_body = EndpointIdPayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn disable_endpoint(
    Admin(user): Admin,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<EndpointIdPayload>,
) -> Result<Json<Success>, ApiError> {
    let success = plugins::switch_endpoint(&daemon, user.tenant, &body.endpoint_id, false).await?;
    Ok(Json(Success { success }))
}
