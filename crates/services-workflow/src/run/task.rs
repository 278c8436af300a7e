//! The task of a run: engine, log, rows.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use app_engine::{
    AppEvent, RunError, RunKey,
    hub::RunGuard,
    wire::Detail,
    workflow::{
        RunFacts,
        present::{Lookup, Presenter, STOPPED_BY_MODERATION, STOPPED_BY_USER, Shown, aborted},
        record::{NodeRow, Recorder, RunEnd},
    },
};
use chrono::{DateTime, Utc};
use db::{
    message_file::{self, MessageFile},
    run_batch::{self, Begun},
    run_record::Owner,
};
use futures::FutureExt;
use graph::{
    Control, EngineEvent, FileUrls, Graph, GraphEvent, InvokeFrom, Limits, RandomIds, RunInfo,
    RunStats, Setup, SystemClock, SystemVariables, VariablePool,
    value::{Object, object_to_json},
};
use serde_json::{Map, Value};
use services_core::Fault;
use tokio::sync::mpsc;
use tokio::time::Instant;
use types::{AccountId, WorkflowRunId};
use uuid::Uuid;

use super::{
    RunFailure, RunRequest, Runner, Runs, Started,
    chat::{Asked, Ending, SavedTurn, Turn},
    is_simple,
    lanes::MOST_NODES,
    pause::{Origin, Pause, Paused},
    store, webhook,
};
use crate::draft_variable::{ran::Keeper, save::truncator};

/// Events that may wait for the log and the rows.
const EVENTS: usize = 256;

/// Nodes of one run that call out at the same time: as many branches as people draw really run side by side.
const MOST_PARALLEL: usize = 64;

/// Rows of ended nodes wait at most about this long while the run goes on.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// What rows of nodes of whole runs say of where they come from.
pub(super) const WORKFLOW_RUN: &str = "workflow-run";

/// The same for runs of a part of a draft.
pub(super) const SINGLE_STEP: &str = "single-step";

/// How often the end of a run is tried to be stored before the run is given up to the reaper.
const STORE_ATTEMPTS: u32 = 5;

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
    let (app, runner) = (&new.request.app, &new.request.runner);
    let claim = super::stop::claim(&runs.ctx, app, runner, new.task);
    let (inserted, ()) = tokio::join!(insert(runs, &new, None), claim);
    inserted?;
    Ok(launch(runs, new, None))
}

/// Lets a stored run run.
pub(super) fn launch(runs: &Runs, new: New, turn: Option<Turn>) -> Started {
    let origin = origin(&new);
    let mut guard = runs.hub.register(new.task);
    guard.also(RunKey::WorkflowRun(new.run_id.0));
    let simple = is_simple(new.request.invoke_from);
    // Set once: the run is new.
    let _ = guard.run().detail.set(if simple { Detail::Simple } else { Detail::Full });
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
        let both = async { tokio::join!(engine, task.follow(events, control, turn)).1 };
        // A bug must not leave a run that nobody ends.
        let ended = AssertUnwindSafe(both).catch_unwind().await;
        if !ended.unwrap_or(false) {
            tracing::error!(run.id = %task.run_id, "a run ended without a word");
            store::give_up(&task.runs.ctx, task.run_id, message, BROKEN).await;
            task.guard.run().log.push(AppEvent::Error(RunError::internal()));
        }
    });
    started
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

/// What a task waits for.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack, for nearly every event the large one"
)]
enum Heard {
    Event(Option<EngineEvent>),
    Abort(&'static str),
}

impl Task {
    /// Whether the run's end was seen.
    async fn follow(
        &self,
        mut events: mpsc::Receiver<EngineEvent>,
        control: mpsc::Sender<Control>,
        mut turn: Option<Turn>,
    ) -> bool {
        let mut presenter = Presenter::new(self.facts.clone(), Arc::clone(&self.lookup));
        let mut recorder = Recorder::new(self.facts.clone());
        let mut flushed = Instant::now();
        let log = &self.guard.run().log;
        if let Some(turn) = &mut turn {
            turn.open(log);
        }
        let mut is_stopping = false;
        loop {
            let event = match self.hear(&mut events, turn.as_mut(), is_stopping).await {
                Heard::Event(None) => return false,
                Heard::Event(Some(event)) => event,
                Heard::Abort(reason) => {
                    is_stopping = true;
                    // A run that does not listen any more is ending by itself.
                    let _ = control.send(Control::Abort { reason: reason.to_owned() }).await;
                    continue;
                }
            };
            if let Some(drafts) = &self.drafts {
                drafts.note(&self.runs.ctx, &event).await;
            }
            if let Some(turn) = &mut turn {
                turn.hear(&event.event).await;
            }
            if let Some(end) = recorder.record(&event) {
                let is_over = end.finished_at.is_some();
                self.end(&mut presenter, &event, end, recorder.take(true), turn).await;
                // Another process may have been told where the end of a run that waited goes.
                let is_hooked = is_over && self.runs.hooked().remove(&self.run_id);
                if is_hooked || (is_over && self.is_resumed) {
                    webhook::ended(&self.runs.ctx, self.run_id).await;
                }
                return true;
            }
            if FLUSH_AFTER <= flushed.elapsed() {
                flushed = Instant::now();
                let rows = recorder.snapshot();
                let (ctx, run) = (&self.runs.ctx, Some(self.run_id));
                if let Err(err) = store::nodes(ctx, self.owner, run, self.nodes_from, rows).await {
                    tracing::warn!(error = %err, "executions of nodes are stored with the end of the run instead");
                    recorder.keep_all();
                }
            }
            for shown in presenter.present(&event) {
                match (shown, &mut turn) {
                    (Shown::Text(chunk, text), Some(turn)) => turn.say(log, &chunk, &text),
                    (Shown::Text(chunk, text), None) => log.push_text(&chunk, &text),
                    (Shown::Event(event), _) => log.push(event),
                }
            }
        }
    }

    async fn hear(
        &self,
        events: &mut mpsc::Receiver<EngineEvent>,
        turn: Option<&mut Turn>,
        is_stopping: bool,
    ) -> Heard {
        let run = self.guard.run();
        let moderated = async {
            match turn {
                Some(turn) => turn.moderated(&run.log).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = events.recv() => Heard::Event(event),
            () = run.cancel.cancelled(), if !is_stopping => Heard::Abort(
                if run.is_stopped_by_user() { STOPPED_BY_USER } else { "The server is stopping." },
            ),
            () = moderated, if !is_stopping => Heard::Abort(STOPPED_BY_MODERATION),
        }
    }

    /// Stores the end of a run, then tells of it.
    async fn end(
        &self,
        presenter: &mut Presenter,
        event: &EngineEvent,
        end: RunEnd,
        rows: Vec<NodeRow>,
        turn: Option<Turn>,
    ) {
        let run = self.guard.run();
        let (ending, stats) = ending(&event.event);
        let mut shown = Vec::new();
        if ending == Ending::Paused {
            // What clients read of it is part of what is stored.
            shown = events(presenter, event);
        }
        let paused = match &event.event {
            GraphEvent::RunPaused { reasons, state, .. } => {
                Some(Paused { reasons, state, shown: shown.last().and_then(data) })
            }
            _ => None,
        };
        let Some(mut turn) = turn else {
            let rest = Rest { message: None, paused, turn: None };
            if !self.store_end(rows, &end, rest).await {
                run.log.push(AppEvent::Error(RunError::internal()));
                return;
            }
            self.tell(presenter, event, shown);
            return;
        };
        if ending == Ending::Done {
            turn.judge(&run.log).await;
        }
        let message = Some(turn.rows(&ending, stats, None));
        let saved = paused.is_some().then(|| turn.saved());
        let rest = Rest { message, paused, turn: saved };
        let stored = self.store_end(rows, &end, rest).await;
        if stored {
            if ending == Ending::Done {
                run.log.push(turn.message_end(stats, None));
            }
            self.tell(presenter, event, shown);
        } else {
            run.log.push(AppEvent::Error(RunError::internal()));
        }
        turn.close(run.task, ending, stats, None, !stored).await;
    }

    /// Tells of the last event, unless that was written already.
    fn tell(&self, presenter: &mut Presenter, event: &EngineEvent, mut shown: Vec<AppEvent>) {
        if shown.is_empty() {
            shown = events(presenter, event);
        }
        for event in shown {
            self.guard.run().log.push(event);
        }
    }

    async fn store_end(&self, rows: Vec<NodeRow>, end: &RunEnd, rest: Rest<'_>) -> bool {
        let ctx = &self.runs.ctx;
        // Values that are too large for a row go to files first.
        let is_plain = rest.message.is_none()
            && rest.paused.is_none()
            && !self.is_resumed
            && rows.iter().all(|row| row.whole.is_empty());
        if is_plain && rows.len() <= MOST_NODES {
            let ended = store::ended(self.owner, self.run_id, self.nodes_from, rows, end);
            let written = self.runs.lanes.ends.write(ended).await;
            return written.map_err(|err| self.lost(&err)).is_ok();
        }
        let mut pause = Duration::from_millis(100);
        for attempt in 1..=STORE_ATTEMPTS {
            let stored = async {
                let paused = match &rest.paused {
                    None => None,
                    Some(paused) => {
                        let turn = rest.turn.clone();
                        Some(Pause::save(ctx, &self.origin, turn, paused).await?)
                    }
                };
                let message = rest.message.as_ref().map(|(row, files)| (row, files.as_slice()));
                let ended = store::End {
                    owner: self.owner,
                    origin: &self.origin,
                    from: self.nodes_from,
                    end,
                    message,
                    paused: paused.as_ref(),
                    is_resumed: self.is_resumed,
                };
                store::end(ctx, ended, rows.clone()).await
            };
            let Err(err) = stored.await else {
                if rest.paused.is_some() {
                    self.go_on_if_answered().await;
                }
                return true;
            };
            if attempt == STORE_ATTEMPTS {
                self.lost(&err);
                return false;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        false
    }
}

impl Task {
    fn lost(&self, err: &(dyn std::error::Error + 'static)) {
        tracing::error!(run.id = %self.run_id, error = err, "the end of a run could not be stored");
    }

    /// A form may have been filled in while the rest of the run was still ending.
    async fn go_on_if_answered(&self) {
        let ctx = &self.runs.ctx;
        let asked = async {
            let mut conn = ctx.db.acquire().await?;
            let is_answered = db::chatflow::is_answered(&mut conn, self.run_id).await?;
            drop(conn);
            if is_answered { crate::queue::resume(ctx, self.run_id).await } else { Ok(()) }
        };
        if let Err(err) = asked.await {
            let err: Fault = err;
            tracing::warn!(error = %err, "a run that may go on waits for the next sweep");
        }
    }
}

/// What is stored beside the end of a part of a run.
struct Rest<'a> {
    message: Option<(db::message::Ended, Vec<MessageFile>)>,
    /// How it waits.
    paused: Option<Paused<'a>>,
    turn: Option<SavedTurn>,
}

fn events(presenter: &mut Presenter, event: &EngineEvent) -> Vec<AppEvent> {
    let shown = presenter.present(event).into_iter();
    shown
        .filter_map(|shown| match shown {
            Shown::Event(event) => Some(event),
            Shown::Text(..) => None,
        })
        .collect()
}

fn data(event: &AppEvent) -> Option<&Value> {
    match event {
        AppEvent::Workflow(event) => Some(&event.full),
        _ => None,
    }
}

/// How a run ended, as its message says it.
fn ending(event: &GraphEvent) -> (Ending, Option<&RunStats>) {
    match event {
        GraphEvent::RunSucceeded { stats, .. } | GraphEvent::RunPartialSucceeded { stats, .. } => {
            (Ending::Done, Some(stats))
        }
        GraphEvent::RunFailed { error, stats, .. } => (Ending::Failed(error.clone()), Some(stats)),
        GraphEvent::RunAborted { reason, stats, .. } => match aborted(reason) {
            ("stopped", _) => (Ending::Stopped, Some(stats)),
            (_, error) => (Ending::Failed(error), Some(stats)),
        },
        GraphEvent::RunPaused { stats, .. } => (Ending::Paused, Some(stats)),
        _ => (Ending::Done, None),
    }
}
