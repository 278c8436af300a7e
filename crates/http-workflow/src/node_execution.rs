//! Executions of nodes: the last of a node of the draft, those of a run.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path};
use serde::Serialize;
use serde_json::{Map, Value};
use services_workflow::node_execution::{self, Execution};
use types::{AppId, NodeExecutionId, WorkflowRunId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, Flows},
    wire::{SimpleAccount, SimpleEndUser, epoch},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_last_node_execution))
        .routes(routes!(list_node_executions))
}

/// An execution of a node.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkflowRunNodeExecution {
    id: NodeExecutionId,
    index: i32,
    predecessor_node_id: Option<String>,
    node_id: String,
    node_type: String,
    title: String,
    #[schema(value_type = Option<Object>)]
    inputs: Value,
    #[schema(value_type = Option<Object>)]
    process_data: Value,
    #[schema(value_type = Option<Object>)]
    outputs: Value,
    status: String,
    error: Option<String>,
    /// Seconds.
    elapsed_time: f64,
    #[schema(value_type = Object)]
    execution_metadata: Value,
    /// `{icon}` of what it called.
    #[schema(value_type = Object)]
    extras: Map<String, Value>,
    /// Unix seconds.
    created_at: i64,
    created_by_role: String,
    created_by_account: Option<SimpleAccount>,
    created_by_end_user: Option<SimpleEndUser>,
    /// Unix seconds.
    finished_at: Option<i64>,
    inputs_truncated: bool,
    outputs_truncated: bool,
    process_data_truncated: bool,
}

/// The JSON of a column; null where it is empty.
pub(crate) fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
}

impl From<Execution> for WorkflowRunNodeExecution {
    fn from(execution: Execution) -> Self {
        let (inputs_truncated, outputs_truncated) =
            (execution.is_cut("inputs"), execution.is_cut("outputs"));
        let process_data_truncated = execution.is_cut("process_data");
        let row = execution.row;
        let metadata = match parsed(row.execution_metadata.as_deref()) {
            Value::Null => Value::Object(Map::new()),
            metadata => metadata,
        };
        Self {
            id: row.id,
            index: row.index,
            predecessor_node_id: row.predecessor_node_id,
            node_id: row.node_id,
            node_type: row.node_type,
            title: row.title,
            inputs: parsed(row.inputs.as_deref()),
            process_data: parsed(row.process_data.as_deref()),
            outputs: parsed(row.outputs.as_deref()),
            status: row.status,
            error: row.error,
            elapsed_time: row.elapsed_time,
            execution_metadata: metadata,
            extras: execution.extras,
            created_at: epoch(row.created_at),
            created_by_role: row.created_by_role,
            created_by_account: execution.created_by_account.map(Into::into),
            created_by_end_user: execution.created_by_end_user.map(Into::into),
            finished_at: row.finished_at.map(epoch),
            inputs_truncated,
            outputs_truncated,
            process_data_truncated,
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunNodeExecutionList {
    data: Vec<WorkflowRunNodeExecution>,
}

/// The last execution of a node of the draft.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/nodes/{node_id}/last-run",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    responses((status = 200, body = WorkflowRunNodeExecution), (status = "4XX", body = ErrorBody)),
)]
async fn find_last_node_execution(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    Path((_app, node)): Path<(AppId, String)>,
) -> Result<Json<WorkflowRunNodeExecution>, ApiError> {
    Ok(Json(node_execution::last_of_node(&state.ctx, &app, &node).await?.into()))
}

/// The executions of a run.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-runs/{run_id}/node-executions",
    tag = "workflow run",
    params(("app_id" = AppId, Path), ("run_id" = WorkflowRunId, Path)),
    responses((status = 200, body = WorkflowRunNodeExecutionList), (status = "4XX", body = ErrorBody)),
)]
async fn list_node_executions(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    Path((_app, run)): Path<(AppId, WorkflowRunId)>,
) -> Result<Json<WorkflowRunNodeExecutionList>, ApiError> {
    let data = node_execution::of_run(&state.ctx, &app, run).await?;
    Ok(Json(WorkflowRunNodeExecutionList { data: data.into_iter().map(Into::into).collect() }))
}
