//! Rows of a run, from the recorder into the database.

use app_engine::workflow::record::{NodeRow, RunEnd};
use db::run_batch::Ended;
use db::run_record::{self, NodeRows, Owner};
use db::running::{self, Kind};
use services_core::{Ctx, Fault};
use types::WorkflowRunId;
use uuid::Uuid;

/// Stores executions of nodes.
pub(super) async fn nodes(
    ctx: &Ctx,
    owner: Owner,
    run: WorkflowRunId,
    rows: Vec<NodeRow>,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = columns(rows);
    let mut conn = ctx.db.acquire().await?;
    Ok(run_record::upsert_nodes(&mut conn, owner, Some(run), "workflow-run", &columns).await?)
}

/// Stores how a run ended together with what is left of its nodes.
pub(super) async fn end(
    ctx: &Ctx,
    owner: Owner,
    run: WorkflowRunId,
    rows: Vec<NodeRow>,
    end: &RunEnd,
) -> Result<(), Fault> {
    let columns = columns(rows);
    let mut tx = ctx.db.begin().await?;
    run_record::upsert_nodes(&mut tx, owner, Some(run), "workflow-run", &columns).await?;
    let row = run_record::RunEnd {
        status: end.status,
        outputs: end.outputs.as_deref(),
        error: end.error.as_deref(),
        elapsed_time: end.elapsed_time,
        total_tokens: end.total_tokens,
        total_steps: end.total_steps,
        exceptions_count: end.exceptions_count,
        finished_at: end.finished_at,
    };
    run_record::finish_run(&mut tx, owner.tenant, run, row).await?;
    running::delete(&mut tx, Kind::WorkflowRun, &[run.0]).await?;
    tx.commit().await?;
    Ok(())
}

/// How a run ended and what is left of its nodes, to be written together with others.
pub(super) fn ended(owner: Owner, run: WorkflowRunId, rows: Vec<NodeRow>, end: &RunEnd) -> Ended {
    Ended {
        id: run,
        owner,
        nodes_from: "workflow-run",
        nodes: columns(rows),
        status: end.status,
        outputs: end.outputs.clone(),
        error: end.error.clone(),
        elapsed_time: end.elapsed_time,
        total_tokens: end.total_tokens,
        total_steps: end.total_steps,
        exceptions_count: end.exceptions_count,
        finished_at: end.finished_at,
    }
}

fn columns(rows: Vec<NodeRow>) -> NodeRows {
    let mut columns = NodeRows::default();
    for row in rows {
        // Ids of executions come from us or from a resumed state of ours.
        columns.id.push(row.id.parse().unwrap_or_else(|_| Uuid::new_v4()));
        columns.index.push(row.index);
        columns.node_id.push(row.node_id);
        columns.node_type.push(row.node_type);
        columns.title.push(row.title);
        columns.inputs.push(row.inputs);
        columns.process_data.push(row.process_data);
        columns.outputs.push(row.outputs);
        columns.status.push(row.status.to_owned());
        columns.error.push(row.error);
        columns.elapsed_time.push(row.elapsed_time);
        columns.execution_metadata.push(row.execution_metadata);
        columns.created_at.push(row.created_at);
        columns.finished_at.push(row.finished_at);
    }
    columns
}
