//! `/console/api/apps/{app_id}/model-config`

use axum::extract::{FromRequest, Request, State};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, extract};
use serde_json::Value;
use services_app::{AppMode, Ports, app, model_config};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{guard::EditorApp, wire::Done};

const MODES: [AppMode; 3] = [AppMode::AgentChat, AppMode::Chat, AppMode::Completion];

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(update_app_model_config))
}

/// A configuration as it came: which blocks it must have is the service's business.
struct Config(services_app::json::Object);

impl FromRequest<AppState> for Config {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        match extract::json_body(request, state).await? {
            Value::Object(config) => Ok(Self(config)),
            _ => Err(ApiError::invalid_param("model is required")),
        }
    }
}

/// Put another configuration of a basic app in force.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/model-config",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = Object,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_model_config(
    State(state): State<AppState>,
    ports: Part<Ports>,
    EditorApp { user, app }: EditorApp,
    Config(config): Config,
) -> Result<Json<Done>, ApiError> {
    let mode = app::require(&app, &MODES)?;
    model_config::save(&state.ctx, &ports, &app, mode, &user.account, config).await?;
    Ok(Json(Done::SUCCESS))
}
