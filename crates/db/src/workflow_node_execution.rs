//! `workflow_node_executions` and where their large data went (`workflow_node_execution_offload`).

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, NodeExecutionId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// One execution of a node, in a run or alone.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeExecution {
    /// The execution.
    pub id: NodeExecutionId,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The version.
    pub workflow_id: WorkflowId,
    /// `workflow-run`, `single-step` or `rag-pipeline-run`.
    pub triggered_from: String,
    /// The run; `None` for a single step.
    pub workflow_run_id: Option<WorkflowRunId>,
    /// Its place in the run, from 1.
    pub index: i32,
    /// The node before it.
    pub predecessor_node_id: Option<String>,
    /// The node.
    pub node_id: String,
    /// What kind of node.
    pub node_type: String,
    /// Its title.
    pub title: String,
    /// JSON text; cut if it is large.
    pub inputs: Option<String>,
    /// JSON text; cut if it is large.
    pub process_data: Option<String>,
    /// JSON text; cut if it is large.
    pub outputs: Option<String>,
    /// `pending`, `running`, `succeeded`, `failed`, `exception`, `retry`, `stopped` or `paused`.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds.
    pub elapsed_time: f64,
    /// JSON text.
    pub execution_metadata: Option<String>,
    /// When it started.
    pub created_at: NaiveDateTime,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who ran it.
    pub created_by: Uuid,
    /// When it ended.
    pub finished_at: Option<NaiveDateTime>,
    /// The engine's id of the execution.
    pub node_execution_id: Option<String>,
}

/// Where the whole of a cut column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offload {
    /// The execution.
    pub execution: NodeExecutionId,
    /// `inputs`, `process_data` or `outputs`.
    pub r#type: String,
    /// The object with the whole JSON; `None` if its file is gone.
    pub key: Option<String>,
}

/// The executions of a run in the order they started.
#[tracing::instrument(name = "db.workflow_node_execution.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    run: WorkflowRunId,
) -> Result<Vec<NodeExecution>> {
    Ok(sqlx::query_as!(
        NodeExecution,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, triggered_from, workflow_run_id, index, predecessor_node_id, node_id,
               node_type, title, inputs, process_data, outputs, status, error, elapsed_time, execution_metadata,
               created_at, created_by_role, created_by, finished_at, node_execution_id
        FROM workflow_node_executions
        WHERE tenant_id = $1 AND app_id = $2 AND workflow_run_id = $3
        ORDER BY created_at, index
        "#,
        tenant as _,
        app as _,
        run as _,
    )
    .fetch_all(db)
    .await?)
}

/// The execution, if it is the app's.
#[tracing::instrument(name = "db.workflow_node_execution.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: NodeExecutionId,
) -> Result<Option<NodeExecution>> {
    Ok(sqlx::query_as!(
        NodeExecution,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, triggered_from, workflow_run_id, index, predecessor_node_id, node_id,
               node_type, title, inputs, process_data, outputs, status, error, elapsed_time, execution_metadata,
               created_at, created_by_role, created_by, finished_at, node_execution_id
        FROM workflow_node_executions
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The newest execution of a node of a version; one that waits for somebody does not count.
#[tracing::instrument(name = "db.workflow_node_execution.find_last", skip_all, err)]
#[boxed]
pub async fn find_last(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    workflow: WorkflowId,
    node: &str,
) -> Result<Option<NodeExecution>> {
    Ok(sqlx::query_as!(
        NodeExecution,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, triggered_from, workflow_run_id, index, predecessor_node_id, node_id,
               node_type, title, inputs, process_data, outputs, status, error, elapsed_time, execution_metadata,
               created_at, created_by_role, created_by, finished_at, node_execution_id
        FROM workflow_node_executions
        WHERE tenant_id = $1 AND app_id = $2 AND workflow_id = $3 AND node_id = $4 AND status <> 'paused'
        ORDER BY created_at DESC
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        workflow as _,
        node,
    )
    .fetch_optional(db)
    .await?)
}

/// What was cut of some executions.
#[tracing::instrument(name = "db.workflow_node_execution.offloads", skip_all, err)]
#[boxed]
pub async fn offloads(
    db: &mut PgConnection,
    tenant: TenantId,
    executions: &[Uuid],
) -> Result<Vec<Offload>> {
    Ok(sqlx::query_as!(
        Offload,
        r#"
        SELECT o.node_execution_id AS "execution!: NodeExecutionId", o.type AS "type!", f.key AS "key?"
        FROM workflow_node_execution_offload o
        LEFT JOIN upload_files f ON f.id = o.file_id AND f.tenant_id = o.tenant_id
        WHERE o.tenant_id = $1 AND o.node_execution_id = ANY($2)
        "#,
        tenant as _,
        executions,
    )
    .fetch_all(db)
    .await?)
}
