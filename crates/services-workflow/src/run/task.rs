//! The task of a run: engine, log, rows.

mod follow;

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use app_engine::{
    AppEvent, Run, RunError, RunKey,
    hub::RunGuard,
    wire::Detail,
    workflow::{
        RunFacts,
        present::{Lookup, STOPPED_BY_USER},
    },
};
use chrono::{DateTime, Utc};
use db::{
    message_file::{self, MessageFile},
    run_batch::{self, Begun},
    run_record::Owner,
    running::Kind,
};
use futures::FutureExt;
use graph::{
    Control, FileUrls, Graph, InvokeFrom, Limits, RandomIds, RunInfo, Setup, SystemClock,
    SystemVariables, VariablePool,
    value::{Object, object_to_json},
};
use serde_json::{Map, Value};
use services_core::{Fault, leases::Held};
use tokio::sync::mpsc;
use types::{AccountId, MessageId, WorkflowRunId};
use uuid::Uuid;

use super::{
    RunFailure, RunRequest, Runner, Runs, Started,
    chat::{Asked, Turn},
    is_simple,
    pause::Origin,
    store,
};
use crate::draft_variable::{ran::Keeper, save::truncator};

/// Events that may wait for the log and the rows.
const EVENTS: usize = 256;

/// Nodes of one run that call out at the same time: as many branches as people draw really run side by side.
const MOST_PARALLEL: usize = 64;

/// What rows of nodes of whole runs say of where they come from.
pub(super) const WORKFLOW_RUN: &str = "workflow-run";

/// The same for runs of a part of a draft.
pub(super) const SINGLE_STEP: &str = "single-step";

/// What clients read of a run that ended by a bug.
const BROKEN: &str = "The run ended unexpectedly.";

/// Where a run begins.
pub(super) enum Start {
    /// At its root, with these variables.
    New(VariablePool),
    /// Where it paused: the engine's state.
    Resumed(String),
}

/// Everything a run is made of.
pub(super) struct New {
    pub(super) info: Arc<RunInfo>,
    pub(super) graph: Arc<Graph>,
    pub(super) start: Start,
    /// What clients see beside what the engine tells.
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) shown: Value,
    pub(super) kept: Value,
    pub(super) run_id: WorkflowRunId,
    pub(super) task: Uuid,
    pub(super) created_at: DateTime<Utc>,
    pub(super) owner: Owner,
    pub(super) request: RunRequest,
    /// [`WORKFLOW_RUN`] or [`SINGLE_STEP`].
    pub(super) nodes_from: &'static str,
}

/// The message that is stored together with a run.
pub(super) struct Beside<'a> {
    pub(super) asked: &'a Asked,
    pub(super) files: &'a [MessageFile],
}

/// Stores the run as running, then lets it run.
pub(super) async fn start(runs: &Runs, new: New) -> Result<Started, RunFailure> {
    let held = hold(runs, new.run_id, None);
    let claim = super::stop::claim(runs, &new.request.runner, new.task);
    let (inserted, ()) = tokio::join!(insert(runs, &new, None), claim);
    inserted?;
    Ok(launch(runs, new, None, held))
}

/// Takes a run, and the message it answers, into this process's care. Comes before their rows are written: who asked may
/// go away at any moment.
pub(super) fn hold(runs: &Runs, run: WorkflowRunId, message: Option<MessageId>) -> Vec<Held> {
    let leases = runs.ctx.leases();
    let message = message.map(|message| leases.hold(Kind::Message, message.0));
    std::iter::once(leases.hold(Kind::WorkflowRun, run.0)).chain(message).collect()
}

/// Lets a stored run run.
pub(super) fn launch(runs: &Runs, new: New, turn: Option<Turn>, held: Vec<Held>) -> Started {
    let origin = origin(&new);
    let mut guard = runs.hub.register(new.task);
    guard.also(RunKey::WorkflowRun(new.run_id.0));
    let simple = is_simple(new.request.invoke_from);
    // Set once: the run is new.
    let _ = guard.run().detail.set(if simple { Detail::Simple } else { Detail::Full });
    let _ = guard.run().owner.set(new.request.runner.caller());
    let started = Started {
        run: Arc::clone(guard.run()),
        run_id: new.run_id,
        workflow_id: new.request.workflow.id,
        created_at: new.created_at.timestamp(),
    };
    let facts = RunFacts {
        run_id: new.run_id.to_string(),
        workflow_id: new.request.workflow.id.to_string(),
        created_by: new.request.runner.shown(),
        inputs: new.shown.clone(),
        created_at: new.created_at,
        earlier_steps: 0,
        is_simple: simple,
        urls: Arc::clone(&runs.urls),
        row_limits: truncator(&runs.ctx),
        // Programs are shown everything.
        shown_limits: (new.request.invoke_from != InvokeFrom::ServiceApi)
            .then(|| truncator(&runs.ctx)),
    };
    let drafts = match (new.request.invoke_from, &new.request.runner) {
        (InvokeFrom::Debugger, Runner::Account { id, .. }) => {
            Some(Keeper::new(new.request.app.clone(), AccountId(*id)))
        }
        _ => None,
    };
    let setup = Setup {
        graph: new.graph,
        info: new.info,
        limits: limits(runs),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    let is_resumed = matches!(new.start, Start::Resumed(_));
    let task = Task {
        runs: runs.clone(),
        guard,
        facts,
        owner: new.owner,
        run_id: new.run_id,
        nodes_from: new.nodes_from,
        drafts,
        origin,
        is_resumed,
        lookup: new.lookup,
    };
    let (start, urls) = (new.start, Arc::clone(&runs.urls));
    let message = turn.as_ref().map(|turn| turn.asked.context.message);
    runs.ctx.spawn(async move {
        let (control, requests) = mpsc::channel(8);
        let (sender, events) = mpsc::channel(EVENTS);
        let executor = Arc::clone(&task.runs.executor);
        let engine = async {
            match start {
                Start::New(pool) => {
                    executor.start(&setup, pool, requests, sender).await;
                }
                Start::Resumed(state) => {
                    let resumed = executor.resume(&setup, &state, &urls, requests, sender).await;
                    if let Err(err) = resumed {
                        tracing::error!(error = %err, "the state of a run is of no use");
                    }
                }
            }
        };
        // Beside what follows the run: a stop does not wait for rows that are being written.
        let stopping = stopped(Arc::clone(task.guard.run()), control.clone());
        let both = async {
            tokio::select! {
                (_, seen) = async { tokio::join!(engine, task.follow(events, control, turn)) } => seen,
                never = stopping => match never {},
            }
        };
        // A bug must not leave a run that nobody ends.
        let ended = AssertUnwindSafe(both).catch_unwind().await;
        let is_stored = match ended.ok().flatten() {
            Some(is_stored) => is_stored,
            None => {
                tracing::error!(run.id = %task.run_id, "a run ended without a word");
                let given_up = store::give_up(&task.runs.ctx, task.run_id, message, BROKEN).await;
                task.guard.run().log.push(AppEvent::Error(RunError::internal()));
                given_up
            }
        };
        if is_stored {
            held.into_iter().for_each(Held::settled);
        }
    });
    started
}

/// Aborts the run once somebody stops it.
async fn stopped(run: Arc<Run>, control: mpsc::Sender<Control>) -> Infallible {
    run.cancel.cancelled().await;
    let by_user = run.is_stopped_by_user();
    let reason = if by_user { STOPPED_BY_USER } else { "The server is stopping." };
    // A run that does not listen any more is ending by itself.
    let _ = control.send(Control::Abort { reason: reason.to_owned() }).await;
    std::future::pending().await
}

/// What a pause keeps of a run.
fn origin(new: &New) -> Origin {
    let request = &new.request;
    Origin {
        tenant: request.app.tenant_id,
        app: request.app.id,
        workflow: request.workflow.id,
        run: new.run_id,
        task: new.task,
        runner: request.runner.clone(),
        invoke_from: request.invoke_from,
        root: request.root.clone(),
        is_part: new.nodes_from == SINGLE_STEP,
        call_depth: request.call_depth,
        shown: new.shown.clone(),
        created_at: new.created_at,
    }
}

/// Stores that a run begins, and the message it answers.
pub(super) async fn insert(
    runs: &Runs,
    new: &New,
    beside: Option<Beside<'_>>,
) -> Result<(), RunFailure> {
    let now = new.created_at.naive_utc();
    let inputs = types::pyjson::dumps(&new.kept).unwrap_or_default();
    let request = &new.request;
    let row = Begun {
        id: new.run_id,
        owner: new.owner,
        kind: request.workflow.r#type.clone(),
        triggered_from: request.triggered_from,
        version: request.workflow.version.clone(),
        graph: request.workflow.graph.clone(),
        inputs,
        created_at: now,
        // Chatflows have their messages.
        logged_from: None,
    };
    let Some(Beside { asked, files }) = beside else {
        let row = Begun { logged_from: logged_from(request.invoke_from), ..row };
        runs.lanes.begins.write(row).await.map_err(Fault::from)?;
        return Ok(());
    };
    let begun = &asked.begun;
    let (app, conversation, process) = (begun.app_id, begun.conversation_id, runs.ctx.process());
    let mut tx = runs.ctx.db.begin().await?;
    run_batch::begin(&mut tx, process, std::slice::from_ref(&row)).await?;
    db::message::begin(&mut tx, process, std::slice::from_ref(begun)).await?;
    if !files.is_empty() {
        message_file::insert_all(&mut tx, files).await?;
    }
    db::chatflow::attach(&mut tx, app, begun.id, new.run_id).await?;
    if begun.first.is_some() {
        let features = &request.workflow.features;
        db::chatflow::keep_features(&mut tx, app, conversation, features).await?;
    }
    asked.insert_variables(&mut tx, now).await?;
    tx.commit().await?;
    Ok(())
}

/// What `workflow_app_logs.created_from` says; runs of the editor are not logged, and chatflows have their messages.
fn logged_from(invoke_from: InvokeFrom) -> Option<&'static str> {
    match invoke_from {
        InvokeFrom::ServiceApi | InvokeFrom::Trigger => Some("service-api"),
        InvokeFrom::WebApp => Some("web-app"),
        InvokeFrom::Explore => Some("installed-app"),
        InvokeFrom::Debugger | InvokeFrom::Published | InvokeFrom::Validation => None,
    }
}

pub(super) fn limits(runs: &Runs) -> Limits {
    let feature = &runs.ctx.config.feature;
    Limits {
        max_steps: u32::try_from(feature.workflow_max_execution_steps).unwrap_or(500),
        max_time: Duration::from_secs(
            u64::try_from(feature.workflow_max_execution_time).unwrap_or(1200),
        ),
        max_parallel: MOST_PARALLEL,
    }
}

/// Inputs and system variables as clients and rows see them.
pub(super) fn shown_inputs(
    inputs: &Object,
    system: &SystemVariables,
    urls: &dyn FileUrls,
) -> Value {
    let mut shown: Map<String, Value> = object_to_json(inputs, urls);
    for (name, value) in system.entries() {
        if name != "conversation_id" {
            shown.insert(format!("sys.{name}"), value.to_json(urls));
        }
    }
    Value::Object(shown)
}

/// Follows the engine's events: first what must be stored, then what clients are told.
struct Task {
    runs: Runs,
    guard: RunGuard,
    facts: RunFacts,
    owner: Owner,
    run_id: WorkflowRunId,
    nodes_from: &'static str,
    /// Runs of the editor leave variables behind.
    drafts: Option<Keeper>,
    origin: Origin,
    is_resumed: bool,
    lookup: Arc<dyn Lookup>,
}
