//! Writing of runs: `workflow_runs`, `workflow_node_executions`, `workflow_app_logs`. Few statements a run, many rows a
//! statement.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

pub mod offloads;

/// Whose rows they are: what every row of a run repeats.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// The workflow version.
    pub workflow: WorkflowId,
    /// `account` or `end_user`.
    pub role: &'static str,
    /// The account or end user.
    pub user: Uuid,
}

/// A run that starts.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The run.
    pub id: WorkflowRunId,
    /// `workflow`, `chat`, `rag-pipeline`.
    pub kind: &'a str,
    /// `debugging`, `app-run`, `webhook`, `schedule`, `plugin` …
    pub triggered_from: &'a str,
    /// The version's text.
    pub version: &'a str,
    /// JSON.
    pub graph: &'a str,
    /// JSON.
    pub inputs: &'a str,
    /// When.
    pub created_at: NaiveDateTime,
}

/// Stores a run as running.
#[tracing::instrument(name = "db.run.insert", skip_all, err)]
#[boxed]
pub async fn insert_run(db: &mut PgConnection, owner: Owner, run: NewRun<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_runs (id, tenant_id, app_id, workflow_id, type, triggered_from, version, graph, inputs, status,
                                   outputs, created_by_role, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', '{}', $10, $11, $12)
        "#,
        run.id as _,
        owner.tenant as _,
        owner.app as _,
        owner.workflow as _,
        run.kind,
        run.triggered_from,
        run.version,
        run.graph,
        run.inputs,
        owner.role,
        owner.user,
        run.created_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How a run ended or paused.
#[derive(Debug, Clone, Copy)]
pub struct RunEnd<'a> {
    /// `succeeded`, `partial-succeeded`, `failed`, `stopped`, `paused`.
    pub status: &'a str,
    /// JSON.
    pub outputs: Option<&'a str>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// Seconds.
    pub elapsed_time: f64,
    /// Tokens of all nodes.
    pub total_tokens: i64,
    /// Executions of nodes.
    pub total_steps: i32,
    /// Failed attempts.
    pub exceptions_count: i32,
    /// `None` while paused.
    pub finished_at: Option<NaiveDateTime>,
}

/// Stores how a run ended. A run that has ended already stays as it is; answers whether this one had not.
#[tracing::instrument(name = "db.run.finish", skip_all, err)]
#[boxed]
pub async fn finish_run(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
    end: RunEnd<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_runs
        SET status = $3, outputs = $4, error = $5, elapsed_time = $6, total_tokens = $7, total_steps = $8,
            exceptions_count = $9, finished_at = $10
        WHERE tenant_id = $1 AND id = $2 AND status IN ('running', 'paused')
        "#,
        tenant as _,
        run as _,
        end.status,
        end.outputs,
        end.error,
        end.elapsed_time,
        end.total_tokens,
        end.total_steps,
        end.exceptions_count,
        end.finished_at,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Marks a paused run as running again.
#[tracing::instrument(name = "db.run.resume", skip_all, err)]
#[boxed]
pub async fn resume_run(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE workflow_runs SET status = 'running' WHERE tenant_id = $1 AND id = $2 AND status = 'paused'",
        tenant as _,
        run as _,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Stops a run that waits; `false` if it does not.
#[tracing::instrument(name = "db.run.stop_paused", skip_all, err)]
#[boxed]
pub async fn stop_paused(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
    error: &str,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_runs
        SET status = 'stopped', error = $3, finished_at = $4,
            elapsed_time = greatest(extract(epoch FROM $4 - created_at), 0)
        WHERE tenant_id = $1 AND id = $2 AND status = 'paused'
        "#,
        tenant as _,
        run as _,
        error,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Ends runs whose process died, and their nodes that still ran.
#[tracing::instrument(name = "db.run.fail_abandoned", skip_all, err)]
#[boxed]
pub async fn fail_abandoned(
    db: &mut PgConnection,
    runs: &[Uuid],
    error: &str,
    now: NaiveDateTime,
) -> Result<u64> {
    sqlx::query!(
        r#"
        UPDATE workflow_node_executions
        SET status = 'failed', error = $2, finished_at = $3
        WHERE workflow_run_id = ANY($1) AND status = 'running'
        "#,
        runs,
        error,
        now,
    )
    .execute(&mut *db)
    .await?;
    let done = sqlx::query!(
        r#"
        UPDATE workflow_runs
        SET status = 'failed', error = $2, finished_at = $3,
            elapsed_time = greatest(extract(epoch FROM $3 - created_at), 0)
        WHERE id = ANY($1) AND status = 'running'
        "#,
        runs,
        error,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Executions of nodes, column by column.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct NodeRows {
    pub id: Vec<Uuid>,
    pub index: Vec<i32>,
    pub node_id: Vec<String>,
    pub node_type: Vec<String>,
    pub title: Vec<String>,
    pub inputs: Vec<Option<String>>,
    pub process_data: Vec<Option<String>>,
    pub outputs: Vec<Option<String>>,
    pub status: Vec<String>,
    pub error: Vec<Option<String>>,
    pub elapsed_time: Vec<f64>,
    pub execution_metadata: Vec<Option<String>>,
    pub created_at: Vec<NaiveDateTime>,
    pub finished_at: Vec<Option<NaiveDateTime>>,
}

/// Stores executions of nodes, or what became of those stored before.
#[tracing::instrument(name = "db.run.upsert_nodes", skip_all, fields(count = rows.id.len()), err)]
#[boxed]
pub async fn upsert_nodes(
    db: &mut PgConnection,
    owner: Owner,
    run: Option<WorkflowRunId>,
    triggered_from: &str,
    rows: &NodeRows,
) -> Result<()> {
    if rows.id.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO workflow_node_executions
            (id, tenant_id, app_id, workflow_id, triggered_from, workflow_run_id, node_execution_id, created_by_role,
             created_by, index, node_id, node_type, title, inputs, process_data, outputs, status, error, elapsed_time,
             execution_metadata, created_at, finished_at)
        SELECT n.id, $1, $2, $3, $4, $5, CASE WHEN $5::uuid IS NULL THEN NULL ELSE n.id::text END, $6, $7, n.index,
               n.node_id, n.node_type, n.title, n.inputs,
               n.process_data, n.outputs, n.status, n.error, n.elapsed_time, n.execution_metadata, n.created_at,
               n.finished_at
        FROM unnest($8::uuid[], $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                    $16::text[], $17::text[], $18::float8[], $19::text[], $20::timestamp[], $21::timestamp[])
            AS n (id, index, node_id, node_type, title, inputs, process_data, outputs, status, error, elapsed_time,
                  execution_metadata, created_at, finished_at)
        ON CONFLICT (id) DO UPDATE
        SET index = EXCLUDED.index, inputs = EXCLUDED.inputs, process_data = EXCLUDED.process_data,
            outputs = EXCLUDED.outputs, status = EXCLUDED.status, error = EXCLUDED.error,
            elapsed_time = EXCLUDED.elapsed_time, execution_metadata = EXCLUDED.execution_metadata,
            finished_at = EXCLUDED.finished_at
        "#,
        owner.tenant as _,
        owner.app as _,
        owner.workflow as _,
        triggered_from,
        run as _,
        owner.role,
        owner.user,
        &rows.id,
        &rows.index,
        &rows.node_id,
        &rows.node_type,
        &rows.title,
        &rows.inputs as _,
        &rows.process_data as _,
        &rows.outputs as _,
        &rows.status,
        &rows.error as _,
        &rows.elapsed_time,
        &rows.execution_metadata as _,
        &rows.created_at,
        &rows.finished_at as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores that a published run started; `from` is `service-api`, `web-app` or `installed-app`.
#[tracing::instrument(name = "db.run.insert_log", skip_all, err)]
#[boxed]
pub async fn insert_log(
    db: &mut PgConnection,
    owner: Owner,
    run: WorkflowRunId,
    from: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_app_logs (id, tenant_id, app_id, workflow_id, workflow_run_id, created_from, created_by_role,
                                       created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        Uuid::new_v4(),
        owner.tenant as _,
        owner.app as _,
        owner.workflow as _,
        run as _,
        from,
        owner.role,
        owner.user,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
