//! From a trigger to a run: a line in the trigger log, a job in the queue, a run in a worker, its end in the log.

use app_engine::RunKey;
use boxed::boxed;
use chrono::NaiveDateTime;
use db::{
    account::Account,
    app::App,
    run_record::{self, NewRun, Owner},
    workflow::Workflow,
    workflow_trigger_log::{self, NewTriggerLog, Progress, TriggerLog},
};
use graph::InvokeFrom;
use jobs::{Job, tasks};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Fault};
use types::{AccountId, EndUserId, WorkflowRunId};
use uuid::Uuid;

use super::webhook;
use crate::{
    WorkflowError,
    graph_check::{TRIGGER_PLUGIN, TRIGGER_SCHEDULE, TRIGGER_WEBHOOK},
    run::{RunFailure, RunRequest, Runner, Runs},
};

/// The type of end users that stand for triggers.
pub(super) const END_USER: &str = "trigger";

/// What lines of the log call the queue of workspaces without a plan; the jobs' queue has another name.
const QUEUE: &str = "workflow_team";

/// A run a trigger asks for.
#[derive(Debug, Clone)]
pub struct Triggered {
    /// The app.
    pub app: App,
    /// The version.
    pub workflow: Workflow,
    /// The trigger node.
    pub node: String,
    /// The node's type.
    pub kind: &'static str,
    /// What the run starts with.
    pub inputs: Map<String, Value>,
    /// Whom the run is for.
    pub user: Runner,
    /// What lists show of the trigger.
    pub metadata: Option<Value>,
    /// What makes this call the only one of its kind: a second one with the same key starts no second run.
    pub once: Option<Uuid>,
}

/// Notes a triggered run and queues it; answers its line in the log.
///
/// # Errors
/// Faults of database and queue: nothing runs then.
#[tracing::instrument(skip_all, fields(app.id = %triggered.app.id))]
#[boxed]
pub async fn queue(ctx: &Ctx, triggered: Triggered) -> Result<Uuid, WorkflowError> {
    let id = triggered.once.unwrap_or_else(Uuid::now_v7);
    let (app, workflow) = (&triggered.app, &triggered.workflow);
    let data = trigger_data(&triggered);
    let metadata = triggered.metadata.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
    {
        let mut conn = ctx.db.acquire().await?;
        let new = NewTriggerLog {
            id,
            tenant: app.tenant_id,
            app: app.id,
            workflow: workflow.id,
            root_node: &triggered.node,
            trigger_metadata: &metadata,
            trigger_type: triggered.kind,
            trigger_data: &data.to_string(),
            inputs: &types::pyjson::dumps(&triggered.inputs)?,
            queue_name: QUEUE,
            created_by_role: triggered.user.role(),
            created_by: &triggered.user.id().to_string(),
            now: ctx.now_naive(),
        };
        if !workflow_trigger_log::insert(&mut conn, new).await? {
            let known = workflow_trigger_log::find_for_task(&mut conn, id).await?;
            if known.is_none_or(|log| log.status != "pending") {
                return Ok(id);
            }
            // Noted by a node that died before it could queue the run.
        }
    }
    let job = Job::new(tasks::EXECUTE_WORKFLOW_TEAM)
        .set("task_data_dict", json!({"workflow_trigger_log_id": id}));
    let queued = ctx.jobs.enqueue(job).await;
    let mut conn = ctx.db.acquire().await?;
    match queued {
        Ok(task) => {
            let now = ctx.now_naive();
            workflow_trigger_log::note_queued(&mut conn, app.tenant_id, id, &task, now).await?;
            Ok(id)
        }
        Err(err) => {
            let why = err.to_string();
            let progress = failed(&why, ctx.now_naive());
            workflow_trigger_log::note_progress(&mut conn, app.tenant_id, id, progress).await?;
            Err(Fault::caused("a triggered run could not be queued", err).into())
        }
    }
}

/// Notes a run that could not even be asked for, with `why`: in the app's log it shows as failed. Once for a key.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn note_refused(
    ctx: &Ctx,
    triggered: Triggered,
    run: WorkflowRunId,
    why: &str,
) -> Result<(), WorkflowError> {
    let now = ctx.now_naive();
    let (app, workflow) = (&triggered.app, &triggered.workflow);
    let metadata = triggered.metadata.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string);
    let owner = Owner {
        tenant: app.tenant_id,
        app: app.id,
        workflow: workflow.id,
        role: triggered.user.role(),
        user: triggered.user.id(),
    };
    let data = trigger_data(&triggered);
    let id = triggered.once.unwrap_or_else(Uuid::now_v7);
    let new = NewTriggerLog {
        id,
        tenant: app.tenant_id,
        app: app.id,
        workflow: workflow.id,
        root_node: &triggered.node,
        trigger_metadata: &metadata,
        trigger_type: triggered.kind,
        trigger_data: &data.to_string(),
        inputs: "{}",
        queue_name: QUEUE,
        created_by_role: triggered.user.role(),
        created_by: &triggered.user.id().to_string(),
        now,
    };
    let mut tx = ctx.db.begin().await?;
    if !workflow_trigger_log::insert(&mut tx, new).await? {
        return Ok(());
    }
    let row = NewRun {
        id: run,
        kind: &workflow.r#type,
        triggered_from: triggered_from(triggered.kind),
        version: &workflow.version,
        graph: &workflow.graph,
        inputs: &types::pyjson::dumps(&triggered.inputs)?,
        created_at: now,
    };
    run_record::insert_run(&mut tx, owner, row).await?;
    run_record::insert_log(&mut tx, owner, run, "service-api", now).await?;
    let end = run_record::RunEnd {
        status: "failed",
        outputs: Some("{}"),
        error: Some(why),
        elapsed_time: 0.0,
        total_tokens: 0,
        total_steps: 0,
        exceptions_count: 0,
        finished_at: Some(now),
    };
    run_record::finish_run(&mut tx, app.tenant_id, run, end).await?;
    let progress = Progress { run: Some(run), ..failed(why, now) };
    workflow_trigger_log::note_progress(&mut tx, app.tenant_id, id, progress).await?;
    tx.commit().await?;
    Ok(())
}

fn trigger_data(triggered: &Triggered) -> Value {
    json!({
        "app_id": triggered.app.id,
        "tenant_id": triggered.app.tenant_id,
        "workflow_id": triggered.workflow.id,
        "root_node_id": triggered.node,
        "inputs": triggered.inputs,
        "files": [],
        "trigger_type": triggered.kind,
        "trigger_from": triggered_from(triggered.kind),
        "trigger_metadata": triggered.metadata,
    })
}

/// Queues the run of a webhook that was called.
///
/// # Errors
/// As [`queue`].
#[boxed]
pub async fn webhook_called(
    ctx: &Ctx,
    called: webhook::Called,
    data: &Value,
) -> Result<Uuid, WorkflowError> {
    let user = services_account::end_user::find_or_create(ctx, &called.app, None, END_USER).await?;
    let triggered = Triggered {
        node: called.trigger.node_id,
        app: called.app,
        workflow: called.workflow,
        kind: TRIGGER_WEBHOOK,
        inputs: webhook::inputs(data),
        user: Runner::EndUser { id: user.id.0, session_id: user.session_id },
        metadata: None,
        once: None,
    };
    queue(ctx, triggered).await
}

/// Queues the run of a schedule that is due, once for a `job`. A schedule that was dropped meanwhile is left alone.
///
/// # Errors
/// As [`queue`]; faults if nobody of the workspace can be run for.
#[boxed]
pub async fn schedule_due(ctx: &Ctx, plan: Uuid, job: &str) -> Result<Option<Uuid>, WorkflowError> {
    let (app, workflow, plan, by) = {
        let mut conn = ctx.db.acquire().await?;
        let Some(plan) = db::workflow_schedule_plan::find_for_task(&mut conn, plan).await? else {
            return Ok(None);
        };
        let Some(app) = db::app::find(&mut conn, plan.tenant_id, plan.app_id).await? else {
            return Ok(None);
        };
        let Some(id) = app.workflow_id else { return Ok(None) };
        let workflow = db::workflow::find(&mut conn, app.tenant_id, app.id, id).await?;
        let Some(workflow) = workflow else { return Ok(None) };
        let by = match db::workflow_schedule_plan::runner(&mut conn, app.tenant_id).await? {
            Some(by) => db::account::find(&mut conn, by).await?,
            None => None,
        };
        (app, workflow, plan, by)
    };
    let by = by.ok_or_else(|| {
        Fault::Other(format!("No owner or admin found for tenant {}", plan.tenant_id))
    })?;
    let triggered = Triggered {
        app,
        workflow,
        node: plan.node_id,
        kind: TRIGGER_SCHEDULE,
        inputs: Map::new(),
        user: account(by),
        metadata: None,
        once: Some(Uuid::new_v5(&plan.id, job.as_bytes())),
    };
    queue(ctx, triggered).await.map(Some)
}

/// What a line of the log says for `workflow_runs.triggered_from`.
fn triggered_from(kind: &str) -> &'static str {
    match kind {
        TRIGGER_SCHEDULE => "schedule",
        TRIGGER_PLUGIN => "plugin",
        _ => "webhook",
    }
}

fn account(row: Account) -> Runner {
    Runner::Account { id: row.id.0, name: row.name, email: row.email }
}

/// Runs what a line of the log asks for, to its end or to a pause, unless somebody else does. `again` says that the job
/// was handed out before, to a process that died: what it had begun is over.
///
/// # Errors
/// Faults of the database, and one if somebody else began the run and it has not ended: try again then.
#[boxed]
pub async fn run(runs: &Runs, line: Uuid, again: bool) -> Result<(), Fault> {
    let ctx = &runs.ctx;
    let mut conn = ctx.db.acquire().await?;
    let Some(log) = workflow_trigger_log::find_for_task(&mut conn, line).await? else {
        tracing::warn!(line = %line, "a triggered run has no line in the log");
        return Ok(());
    };
    if !workflow_trigger_log::claim(&mut conn, log.tenant_id, log.id).await? {
        drop(conn);
        return if log.status == "running" { note_lost(ctx, &log, again).await } else { Ok(()) };
    }
    drop(conn);
    let started = match request(ctx, &log).await {
        Ok(request) => runs.start(request).await,
        Err(err) => Err(err.into()),
    };
    let started = match started {
        Ok(started) => started,
        Err(err) => return note_failure(ctx, &log, &err).await,
    };
    note_run(ctx, &log, started.run_id).await?;
    let mut events = started.run.log.reader(0);
    while events.next().await.is_some() {}
    note_end(ctx, &log, started.run_id).await?;
    Ok(())
}

async fn request(ctx: &Ctx, log: &TriggerLog) -> Result<RunRequest, WorkflowError> {
    let data: Value = serde_json::from_str(&log.trigger_data).unwrap_or_default();
    let mut conn = ctx.db.acquire().await?;
    let app = db::app::find(&mut conn, log.tenant_id, log.app_id)
        .await?
        .ok_or_else(|| WorkflowError::not_found(format!("App not found: {}", log.app_id)))?;
    let workflow = db::workflow::find(&mut conn, log.tenant_id, log.app_id, log.workflow_id)
        .await?
        .ok_or_else(|| {
            WorkflowError::not_found(format!("Workflow not found: {}", log.workflow_id))
        })?;
    let nobody = || WorkflowError::not_found("User not found");
    let by: Uuid = log.created_by.parse().map_err(|_| nobody())?;
    let runner = if log.created_by_role == "account" {
        account(db::account::find(&mut conn, AccountId(by)).await?.ok_or_else(nobody)?)
    } else {
        let user = db::end_user::find(&mut conn, log.tenant_id, EndUserId(by)).await?;
        let user = user.ok_or_else(nobody)?;
        Runner::EndUser { id: user.id.0, session_id: user.session_id }
    };
    Ok(RunRequest {
        app,
        workflow,
        runner,
        // So that their runs appear in the app's log, as in the reference.
        invoke_from: InvokeFrom::ServiceApi,
        triggered_from: triggered_from(&log.trigger_type),
        inputs: data.get("inputs").and_then(Value::as_object).cloned().unwrap_or_default(),
        files: data.get("files").and_then(Value::as_array).cloned().unwrap_or_default(),
        root: log.root_node_id.clone(),
        run_id: None,
        call_depth: 0,
    })
}

/// Notes how the run of a line ended that another process began and did not bring to its end.
async fn note_lost(ctx: &Ctx, log: &TriggerLog, again: bool) -> Result<(), Fault> {
    let still =
        || Fault::Other("a triggered run goes on elsewhere, or is about to be ended".into());
    if let Some(run) = log.workflow_run_id {
        return if note_end(ctx, log, run).await? == "running" { Err(still()) } else { Ok(()) };
    }
    if !again {
        return Err(still());
    }
    let mut conn = ctx.db.acquire().await?;
    let progress = failed("The server stopped during the run.", ctx.now_naive());
    workflow_trigger_log::note_progress(&mut conn, log.tenant_id, log.id, progress).await?;
    Ok(())
}

fn failed(why: &str, now: NaiveDateTime) -> Progress<'_> {
    Progress { status: "failed", error: Some(why), finished_at: Some(now), ..Progress::default() }
}

async fn note_failure(ctx: &Ctx, log: &TriggerLog, err: &RunFailure) -> Result<(), Fault> {
    if let RunFailure::Fault(fault) = err {
        tracing::error!(error = %fault, app.id = %log.app_id, "a triggered run did not start");
    }
    let why = err.to_string();
    let mut conn = ctx.db.acquire().await?;
    let progress = failed(&why, ctx.now_naive());
    workflow_trigger_log::note_progress(&mut conn, log.tenant_id, log.id, progress).await?;
    Ok(())
}

async fn note_run(ctx: &Ctx, log: &TriggerLog, run: WorkflowRunId) -> Result<(), Fault> {
    let progress = Progress { status: "running", run: Some(run), ..Progress::default() };
    let mut conn = ctx.db.acquire().await?;
    workflow_trigger_log::note_progress(&mut conn, log.tenant_id, log.id, progress).await?;
    Ok(())
}

/// Waits for the end of a run that goes on after a pause, and notes it if a trigger asked for the run.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn follow(runs: &Runs, run: WorkflowRunId) -> Result<(), Fault> {
    let log = {
        let mut conn = runs.ctx.db.acquire().await?;
        workflow_trigger_log::find_of_run_for_task(&mut conn, run).await?
    };
    let Some(log) = log else { return Ok(()) };
    if let Some(going) = runs.find(RunKey::WorkflowRun(run.0)) {
        let mut events = going.log.reader(0);
        while events.next().await.is_some() {}
    }
    note_end(&runs.ctx, &log, run).await?;
    Ok(())
}

/// Notes in the line of a triggered run what its row says of its end, also when it ended after a pause; answers the
/// line's status.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn note_end(
    ctx: &Ctx,
    log: &TriggerLog,
    run: WorkflowRunId,
) -> Result<&'static str, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let Some(row) = db::workflow_run::find_of_tenant(&mut conn, log.tenant_id, run).await? else {
        return Ok("failed");
    };
    let status = match row.status.as_str() {
        "succeeded" | "partial-succeeded" => "succeeded",
        "paused" => "paused",
        "running" => "running",
        _ => "failed",
    };
    let progress = Progress {
        status,
        run: Some(run),
        outputs: row.outputs.as_deref(),
        error: row.error.as_deref(),
        elapsed_time: Some(row.elapsed_time),
        total_tokens: i32::try_from(row.total_tokens).ok(),
        finished_at: row.finished_at,
    };
    workflow_trigger_log::note_progress(&mut conn, log.tenant_id, log.id, progress).await?;
    Ok(status)
}
