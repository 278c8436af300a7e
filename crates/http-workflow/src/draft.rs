//! `/console/api/apps/{app_id}/workflows/draft`, and the defaults of new nodes.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query, extract, guard::Editor, validation,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_workflow::{
    default_block,
    draft::{self, Save},
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, Flows},
    version::Workflow,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_draft_workflow, save_draft_workflow))
        .routes(routes!(list_default_block_configs))
        .routes(routes!(find_default_block_config))
}

/// The draft of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Workflow), (status = "4XX", body = ErrorBody)),
)]
async fn find_draft_workflow(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    _: Editor,
) -> Result<Json<Workflow>, ApiError> {
    Ok(Json(draft::find(&state.ctx, &app).await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SyncDraftWorkflowPayload {
    /// `{nodes, edges, viewport}`.
    graph: Map<String, Value>,
    features: Map<String, Value>,
    /// The hash of the draft this one was made from.
    hash: Option<String>,
    #[serde(default)]
    environment_variables: Vec<Map<String, Value>>,
    #[serde(default)]
    conversation_variables: Vec<Map<String, Value>>,
}

/// The body of a save: JSON that may call itself plain text, which is what a browser's beacon sends.
struct Beacon(SyncDraftWorkflowPayload);

impl FromRequest<AppState> for Beacon {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.contains("application/json") && !kind.contains("text/plain") {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The server does not support the media type transmitted in the request.",
            ));
        }
        let bytes: Bytes = extract::body(request, state).await?;
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body @ Value::Object(_)) => validation::read(body).map(Self),
            _ => Err(ApiError::bare(StatusCode::BAD_REQUEST, "Invalid JSON data")),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SavedDraft {
    result: &'static str,
    /// To be sent with the next save.
    hash: String,
    /// Unix seconds.
    updated_at: i64,
}

/// Save the draft of an app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    request_body = SyncDraftWorkflowPayload,
    responses((status = 200, body = SavedDraft), (status = "4XX", body = ErrorBody)),
)]
async fn save_draft_workflow(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Beacon(body): Beacon,
) -> Result<Json<SavedDraft>, ApiError> {
    let cmd = Save {
        graph: Value::Object(body.graph),
        features: body.features,
        hash: body.hash,
        environment_variables: body.environment_variables,
        conversation_variables: body.conversation_variables,
        by: user.account.id,
    };
    let saved = draft::save(&state.ctx, &app, cmd).await?;
    Ok(Json(SavedDraft { result: "success", hash: saved.hash, updated_at: saved.updated_at }))
}

/// What the editor fills new nodes with, for every type that has something.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/default-workflow-block-configs",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn list_default_block_configs(
    State(state): State<AppState>,
    _: AppOf<Flows>,
    _: Editor,
) -> Json<Vec<Value>> {
    Json(default_block::all(&state.ctx))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct DefaultBlockConfigQuery {
    /// JSON: `{"code_language": …}`.
    q: Option<String>,
}

/// What the editor fills a new node of a type with.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/default-workflow-block-configs/{block_type}",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("block_type" = String, Path), DefaultBlockConfigQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_default_block_config(
    State(state): State<AppState>,
    _: AppOf<Flows>,
    _: Editor,
    Path((_app, block_type)): Path<(AppId, String)>,
    Query(query): Query<DefaultBlockConfigQuery>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(default_block::find(&state.ctx, &block_type, query.q.as_deref())?))
}
