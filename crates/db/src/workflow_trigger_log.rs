//! `workflow_trigger_logs`: runs that triggers asked for, from the queue to their end.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// A triggered run.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerLog {
    /// The line.
    pub id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The version to run.
    pub workflow_id: WorkflowId,
    /// The run, once there is one.
    pub workflow_run_id: Option<WorkflowRunId>,
    /// The trigger node.
    pub root_node_id: Option<String>,
    /// JSON text.
    pub trigger_metadata: String,
    /// `trigger-webhook`, `trigger-schedule` or `trigger-plugin`.
    pub trigger_type: String,
    /// JSON text with everything the run needs.
    pub trigger_data: String,
    /// JSON text.
    pub inputs: String,
    /// JSON text.
    pub outputs: Option<String>,
    /// `pending`, `queued`, `running`, `succeeded`, `failed`, `paused`, `rate_limited` or `retrying`.
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
    /// How often it was tried again.
    pub retry_count: i32,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who it runs for.
    pub created_by: String,
    /// When the line was made.
    pub created_at: NaiveDateTime,
    /// When it was queued.
    pub triggered_at: Option<NaiveDateTime>,
    /// When the run ended.
    pub finished_at: Option<NaiveDateTime>,
}

/// A line that is about to be written; fields as in [`TriggerLog`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of TriggerLog")]
pub struct NewTriggerLog<'a> {
    pub id: Uuid,
    pub tenant: TenantId,
    pub app: AppId,
    pub workflow: WorkflowId,
    pub root_node: &'a str,
    pub trigger_metadata: &'a str,
    pub trigger_type: &'a str,
    pub trigger_data: &'a str,
    pub inputs: &'a str,
    /// `workflow_team`, `workflow_professional` or `workflow_sandbox`.
    pub queue_name: &'a str,
    pub created_by_role: &'a str,
    pub created_by: &'a str,
    pub now: NaiveDateTime,
}

/// Adds a line with status `pending`; `false` if there is one of that id.
#[tracing::instrument(name = "db.workflow_trigger_log.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewTriggerLog<'_>) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO workflow_trigger_logs (id, tenant_id, app_id, workflow_id, root_node_id, trigger_metadata,
            trigger_type, trigger_data, inputs, status, queue_name, retry_count, created_by_role, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', $10, 0, $11, $12, $13)
        ON CONFLICT (id) DO NOTHING
        "#,
        new.id,
        new.tenant as _,
        new.app as _,
        new.workflow as _,
        new.root_node,
        new.trigger_metadata,
        new.trigger_type,
        new.trigger_data,
        new.inputs,
        new.queue_name,
        new.created_by_role,
        new.created_by,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes that the task of a line is in the queue, unless it runs already.
#[tracing::instrument(name = "db.workflow_trigger_log.note_queued", skip_all, err)]
#[boxed]
pub async fn note_queued(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    task: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE workflow_trigger_logs
        SET status = CASE WHEN status = 'pending' THEN 'queued' ELSE status END, celery_task_id = $3, triggered_at = $4
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        task,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The line a task names by id.
#[tracing::instrument(name = "db.workflow_trigger_log.find_for_task", skip_all, err)]
#[boxed]
pub async fn find_for_task(db: &mut PgConnection, id: Uuid) -> Result<Option<TriggerLog>> {
    Ok(sqlx::query_as!(
        TriggerLog,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, workflow_run_id, root_node_id, trigger_metadata, trigger_type,
               trigger_data, inputs, outputs, status, error, retry_count, created_by_role, created_by, created_at,
               triggered_at, finished_at
        FROM workflow_trigger_logs
        WHERE id = $1
        "#,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Takes a waiting line for running; `false` if somebody else has it or it is done.
#[tracing::instrument(name = "db.workflow_trigger_log.claim", skip_all, err)]
#[boxed]
pub async fn claim(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_trigger_logs
        SET status = 'running'
        WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'queued', 'retrying')
        "#,
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What became of a line's run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress<'a> {
    /// See [`TriggerLog::status`].
    pub status: &'a str,
    /// The run; `None` keeps what is noted.
    pub run: Option<WorkflowRunId>,
    /// JSON text.
    pub outputs: Option<&'a str>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// Seconds.
    pub elapsed_time: Option<f64>,
    /// Tokens.
    pub total_tokens: Option<i32>,
    /// When it ended.
    pub finished_at: Option<NaiveDateTime>,
}

/// Notes what became of a line's run.
#[tracing::instrument(name = "db.workflow_trigger_log.note_progress", skip_all, err)]
#[boxed]
pub async fn note_progress(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    progress: Progress<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE workflow_trigger_logs
        SET status = $3, workflow_run_id = COALESCE($4, workflow_run_id), outputs = COALESCE($5, outputs), error = $6,
            elapsed_time = COALESCE($7, elapsed_time), total_tokens = COALESCE($8, total_tokens),
            finished_at = COALESCE($9, finished_at)
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        progress.status,
        progress.run.map(|run| run.0),
        progress.outputs,
        progress.error,
        progress.elapsed_time,
        progress.total_tokens,
        progress.finished_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The line of a run.
#[tracing::instrument(name = "db.workflow_trigger_log.find_of_run", skip_all, err)]
#[boxed]
pub async fn find_of_run(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
) -> Result<Option<TriggerLog>> {
    Ok(sqlx::query_as!(
        TriggerLog,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, workflow_run_id, root_node_id, trigger_metadata, trigger_type,
               trigger_data, inputs, outputs, status, error, retry_count, created_by_role, created_by, created_at,
               triggered_at, finished_at
        FROM workflow_trigger_logs
        WHERE tenant_id = $1 AND workflow_run_id = $2
        LIMIT 1
        "#,
        tenant as _,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The line of a run a task names by id.
#[tracing::instrument(name = "db.workflow_trigger_log.find_of_run_for_task", skip_all, err)]
#[boxed]
pub async fn find_of_run_for_task(
    db: &mut PgConnection,
    run: WorkflowRunId,
) -> Result<Option<TriggerLog>> {
    Ok(sqlx::query_as!(
        TriggerLog,
        r#"
        SELECT id, tenant_id, app_id, workflow_id, workflow_run_id, root_node_id, trigger_metadata, trigger_type,
               trigger_data, inputs, outputs, status, error, retry_count, created_by_role, created_by, created_at,
               triggered_at, finished_at
        FROM workflow_trigger_logs
        WHERE workflow_run_id = $1
        LIMIT 1
        "#,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}
