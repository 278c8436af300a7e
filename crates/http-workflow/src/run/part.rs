//! Runs of parts of the draft: one node, an iteration or a loop with what is inside.

use app_engine::wire::error_members;
use axum::response::Response;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid,
    guard::Editor,
    sse::{self, Frame},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use services_workflow::run::{RunFailure, Runs, part::PartRequest, select};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{console::runner, stream};
use crate::{
    guard::{AppOf, Chatflows, Flows, Modes, Workflows},
    node_execution::WorkflowRunNodeExecution,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_draft_workflow_node))
        .routes(routes!(run_draft_iteration_node))
        .routes(routes!(run_draft_loop_node))
        .routes(routes!(run_chatflow_draft_iteration_node))
        .routes(routes!(run_chatflow_draft_loop_node))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DraftWorkflowNodeRunPayload {
    /// Values of variables the node reads.
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// The question, for start nodes of chatflows.
    #[serde(default)]
    query: Option<String>,
    /// Files beside the question, for start nodes.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    files: Option<Vec<Value>>,
}

/// Run one node of the draft.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/nodes/{node_id}/run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = DraftWorkflowNodeRunPayload,
    responses((status = 200, body = WorkflowRunNodeExecution), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_workflow_node(
    runs: Part<Runs>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<DraftWorkflowNodeRunPayload>,
) -> Result<Json<WorkflowRunNodeExecution>, ApiError> {
    let workflow = select::draft(&runs.ctx, &app).await?;
    let part = PartRequest { app, workflow, runner: runner(&user), node, inputs: body.inputs };
    let query = body.query.unwrap_or_default();
    let done = runs.step(&part, &query, &body.files.unwrap_or_default()).await?;
    Ok(Json(done.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ContainerNodeRunPayload {
    /// Values of variables that the node and those inside it read.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    inputs: Option<Map<String, Value>>,
}

async fn run_container<M: Modes>(
    runs: &Runs,
    AppOf { app, user, .. }: AppOf<M>,
    node: String,
    body: ContainerNodeRunPayload,
) -> Result<Response, ApiError> {
    let workflow = select::draft(&runs.ctx, &app).await?;
    let inputs = body.inputs.ok_or_else(|| RunFailure::Invalid("inputs is required".to_owned()))?;
    let is_chat = app.mode == "advanced-chat";
    let part = PartRequest { app, workflow, runner: runner(&user), node, inputs };
    let started = if is_chat {
        runs.start_chat_container(part).await
    } else {
        runs.start_container(part).await
    };
    match started {
        Ok(started) => Ok(stream::of_editor(runs, &started)),
        // What the part lacks is told in the stream, as in the reference.
        Err(RunFailure::Invalid(message)) => Ok(refused(message)),
        Err(err) => Err(err.into()),
    }
}

/// A stream that only says why there is no run.
fn refused(message: String) -> Response {
    let error = app_engine::RunError::invalid_param(message);
    let mut frame = Map::new();
    frame.insert("event".to_owned(), Value::from("error"));
    frame.insert("workflow_run_id".to_owned(), Value::Null);
    frame.extend(error_members(&error));
    sse::response(futures::stream::iter([Frame::data(&frame)]))
}

/// Run an iteration of the draft.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/iteration/nodes/{node_id}/run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = ContainerNodeRunPayload,
    responses((status = 200, description = "Events", body = String), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_iteration_node(
    runs: Part<Runs>,
    app: AppOf<Workflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<ContainerNodeRunPayload>,
) -> Result<Response, ApiError> {
    run_container(&runs, app, node, body).await
}

/// Run a loop of the draft.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/loop/nodes/{node_id}/run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = ContainerNodeRunPayload,
    responses((status = 200, description = "Events", body = String), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_loop_node(
    runs: Part<Runs>,
    app: AppOf<Workflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<ContainerNodeRunPayload>,
) -> Result<Response, ApiError> {
    run_container(&runs, app, node, body).await
}

/// Run an iteration of a chatflow's draft.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/advanced-chat/workflows/draft/iteration/nodes/{node_id}/run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = ContainerNodeRunPayload,
    responses((status = 200, description = "Events", body = String), (status = "4XX", body = ErrorBody)),
)]
async fn run_chatflow_draft_iteration_node(
    runs: Part<Runs>,
    app: AppOf<Chatflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<ContainerNodeRunPayload>,
) -> Result<Response, ApiError> {
    run_container(&runs, app, node, body).await
}

/// Run a loop of a chatflow's draft.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/advanced-chat/workflows/draft/loop/nodes/{node_id}/run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = ContainerNodeRunPayload,
    responses((status = 200, description = "Events", body = String), (status = "4XX", body = ErrorBody)),
)]
async fn run_chatflow_draft_loop_node(
    runs: Part<Runs>,
    app: AppOf<Chatflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<ContainerNodeRunPayload>,
) -> Result<Response, ApiError> {
    run_container(&runs, app, node, body).await
}
