//! Runs that begin and end at the same time, in one statement each: under load one commit serves many.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::WorkflowRunId;
use uuid::Uuid;

use crate::{
    Result,
    run_record::{NodeRows, Owner},
};

/// A run that begins.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The run.
    pub id: WorkflowRunId,
    /// Whose it is.
    pub owner: Owner,
    /// `workflow`, `chat`, `rag-pipeline`.
    pub kind: String,
    /// `debugging`, `app-run`, `webhook`, `schedule`, `plugin` …
    pub triggered_from: &'static str,
    /// The version's text.
    pub version: String,
    /// JSON.
    pub graph: String,
    /// JSON.
    pub inputs: String,
    /// When.
    pub created_at: NaiveDateTime,
    /// What `workflow_app_logs` says it came from; `None`: it is not logged there.
    pub logged_from: Option<&'static str>,
}

/// Stores runs as running in `process`, and that they were started. One statement, so it needs no transaction of its own.
#[tracing::instrument(name = "db.run.begin", skip_all, fields(count = rows.len()), err)]
#[boxed]
pub async fn begin(db: &mut PgConnection, process: Uuid, rows: &[Begun]) -> Result<()> {
    let owners = Owners::of(rows.iter().map(|row| row.owner));
    let texts = |of: fn(&Begun) -> &str| rows.iter().map(|row| of(row).to_owned()).collect();
    let (kinds, from): (Vec<String>, Vec<String>) =
        (texts(|row| &row.kind), texts(|row| row.triggered_from));
    let (versions, graphs): (Vec<String>, Vec<String>) =
        (texts(|row| &row.version), texts(|row| &row.graph));
    let inputs: Vec<String> = texts(|row| &row.inputs);
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let logs: Vec<Uuid> = rows.iter().map(|_| Uuid::new_v4()).collect();
    let at: Vec<NaiveDateTime> = rows.iter().map(|row| row.created_at).collect();
    let logged: Vec<Option<String>> =
        rows.iter().map(|row| row.logged_from.map(str::to_owned)).collect();
    sqlx::query!(
        r#"
        WITH new AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::timestamp[], $13::uuid[], $14::text[]
            ) AS t (id, tenant_id, app_id, workflow_id, role, user_id, kind, triggered_from, version, graph, inputs, at,
                    log_id, logged_from)
        ), run AS (
            INSERT INTO workflow_runs (id, tenant_id, app_id, workflow_id, type, triggered_from, version, graph, inputs,
                                       status, outputs, created_by_role, created_by, created_at)
            SELECT id, tenant_id, app_id, workflow_id, kind, triggered_from, version, graph, inputs, 'running', '{}', role,
                   user_id, at
            FROM new
        ), log AS (
            INSERT INTO workflow_app_logs (id, tenant_id, app_id, workflow_id, workflow_run_id, created_from,
                                           created_by_role, created_by, created_at)
            SELECT log_id, tenant_id, app_id, workflow_id, id, logged_from, role, user_id, at
            FROM new WHERE logged_from IS NOT NULL
        )
        INSERT INTO dify_rs_running (kind, id, process_id) SELECT 'workflow_run', id, $15 FROM new
        ON CONFLICT (kind, id) DO UPDATE SET process_id = EXCLUDED.process_id, started_at = now()
        "#,
        &ids,
        &owners.tenant,
        &owners.app,
        &owners.workflow,
        &owners.role,
        &owners.user,
        &kinds,
        &from,
        &versions,
        &graphs,
        &inputs,
        &at,
        &logs,
        &logged as &[Option<String>],
        process,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A run that ended or paused.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub id: WorkflowRunId,
    /// Whose it is.
    pub owner: Owner,
    /// `workflow-run` or `single-step`: what its executions of nodes say of where they come from.
    pub nodes_from: &'static str,
    /// Executions of nodes that are not stored yet.
    pub nodes: NodeRows,
    /// `succeeded`, `partial-succeeded`, `failed`, `stopped`, `paused`.
    pub status: &'static str,
    /// JSON.
    pub outputs: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
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

/// Stores how runs ended, with what is left of their nodes. A run that has ended already stays as it is. One statement,
/// so it needs no transaction of its own. The workspace is compared in a way no index serves, see
/// [`message::end`](crate::message::end).
#[tracing::instrument(name = "db.run.end", skip_all, fields(count = rows.len()), err)]
#[boxed]
pub async fn end(db: &mut PgConnection, rows: &[Ended]) -> Result<()> {
    let owners = Owners::of(rows.iter().map(|row| row.owner));
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let texts = |of: fn(&Ended) -> &str| rows.iter().map(|row| of(row).to_owned()).collect();
    let (status, from): (Vec<String>, Vec<String>) =
        (texts(|row| row.status), texts(|row| row.nodes_from));
    let outputs: Vec<Option<String>> = rows.iter().map(|row| row.outputs.clone()).collect();
    let errors: Vec<Option<String>> = rows.iter().map(|row| row.error.clone()).collect();
    let elapsed: Vec<f64> = rows.iter().map(|row| row.elapsed_time).collect();
    let tokens: Vec<i64> = rows.iter().map(|row| row.total_tokens).collect();
    let steps: Vec<i32> = rows.iter().map(|row| row.total_steps).collect();
    let exceptions: Vec<i32> = rows.iter().map(|row| row.exceptions_count).collect();
    let finished: Vec<Option<NaiveDateTime>> = rows.iter().map(|row| row.finished_at).collect();
    let nodes = Nodes::of(rows);
    sqlx::query!(
        r#"
        WITH ended AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::float8[], $12::int8[], $13::int[], $14::int[], $15::timestamp[]
            ) AS t (id, tenant_id, app_id, workflow_id, role, user_id, nodes_from, status, outputs, error, elapsed_time,
                    total_tokens, total_steps, exceptions_count, finished_at)
        ), node AS (
            INSERT INTO workflow_node_executions
                (id, tenant_id, app_id, workflow_id, triggered_from, workflow_run_id, node_execution_id, created_by_role,
                 created_by, index, node_id, node_type, title, inputs, process_data, outputs, status, error, elapsed_time,
                 execution_metadata, created_at, finished_at)
            SELECT n.id, e.tenant_id, e.app_id, e.workflow_id, e.nodes_from, e.id, n.id::text, e.role, e.user_id, n.index,
                   n.node_id, n.node_type, n.title, n.inputs, n.process_data, n.outputs, n.status, n.error, n.elapsed_time,
                   n.execution_metadata, n.created_at, n.finished_at
            FROM unnest($16::uuid[], $17::uuid[], $18::int[], $19::text[], $20::text[], $21::text[], $22::text[],
                        $23::text[], $24::text[], $25::text[], $26::text[], $27::float8[], $28::text[], $29::timestamp[],
                        $30::timestamp[])
                AS n (run_id, id, index, node_id, node_type, title, inputs, process_data, outputs, status, error,
                      elapsed_time, execution_metadata, created_at, finished_at)
            JOIN ended e ON e.id = n.run_id
            ON CONFLICT (id) DO UPDATE
            SET index = EXCLUDED.index, inputs = EXCLUDED.inputs, process_data = EXCLUDED.process_data,
                outputs = EXCLUDED.outputs, status = EXCLUDED.status, error = EXCLUDED.error,
                elapsed_time = EXCLUDED.elapsed_time, execution_metadata = EXCLUDED.execution_metadata,
                finished_at = EXCLUDED.finished_at
        ), run AS (
            UPDATE workflow_runs r
            SET status = e.status, outputs = e.outputs, error = e.error, elapsed_time = e.elapsed_time,
                total_tokens = e.total_tokens, total_steps = e.total_steps, exceptions_count = e.exceptions_count,
                finished_at = e.finished_at
            FROM ended e
            WHERE r.id = e.id AND r.tenant_id IS NOT DISTINCT FROM e.tenant_id AND r.status IN ('running', 'paused')
        )
        DELETE FROM dify_rs_running WHERE kind = 'workflow_run' AND id = ANY(ARRAY(SELECT id FROM ended))
        "#,
        &ids,
        &owners.tenant,
        &owners.app,
        &owners.workflow,
        &owners.role,
        &owners.user,
        &from,
        &status,
        &outputs as &[Option<String>],
        &errors as &[Option<String>],
        &elapsed,
        &tokens,
        &steps,
        &exceptions,
        &finished as &[Option<NaiveDateTime>],
        &nodes.run,
        &nodes.rows.id,
        &nodes.rows.index,
        &nodes.rows.node_id,
        &nodes.rows.node_type,
        &nodes.rows.title,
        &nodes.rows.inputs as &[Option<String>],
        &nodes.rows.process_data as &[Option<String>],
        &nodes.rows.outputs as &[Option<String>],
        &nodes.rows.status,
        &nodes.rows.error as &[Option<String>],
        &nodes.rows.elapsed_time,
        &nodes.rows.execution_metadata as &[Option<String>],
        &nodes.rows.created_at,
        &nodes.rows.finished_at as &[Option<NaiveDateTime>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Owners, column by column.
#[derive(Default)]
struct Owners {
    tenant: Vec<Uuid>,
    app: Vec<Uuid>,
    workflow: Vec<Uuid>,
    role: Vec<String>,
    user: Vec<Uuid>,
}

impl Owners {
    fn of(owners: impl Iterator<Item = Owner>) -> Self {
        let mut columns = Self::default();
        for owner in owners {
            columns.tenant.push(owner.tenant.0);
            columns.app.push(owner.app.0);
            columns.workflow.push(owner.workflow.0);
            columns.role.push(owner.role.to_owned());
            columns.user.push(owner.user);
        }
        columns
    }
}

/// The nodes of several runs, column by column.
#[derive(Default)]
struct Nodes {
    run: Vec<Uuid>,
    rows: NodeRows,
}

impl Nodes {
    fn of(runs: &[Ended]) -> Self {
        let mut all = Self::default();
        for run in runs {
            all.run.extend(std::iter::repeat_n(run.id.0, run.nodes.id.len()));
            let (to, from) = (&mut all.rows, &run.nodes);
            to.id.extend_from_slice(&from.id);
            to.index.extend_from_slice(&from.index);
            to.node_id.extend_from_slice(&from.node_id);
            to.node_type.extend_from_slice(&from.node_type);
            to.title.extend_from_slice(&from.title);
            to.inputs.extend_from_slice(&from.inputs);
            to.process_data.extend_from_slice(&from.process_data);
            to.outputs.extend_from_slice(&from.outputs);
            to.status.extend_from_slice(&from.status);
            to.error.extend_from_slice(&from.error);
            to.elapsed_time.extend_from_slice(&from.elapsed_time);
            to.execution_metadata.extend_from_slice(&from.execution_metadata);
            to.created_at.extend_from_slice(&from.created_at);
            to.finished_at.extend_from_slice(&from.finished_at);
        }
        all
    }
}
