//! Waiting for triggers of the draft, and running it when one fires.

use axum::{
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use services_account::{App, session::SignedIn};
use services_workflow::{
    node_execution::Execution,
    run::{RunRequest, Runs, part::PartRequest, select},
    trigger::{debug, plugin::Events},
};
use types::{AppId, NodeExecutionId, TenantId, WorkflowId, WorkflowRunId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, Workflows},
    run::{BlockingRun, Call, answer, runner},
};

/// When to ask again, in milliseconds.
const RETRY_IN: u32 = 2000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_draft_at_trigger))
        .routes(routes!(run_draft_at_any_trigger))
        .routes(routes!(run_draft_trigger_node))
}

/// Nothing happened yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Waiting {
    status: &'static str,
    /// Milliseconds.
    retry_in: u32,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DraftWorkflowTriggerRunPayload {
    node_id: String,
}

/// Run the draft if its trigger fired; ask again if not.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/trigger/run",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    request_body = DraftWorkflowTriggerRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_at_trigger(
    runs: Part<Runs>,
    events: Part<Events>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    _: Editor,
    Valid(body): Valid<DraftWorkflowTriggerRunPayload>,
) -> Result<Response, ApiError> {
    run_when_fired(&runs, &events, app, &user, &[body.node_id]).await
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DraftWorkflowTriggerRunAllPayload {
    node_ids: Vec<String>,
}

/// Run the draft from the first of its triggers that fired; ask again if none did.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/trigger/run-all",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    request_body = DraftWorkflowTriggerRunAllPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_at_any_trigger(
    runs: Part<Runs>,
    events: Part<Events>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    _: Editor,
    Valid(body): Valid<DraftWorkflowTriggerRunAllPayload>,
) -> Result<Response, ApiError> {
    run_when_fired(&runs, &events, app, &user, &body.node_ids).await
}

/// An execution as its row stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StoredNodeExecution {
    id: NodeExecutionId,
    tenant_id: TenantId,
    app_id: AppId,
    workflow_id: WorkflowId,
    triggered_from: String,
    workflow_run_id: Option<WorkflowRunId>,
    index: i32,
    predecessor_node_id: Option<String>,
    node_execution_id: Option<String>,
    node_id: String,
    node_type: String,
    title: String,
    /// JSON.
    inputs: Option<String>,
    /// JSON.
    process_data: Option<String>,
    /// JSON.
    outputs: Option<String>,
    status: String,
    error: Option<String>,
    /// Seconds.
    elapsed_time: f64,
    /// JSON.
    execution_metadata: Option<String>,
    created_at: String,
    created_by_role: String,
    created_by: uuid::Uuid,
    finished_at: Option<String>,
    /// What was too large for the row; it is not shown here.
    #[schema(value_type = Vec<Object>)]
    offload_data: [(); 0],
}

impl From<Execution> for StoredNodeExecution {
    fn from(Execution { row, .. }: Execution) -> Self {
        let iso = |time: chrono::NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            app_id: row.app_id,
            workflow_id: row.workflow_id,
            triggered_from: row.triggered_from,
            workflow_run_id: row.workflow_run_id,
            index: row.index,
            predecessor_node_id: row.predecessor_node_id,
            node_execution_id: row.node_execution_id,
            node_id: row.node_id,
            node_type: row.node_type,
            title: row.title,
            inputs: row.inputs,
            process_data: row.process_data,
            outputs: row.outputs,
            status: row.status,
            error: row.error,
            elapsed_time: row.elapsed_time,
            execution_metadata: row.execution_metadata,
            created_at: iso(row.created_at),
            created_by_role: row.created_by_role,
            created_by: row.created_by,
            finished_at: row.finished_at.map(iso),
            offload_data: [],
        }
    }
}

/// Run only a trigger of the draft, if it fired; ask again if not.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/nodes/{node_id}/trigger/run",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    responses((status = 200, body = StoredNodeExecution), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_trigger_node(
    runs: Part<Runs>,
    events: Part<Events>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
) -> Result<Response, ApiError> {
    let Some(event) = debug::poll_single(&events, &app, user.account.id, &node).await? else {
        return Ok(Json(Waiting { status: "waiting", retry_in: RETRY_IN }).into_response());
    };
    let workflow = select::draft(&runs.ctx, &app).await?;
    let part = PartRequest { app, workflow, runner: runner(&user), node, inputs: event.inputs };
    let done = runs.step(&part, "", &[]).await?;
    Ok(Json(StoredNodeExecution::from(done)).into_response())
}

async fn run_when_fired(
    runs: &Runs,
    events: &Events,
    app: App,
    user: &SignedIn,
    nodes: &[String],
) -> Result<Response, ApiError> {
    let Some(event) = debug::poll(events, &app, user.account.id, nodes).await? else {
        return Ok(Json(Waiting { status: "waiting", retry_in: RETRY_IN }).into_response());
    };
    let workflow = select::draft(&runs.ctx, &app).await?;
    let request = RunRequest {
        app,
        workflow,
        runner: runner(user),
        invoke_from: InvokeFrom::Debugger,
        triggered_from: "debugging",
        inputs: event.inputs,
        files: Vec::new(),
        root: Some(event.node_id),
        run_id: None,
        call_depth: 0,
    };
    // Asked again and again until it fires: there is nothing to repeat.
    answer(runs, Call::streaming(&HeaderMap::new()), request).await
}
