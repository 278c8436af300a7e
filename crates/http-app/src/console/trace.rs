//! `/console/api/apps/{app_id}/trace`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Valid,
    guard::{Console, Editor},
    validation::lax,
};
use serde::Deserialize;
use serde_json::Value;
use services_app::trace;
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Done;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_app_trace, update_app_trace))
}

/// Which tracing provider an app uses, and whether it is on.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/trace",
    tag = "trace",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_trace(
    State(state): State<AppState>,
    Console(user): Console,
    Path(app): Path<AppId>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(trace::setting(&state.ctx, user.tenant, app).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppTracePayload {
    #[serde(deserialize_with = "lax::flag")]
    enabled: bool,
    tracing_provider: Option<String>,
}

/// Switch tracing on or off.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/trace",
    tag = "trace",
    params(("app_id" = AppId, Path)),
    request_body = AppTracePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_trace(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    Valid(body): Valid<AppTracePayload>,
) -> Result<Json<Done>, ApiError> {
    // Pydantic's check of the provider only looks at one that was sent.
    if body.enabled && body.tracing_provider.as_deref() == Some("") {
        return Err(ApiError::invalid_param(
            "1 validation error for AppTracePayload\ntracing_provider\n  Value error, tracing_provider is required \
             when enabled is True [type=value_error, input_type=str]",
        ));
    }
    let provider = body.tracing_provider.as_deref();
    trace::set(&state.ctx, user.tenant, app, body.enabled, provider).await?;
    Ok(Json(Done::SUCCESS))
}
