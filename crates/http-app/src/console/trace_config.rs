//! `/console/api/apps/{app_id}/trace-config`

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query, Valid, extract::NoContent, guard::Console,
};
use serde::{Deserialize, Serialize};
use services_app::{json::Object, trace};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Done;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(
        get_trace_app_config,
        create_trace_app_config,
        update_trace_app_config,
        delete_trace_app_config
    ))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct TraceProviderQuery {
    tracing_provider: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NotConfigured {
    has_not_configured: bool,
}

/// The credentials of a tracing provider, secrets masked.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/trace-config",
    tag = "trace",
    params(("app_id" = AppId, Path), TraceProviderQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_trace_app_config(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
    Query(query): Query<TraceProviderQuery>,
) -> Result<Response, ApiError> {
    let found = trace::credentials(&state.ctx, user.tenant, app, &query.tracing_provider).await?;
    Ok(match found {
        Some(config) => Json(config).into_response(),
        None => Json(NotConfigured { has_not_configured: true }).into_response(),
    })
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TraceConfigPayload {
    tracing_provider: String,
    #[schema(value_type = Object)]
    tracing_config: Object,
}

/// Save the credentials of a tracing provider after trying them.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/trace-config",
    tag = "trace",
    params(("app_id" = AppId, Path)),
    request_body = TraceConfigPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn create_trace_app_config(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
    Valid(body): Valid<TraceConfigPayload>,
) -> Result<Json<Done>, ApiError> {
    let (provider, config) = (&body.tracing_provider, &body.tracing_config);
    trace::create(&state.ctx, user.tenant, app, provider, config).await?;
    Ok(Json(Done::SUCCESS))
}

/// Replace the credentials of a tracing provider after trying them.
#[utoipa::path(
    patch,
    path = "/console/api/apps/{app_id}/trace-config",
    tag = "trace",
    params(("app_id" = AppId, Path)),
    request_body = TraceConfigPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_trace_app_config(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
    Valid(body): Valid<TraceConfigPayload>,
) -> Result<Json<Done>, ApiError> {
    let (provider, config) = (&body.tracing_provider, &body.tracing_config);
    trace::update(&state.ctx, user.tenant, app, provider, config).await?;
    Ok(Json(Done::SUCCESS))
}

/// Forget the credentials of a tracing provider.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/trace-config",
    tag = "trace",
    params(("app_id" = AppId, Path), TraceProviderQuery),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_trace_app_config(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
    Query(query): Query<TraceProviderQuery>,
) -> Result<NoContent, ApiError> {
    trace::delete(&state.ctx, user.tenant, app, &query.tracing_provider).await?;
    Ok(NoContent)
}
