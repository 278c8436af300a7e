//! `workflow_runs`: every run of a workflow.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, ConversationId, MessageId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

pub mod statistic;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRun {
    /// The run.
    pub id: WorkflowRunId,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The version that ran.
    pub workflow_id: WorkflowId,
    /// `workflow`, `chat` or `rag-pipeline`.
    pub r#type: String,
    /// `debugging`, `app-run`, `webhook`, `schedule`, `plugin`, `rag-pipeline-run`, `rag-pipeline-debugging`.
    pub triggered_from: String,
    /// The version's text.
    pub version: String,
    /// The graph that ran, as JSON text.
    pub graph: Option<String>,
    /// JSON text.
    pub inputs: Option<String>,
    /// `running`, `succeeded`, `failed`, `stopped`, `partial-succeeded` or `paused`.
    pub status: String,
    /// JSON text.
    pub outputs: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds.
    pub elapsed_time: f64,
    /// Tokens of all its models.
    pub total_tokens: i64,
    /// Node executions.
    pub total_steps: Option<i32>,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who ran it.
    pub created_by: Uuid,
    /// When it started.
    pub created_at: NaiveDateTime,
    /// When it ended.
    pub finished_at: Option<NaiveDateTime>,
    /// Nodes that failed and were handled.
    pub exceptions_count: Option<i32>,
}

/// The run, if it is the app's.
#[tracing::instrument(name = "db.workflow_run.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: WorkflowRunId,
) -> Result<Option<WorkflowRun>> {
    Ok(sqlx::query_as!(
        WorkflowRun,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, type, triggered_from, version, graph, inputs, status, outputs, error,
               elapsed_time, total_tokens, total_steps, created_by_role, created_by, created_at, finished_at,
               exceptions_count
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The run, if it is the workspace's.
#[tracing::instrument(name = "db.workflow_run.find_of_tenant", skip_all, err)]
#[boxed]
pub async fn find_of_tenant(
    db: &mut PgConnection,
    tenant: TenantId,
    id: WorkflowRunId,
) -> Result<Option<WorkflowRun>> {
    Ok(sqlx::query_as!(
        WorkflowRun,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, type, triggered_from, version, graph, inputs, status, outputs, error,
               elapsed_time, total_tokens, total_steps, created_by_role, created_by, created_at, finished_at,
               exceptions_count
        FROM workflow_runs
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A run in a list: without graph, inputs and outputs, which may be large.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields of WorkflowRun")]
pub struct Listed {
    pub id: WorkflowRunId,
    pub version: String,
    pub status: String,
    pub triggered_from: String,
    pub error: Option<String>,
    pub elapsed_time: f64,
    pub total_tokens: i64,
    pub total_steps: Option<i32>,
    pub created_by_role: String,
    pub created_by: Uuid,
    pub created_at: NaiveDateTime,
    pub finished_at: Option<NaiveDateTime>,
    pub exceptions_count: Option<i32>,
}

/// Which runs a list shows.
#[derive(Debug, Clone)]
pub struct RunFilter<'a> {
    /// See [`WorkflowRun::triggered_from`].
    pub triggered_from: &'a str,
    /// See [`WorkflowRun::status`].
    pub status: Option<&'a str>,
    /// Only runs started before this one.
    pub before: Option<(NaiveDateTime, WorkflowRunId)>,
    /// How many at the most.
    pub limit: i64,
}

/// Runs of an app, newest first.
#[tracing::instrument(name = "db.workflow_run.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    filter: &RunFilter<'_>,
) -> Result<Vec<Listed>> {
    let (time, id) = filter.before.unzip();
    Ok(sqlx::query_as!(
        Listed,
        r#"
        SELECT id, version, status, triggered_from, error, elapsed_time, total_tokens, total_steps, created_by_role,
               created_by, created_at, finished_at, exceptions_count
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3
          AND ($4::text IS NULL OR status = $4)
          AND ($5::timestamp IS NULL OR (created_at, id) < ($5, $6::uuid))
        ORDER BY created_at DESC, id DESC
        LIMIT $7
        "#,
        tenant as _,
        app as _,
        filter.triggered_from,
        filter.status,
        time,
        id.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(db)
    .await?)
}

/// When a run of a list with these filters started: the cursor of its next page.
#[tracing::instrument(name = "db.workflow_run.cursor", skip_all, err)]
#[boxed]
pub async fn cursor(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    filter: &RunFilter<'_>,
    id: WorkflowRunId,
) -> Result<Option<NaiveDateTime>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT created_at
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3 AND ($4::text IS NULL OR status = $4) AND id = $5
        "#,
        tenant as _,
        app as _,
        filter.triggered_from,
        filter.status,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// How many runs have a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCount {
    /// See [`WorkflowRun::status`].
    pub status: String,
    /// Runs.
    pub count: i64,
}

/// Runs of an app by status, started at or after `since`.
#[tracing::instrument(name = "db.workflow_run.count", skip_all, err)]
#[boxed]
pub async fn count(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    triggered_from: &str,
    since: Option<NaiveDateTime>,
) -> Result<Vec<StatusCount>> {
    Ok(sqlx::query_as!(
        StatusCount,
        r#"
        SELECT status, COUNT(*) AS "count!"
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3 AND ($4::timestamp IS NULL OR created_at >= $4)
        GROUP BY status
        "#,
        tenant as _,
        app as _,
        triggered_from,
        since,
    )
    .fetch_all(db)
    .await?)
}

/// The message a chatflow's run answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunMessage {
    /// The run.
    pub run: WorkflowRunId,
    /// Its message.
    pub message: MessageId,
    /// The message's conversation.
    pub conversation: ConversationId,
}

/// The messages of some runs.
#[tracing::instrument(name = "db.workflow_run.messages", skip_all, err)]
#[boxed]
pub async fn messages(db: &mut PgConnection, app: AppId, runs: &[Uuid]) -> Result<Vec<RunMessage>> {
    Ok(sqlx::query_as!(
        RunMessage,
        r#"
        SELECT workflow_run_id AS "run!: WorkflowRunId", id AS message, conversation_id AS conversation
        FROM messages
        WHERE app_id = $1 AND workflow_run_id = ANY($2)
        "#,
        app as _,
        runs,
    )
    .fetch_all(db)
    .await?)
}
