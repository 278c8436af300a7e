//! `/console/api/apps/{app_id}/workflow-runs`, `/console/api/workflow/{run_id}/pause-details`,
//! `/v1/workflows/run/{run_id}`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query,
    guard::{Console, KeyedApp},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_workflow::{
    history::{self, Asked, Detail, Entry},
    log,
};
use types::{AppId, ConversationId, MessageId, WorkflowId, WorkflowRunId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{Any, AppOf, Chatflows, Flows, Modes},
    node_execution::parsed,
    wire::{self, SimpleAccount, SimpleEndUser, epoch},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_workflow_runs))
        .routes(routes!(list_chatflow_runs))
        .routes(routes!(count_workflow_runs))
        .routes(routes!(count_chatflow_runs))
        .routes(routes!(find_workflow_run))
        .routes(routes!(export_workflow_run))
        .routes(routes!(find_pause_details))
        .routes(routes!(find_service_workflow_run))
}

/// A status runs are asked for by.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RunStatus {
    Running,
    Succeeded,
    Failed,
    Stopped,
    PartialSucceeded,
}

impl RunStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::PartialSucceeded => "partial-succeeded",
        }
    }
}

/// What runs come from.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TriggeredFrom {
    Debugging,
    AppRun,
}

fn from(asked: Option<TriggeredFrom>) -> &'static str {
    match asked {
        None | Some(TriggeredFrom::Debugging) => "debugging",
        Some(TriggeredFrom::AppRun) => "app-run",
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowRunListQuery {
    /// Those before this run.
    last_id: Option<WorkflowRunId>,
    #[serde(default = "wire::twenty")]
    #[garde(range(min = 1, max = 100))]
    limit: i64,
    #[param(inline)]
    status: Option<RunStatus>,
    #[param(inline)]
    triggered_from: Option<TriggeredFrom>,
}

impl WorkflowRunListQuery {
    fn asked(&self) -> Asked<'static> {
        Asked {
            triggered_from: from(self.triggered_from),
            status: self.status.map(RunStatus::as_str),
            last: self.last_id,
            limit: self.limit,
        }
    }
}

/// A run in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunForList {
    id: WorkflowRunId,
    version: String,
    status: String,
    /// Seconds.
    elapsed_time: f64,
    total_tokens: i64,
    total_steps: i32,
    created_by_account: Option<SimpleAccount>,
    /// Unix seconds.
    created_at: i64,
    /// Unix seconds.
    finished_at: Option<i64>,
    exceptions_count: i32,
    /// Always null; runs are not retried.
    #[schema(value_type = Option<i64>)]
    retry_index: (),
}

impl From<Entry> for WorkflowRunForList {
    fn from(entry: Entry) -> Self {
        let row = entry.row;
        Self {
            id: row.id,
            version: row.version,
            status: row.status,
            elapsed_time: row.elapsed_time,
            total_tokens: row.total_tokens,
            total_steps: row.total_steps.unwrap_or_default(),
            created_by_account: entry.created_by.map(Into::into),
            created_at: epoch(row.created_at),
            finished_at: row.finished_at.map(epoch),
            exceptions_count: row.exceptions_count.unwrap_or_default(),
            retry_index: (),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunPagination {
    limit: i64,
    has_more: bool,
    data: Vec<WorkflowRunForList>,
}

/// The runs of an app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-runs",
    tag = "workflow run",
    params(("app_id" = AppId, Path), WorkflowRunListQuery),
    responses((status = 200, body = WorkflowRunPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_workflow_runs(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    Query(query): Query<WorkflowRunListQuery>,
) -> Result<Json<WorkflowRunPagination>, ApiError> {
    let page = history::list(&state.ctx, &app, query.asked()).await?;
    Ok(Json(WorkflowRunPagination {
        limit: query.limit,
        has_more: page.has_more,
        data: page.data.into_iter().map(Into::into).collect(),
    }))
}

/// A run of a chatflow in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ChatflowRunForList {
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    #[serde(flatten)]
    run: WorkflowRunForList,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ChatflowRunPagination {
    limit: i64,
    has_more: bool,
    data: Vec<ChatflowRunForList>,
}

/// The runs of a chatflow, with the messages they answered.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/advanced-chat/workflow-runs",
    tag = "workflow run",
    params(("app_id" = AppId, Path), WorkflowRunListQuery),
    responses((status = 200, body = ChatflowRunPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_chatflow_runs(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Chatflows>,
    Query(query): Query<WorkflowRunListQuery>,
) -> Result<Json<ChatflowRunPagination>, ApiError> {
    let page = history::list(&state.ctx, &app, query.asked()).await?;
    let entry = |entry: Entry| ChatflowRunForList {
        conversation_id: entry.message.map(|message| message.conversation),
        message_id: entry.message.map(|message| message.message),
        run: entry.into(),
    };
    Ok(Json(ChatflowRunPagination {
        limit: query.limit,
        has_more: page.has_more,
        data: page.data.into_iter().map(entry).collect(),
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowRunCountQuery {
    #[param(inline)]
    status: Option<RunStatus>,
    /// `7d`, `4h`, `30m`, `30s`.
    #[garde(inner(custom(is_duration)))]
    time_range: Option<String>,
    #[param(inline)]
    triggered_from: Option<TriggeredFrom>,
}

fn is_duration(text: &str, (): &()) -> garde::Result {
    match history::duration(text) {
        Some(_) => Ok(()),
        None => Err(garde::Error::new(
            "Value error, Invalid time duration format. Use: <number>d (days), <number>h (hours), <number>m (minutes), \
             or <number>s (seconds)",
        )),
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunCount {
    total: i64,
    running: i64,
    succeeded: i64,
    failed: i64,
    stopped: i64,
    partial_succeeded: i64,
}

async fn count<M: Modes>(
    state: &AppState,
    AppOf { app, .. }: AppOf<M>,
    query: &WorkflowRunCountQuery,
) -> Result<Json<WorkflowRunCount>, ApiError> {
    let status = query.status.map(RunStatus::as_str);
    let span = query.time_range.as_deref();
    let counts = history::count(&state.ctx, &app, from(query.triggered_from), status, span).await?;
    Ok(Json(WorkflowRunCount {
        total: counts.total,
        running: counts.running,
        succeeded: counts.succeeded,
        failed: counts.failed,
        stopped: counts.stopped,
        partial_succeeded: counts.partial_succeeded,
    }))
}

/// How many runs an app has, by status.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-runs/count",
    tag = "workflow run",
    params(("app_id" = AppId, Path), WorkflowRunCountQuery),
    responses((status = 200, body = WorkflowRunCount), (status = "4XX", body = ErrorBody)),
)]
async fn count_workflow_runs(
    State(state): State<AppState>,
    app: AppOf<Flows>,
    Query(query): Query<WorkflowRunCountQuery>,
) -> Result<Json<WorkflowRunCount>, ApiError> {
    count(&state, app, &query).await
}

/// How many runs a chatflow has, by status.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/advanced-chat/workflow-runs/count",
    tag = "workflow run",
    params(("app_id" = AppId, Path), WorkflowRunCountQuery),
    responses((status = 200, body = WorkflowRunCount), (status = "4XX", body = ErrorBody)),
)]
async fn count_chatflow_runs(
    State(state): State<AppState>,
    app: AppOf<Chatflows>,
    Query(query): Query<WorkflowRunCountQuery>,
) -> Result<Json<WorkflowRunCount>, ApiError> {
    count(&state, app, &query).await
}

/// A run; every member is null for one the app does not have.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct WorkflowRunDetail {
    id: Option<WorkflowRunId>,
    version: Option<String>,
    #[schema(value_type = Option<Object>)]
    graph: Value,
    #[schema(value_type = Option<Object>)]
    inputs: Value,
    status: Option<String>,
    #[schema(value_type = Option<Object>)]
    outputs: Value,
    error: Option<String>,
    /// Seconds.
    elapsed_time: Option<f64>,
    total_tokens: Option<i64>,
    total_steps: Option<i32>,
    created_by_role: Option<String>,
    created_by_account: Option<SimpleAccount>,
    created_by_end_user: Option<SimpleEndUser>,
    /// Unix seconds.
    created_at: Option<i64>,
    /// Unix seconds.
    finished_at: Option<i64>,
    exceptions_count: Option<i32>,
}

/// The JSON of a column; `{}` where it is empty.
fn object(text: Option<&str>) -> Value {
    match parsed(text) {
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value,
    }
}

impl From<Detail> for WorkflowRunDetail {
    fn from(detail: Detail) -> Self {
        let row = detail.row;
        Self {
            id: Some(row.id),
            version: Some(row.version),
            graph: object(row.graph.as_deref()),
            inputs: object(row.inputs.as_deref()),
            status: Some(row.status),
            outputs: object(row.outputs.as_deref()),
            error: row.error,
            elapsed_time: Some(row.elapsed_time),
            total_tokens: Some(row.total_tokens),
            total_steps: row.total_steps,
            created_by_role: Some(row.created_by_role),
            created_by_account: detail.created_by_account.map(Into::into),
            created_by_end_user: detail.created_by_end_user.map(Into::into),
            created_at: Some(epoch(row.created_at)),
            finished_at: row.finished_at.map(epoch),
            exceptions_count: row.exceptions_count,
        }
    }
}

/// A run.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-runs/{run_id}",
    tag = "workflow run",
    params(("app_id" = AppId, Path), ("run_id" = WorkflowRunId, Path)),
    responses((status = 200, body = WorkflowRunDetail), (status = "4XX", body = ErrorBody)),
)]
async fn find_workflow_run(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    Path((_app, run)): Path<(AppId, WorkflowRunId)>,
) -> Result<Json<WorkflowRunDetail>, ApiError> {
    let found = history::find(&state.ctx, &app, run).await?;
    Ok(Json(found.map_or_else(WorkflowRunDetail::default, Into::into)))
}

/// Where an archived run can be had: nowhere in this edition, so the answer says what is missing.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-runs/{run_id}/export",
    tag = "workflow run",
    params(("app_id" = AppId, Path), ("run_id" = WorkflowRunId, Path)),
    responses((status = "4XX", body = ErrorBody)),
)]
async fn export_workflow_run(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Any>,
    Path((_app, run)): Path<(AppId, WorkflowRunId)>,
) -> ApiError {
    match log::export(&state.ctx, &app, run).await {
        Err(err) => err.into(),
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PauseDetails {
    /// ISO 8601.
    paused_at: Option<String>,
    paused_nodes: Vec<PausedNode>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PausedNode {
    node_id: String,
    node_title: String,
    pause_type: PauseType,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PauseType {
    /// `human_input`.
    r#type: &'static str,
    form_id: String,
    backstage_input_url: Option<String>,
}

/// Why a run waits.
#[utoipa::path(
    get,
    path = "/console/api/workflow/{workflow_run_id}/pause-details",
    tag = "workflow run",
    params(("workflow_run_id" = String, Path)),
    responses((status = 200, body = PauseDetails), (status = "4XX", body = ErrorBody)),
)]
async fn find_pause_details(
    State(state): State<AppState>,
    Console(user): Console,
    Path(run): Path<String>,
) -> Result<Json<PauseDetails>, ApiError> {
    let waiting = history::waiting(&state.ctx, user.tenant, &run).await?;
    let node = |node: history::WaitingNode| PausedNode {
        node_id: node.node_id,
        node_title: node.title,
        pause_type: PauseType {
            r#type: "human_input",
            form_id: node.form_id,
            backstage_input_url: node.url,
        },
    };
    Ok(Json(PauseDetails {
        paused_at: waiting.paused_at.map(|time| wire::iso(time) + "Z"),
        paused_nodes: waiting.nodes.into_iter().map(node).collect(),
    }))
}

/// A run as the service API shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ServiceWorkflowRun {
    id: WorkflowRunId,
    workflow_id: WorkflowId,
    status: String,
    /// JSON text.
    inputs: Option<String>,
    /// Empty while the run waits.
    #[schema(value_type = Object)]
    outputs: Value,
    error: Option<String>,
    total_steps: Option<i32>,
    total_tokens: i64,
    /// Unix seconds.
    created_at: i64,
    /// Unix seconds.
    finished_at: Option<i64>,
    /// Seconds.
    elapsed_time: f64,
}

/// A run of the app.
#[utoipa::path(
    get,
    path = "/v1/workflows/run/{workflow_run_id}",
    tag = "workflow",
    params(("workflow_run_id" = String, Path)),
    responses((status = 200, body = ServiceWorkflowRun), (status = "4XX", body = ErrorBody)),
)]
async fn find_service_workflow_run(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Path(run): Path<String>,
) -> Result<Json<ServiceWorkflowRun>, ApiError> {
    let row = history::find_for_service(&state.ctx, &app, &run).await?;
    let outputs = if row.status == "paused" { None } else { row.outputs.as_deref() };
    Ok(Json(ServiceWorkflowRun {
        outputs: object(outputs),
        id: row.id,
        workflow_id: row.workflow_id,
        status: row.status,
        inputs: row.inputs,
        error: row.error,
        total_steps: row.total_steps,
        total_tokens: row.total_tokens,
        created_at: epoch(row.created_at),
        finished_at: row.finished_at.map(epoch),
        elapsed_time: row.elapsed_time,
    }))
}
