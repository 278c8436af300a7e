//! Rows of a run, from the recorder into the database.

use app_engine::workflow::record::{NodeRow, RunEnd};
use bytes::Bytes;
use db::run_batch::Ended;
use db::run_record::{
    self, NodeRows, Owner,
    offloads::{self, NewOffload},
};
use db::running::{self, Kind};
use services_core::{Ctx, Fault};
use types::WorkflowRunId;
use uuid::Uuid;

use super::pause::{self, Origin, Pause};

/// Stores executions of nodes, of a run or of a node that ran alone. `from` is `workflow-run` or `single-step`.
pub(super) async fn nodes(
    ctx: &Ctx,
    owner: Owner,
    run: Option<WorkflowRunId>,
    from: &str,
    rows: Vec<NodeRow>,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let files = offload(ctx, owner, &rows).await?;
    let columns = columns(rows);
    let mut tx = ctx.db.begin().await?;
    run_record::upsert_nodes(&mut tx, owner, run, from, &columns).await?;
    for file in &files {
        offloads::insert(&mut tx, owner, file).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The end of a run.
pub(super) struct End<'a> {
    pub(super) owner: Owner,
    pub(super) origin: &'a Origin,
    /// Where rows of nodes say they come from.
    pub(super) from: &'static str,
    pub(super) end: &'a RunEnd,
    /// The message it answered, and the files of the answer.
    pub(super) message: Option<(&'a db::message::Ended, &'a [db::message_file::MessageFile])>,
    /// How it goes on, if it waits.
    pub(super) paused: Option<&'a Pause>,
    /// Whether it waited before.
    pub(super) is_resumed: bool,
}

/// Stores how a run ended together with what is left of its nodes.
pub(super) async fn end(ctx: &Ctx, ended: End<'_>, rows: Vec<NodeRow>) -> Result<(), Fault> {
    let End { owner, origin, from, end, message, paused, is_resumed } = ended;
    let run = origin.run;
    let uploads = offload(ctx, owner, &rows).await?;
    let columns = columns(rows);
    let mut tx = ctx.db.begin().await?;
    run_record::upsert_nodes(&mut tx, owner, Some(run), from, &columns).await?;
    for file in &uploads {
        offloads::insert(&mut tx, owner, file).await?;
    }
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
    if let Some((message, files)) = message {
        db::message::end(&mut tx, std::slice::from_ref(message)).await?;
        if !files.is_empty() {
            db::message_file::insert_all(&mut tx, files).await?;
        }
    }
    let useless = match paused {
        Some(pause) => pause.insert(&mut tx, origin, ctx.now_naive()).await?,
        // Chatflows keep the row: their messages show what was filled in.
        None if is_resumed && message.is_none() => {
            db::workflow_pause::delete(&mut tx, owner.tenant, run).await?
        }
        None if is_resumed => db::workflow_pause::find(&mut tx, owner.tenant, run)
            .await?
            .map(|pause| pause.state_object_key),
        None => None,
    };
    tx.commit().await?;
    if let Some(key) = useless {
        pause::forget(ctx, &key).await;
    }
    Ok(())
}

/// How a run ended and what is left of its nodes, to be written together with others.
pub(super) fn ended(
    owner: Owner,
    run: WorkflowRunId,
    from: &'static str,
    rows: Vec<NodeRow>,
    end: &RunEnd,
) -> Ended {
    Ended {
        id: run,
        owner,
        nodes_from: from,
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

/// Ends a run that nobody follows any more, and its message. Whether that was possible.
pub(super) async fn give_up(
    ctx: &Ctx,
    run: WorkflowRunId,
    message: Option<types::MessageId>,
    why: &str,
) -> bool {
    let stored = async {
        let now = ctx.now_naive();
        let mut tx = ctx.db.begin().await?;
        run_record::fail_abandoned(&mut tx, &[run.0], why, now).await?;
        running::delete(&mut tx, Kind::WorkflowRun, &[run.0]).await?;
        if let Some(message) = message {
            db::message::abandon(&mut tx, &[message.0], why, now).await?;
            running::delete(&mut tx, Kind::Message, &[message.0]).await?;
        }
        tx.commit().await
    };
    stored
        .await
        .inspect_err(|err| {
            tracing::error!(run.id = %run, error = %err, "the end of a run could not be stored");
        })
        .is_ok()
}

/// Writes the whole of columns that rows have only a part of to files; the rows of the files are still to be stored.
async fn offload(ctx: &Ctx, owner: Owner, rows: &[NodeRow]) -> Result<Vec<NewOffload>, Fault> {
    let mut files = Vec::new();
    for row in rows {
        let Ok(execution) = row.id.parse::<Uuid>() else { continue };
        for &(column, ref whole) in &row.whole {
            // The same name on every try: what a try that failed left behind is written over.
            let name = format!("node_execution_{execution}_{column}.json");
            let key = format!("upload_files/{}/{name}", owner.tenant);
            ctx.storage.save(&key, Bytes::from(whole.clone())).await?;
            files.push(NewOffload {
                execution,
                column,
                key,
                name,
                size: i32::try_from(whole.len()).unwrap_or(i32::MAX),
                storage_type: ctx.config.middleware.storage_type.clone(),
                now: ctx.now_naive(),
            });
        }
    }
    Ok(files)
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
