//! The task of a run: engine, log, rows.

use std::{sync::Arc, time::Duration};

use app_engine::{
    AppEvent, RunKey,
    hub::RunGuard,
    workflow::{
        RunFacts,
        present::{Presenter, STOPPED_BY_USER, Shown},
        record::Recorder,
    },
};
use db::{run_batch::Begun, run_record::Owner};
use graph::{
    Control, EngineEvent, FileUrls, Graph, InvokeFrom, Limits, RandomIds, RunInfo, Setup,
    SystemClock, SystemVariables, VariablePool,
    value::{Object, object_to_json},
};
use serde_json::{Map, Value};
use services_core::Fault;
use tokio::sync::mpsc;
use tokio::time::Instant;
use types::WorkflowRunId;
use uuid::Uuid;

use super::{RunFailure, RunRequest, Runs, Started, is_simple, lanes::MOST_NODES, store};

/// Events that may wait for the log and the rows.
const EVENTS: usize = 256;

/// Nodes of one run that call out at the same time: as many branches as people draw really run side by side.
const MOST_PARALLEL: usize = 64;

/// Rows of ended nodes wait at most about this long while the run goes on.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// How often the end of a run is tried to be stored before the run is given up to the reaper.
const STORE_ATTEMPTS: u32 = 5;

/// Everything a new run is made of.
pub(super) struct New {
    pub(super) info: Arc<RunInfo>,
    pub(super) graph: Arc<Graph>,
    pub(super) pool: VariablePool,
    pub(super) shown: Value,
    pub(super) kept: Value,
    pub(super) run_id: WorkflowRunId,
    pub(super) task: Uuid,
    pub(super) owner: Owner,
    pub(super) request: RunRequest,
}

/// Stores the run as running, then lets it run.
pub(super) async fn start(runs: &Runs, new: New) -> Result<Started, RunFailure> {
    let now = runs.ctx.now();
    let (app, runner) = (&new.request.app, &new.request.runner);
    let claim = super::stop::claim(&runs.ctx, app, runner, new.task);
    let (inserted, ()) = tokio::join!(insert(runs, &new, now.naive_utc()), claim);
    inserted?;
    let mut guard = runs.hub.register(new.task);
    guard.also(RunKey::WorkflowRun(new.run_id.0));
    let started = Started {
        run: Arc::clone(guard.run()),
        run_id: new.run_id,
        workflow_id: new.request.workflow.id,
        created_at: now.timestamp(),
    };
    let facts = RunFacts {
        run_id: new.run_id.to_string(),
        workflow_id: new.request.workflow.id.to_string(),
        created_by: new.request.runner.shown(),
        inputs: new.shown,
        created_at: now,
        earlier_steps: 0,
        is_simple: is_simple(new.request.invoke_from),
        urls: Arc::clone(&runs.urls),
    };
    let setup = Setup {
        graph: new.graph,
        info: new.info,
        limits: limits(runs),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    let run = Task { runs: runs.clone(), guard, facts, owner: new.owner, run_id: new.run_id };
    let pool = new.pool;
    runs.ctx.spawn(async move {
        let (control, requests) = mpsc::channel(8);
        let (sender, events) = mpsc::channel(EVENTS);
        let executor = Arc::clone(&run.runs.executor);
        let engine = executor.start(&setup, pool, requests, sender);
        tokio::join!(engine, run.follow(events, control));
    });
    Ok(started)
}

async fn insert(runs: &Runs, new: &New, now: chrono::NaiveDateTime) -> Result<(), RunFailure> {
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
        logged_from: logged_from(request.invoke_from),
    };
    runs.lanes.begins.write(row).await.map_err(Fault::from)?;
    Ok(())
}

/// What `workflow_app_logs.created_from` says; runs of the editor are not logged.
fn logged_from(invoke_from: InvokeFrom) -> Option<&'static str> {
    match invoke_from {
        InvokeFrom::ServiceApi | InvokeFrom::Trigger => Some("service-api"),
        InvokeFrom::WebApp => Some("web-app"),
        InvokeFrom::Explore => Some("installed-app"),
        InvokeFrom::Debugger | InvokeFrom::Published | InvokeFrom::Validation => None,
    }
}

fn limits(runs: &Runs) -> Limits {
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
}

impl Task {
    async fn follow(self, mut events: mpsc::Receiver<EngineEvent>, control: mpsc::Sender<Control>) {
        let mut presenter = Presenter::new(self.facts.clone(), Arc::clone(&self.runs.lookup));
        let mut recorder = Recorder::new(self.facts.clone());
        let mut flushed = Instant::now();
        let cancel = self.guard.run().cancel.clone();
        let mut is_stopping = false;
        loop {
            let event = tokio::select! {
                biased;
                event = events.recv() => event,
                () = cancel.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    let reason = if self.guard.run().is_stopped_by_user() {
                        STOPPED_BY_USER
                    } else {
                        "The server is stopping."
                    };
                    // A run that does not listen any more is ending by itself.
                    let _ = control.send(Control::Abort { reason: reason.to_owned() }).await;
                    continue;
                }
            };
            let Some(event) = event else { return };
            let end = recorder.record(&event);
            if let Some(end) = &end {
                self.store_end(recorder.take(true), end).await;
            } else if FLUSH_AFTER <= flushed.elapsed() {
                flushed = Instant::now();
                let rows = recorder.snapshot();
                if let Err(err) = store::nodes(&self.runs.ctx, self.owner, self.run_id, rows).await
                {
                    tracing::warn!(error = %err, "executions of nodes are stored with the end of the run instead");
                    recorder.keep_all();
                }
            }
            let log = &self.guard.run().log;
            for shown in presenter.present(&event) {
                match shown {
                    Shown::Text(chunk, text) => log.push_text(&chunk, &text),
                    Shown::Event(event) => log.push(event),
                }
            }
            if end.is_some() {
                return;
            }
        }
    }

    async fn store_end(
        &self,
        rows: Vec<app_engine::workflow::record::NodeRow>,
        end: &app_engine::workflow::record::RunEnd,
    ) {
        if rows.len() <= MOST_NODES {
            let ended = store::ended(self.owner, self.run_id, rows, end);
            if let Err(err) = self.runs.lanes.ends.write(ended).await {
                self.lost(&err);
            }
            return;
        }
        let mut pause = Duration::from_millis(100);
        for attempt in 1..=STORE_ATTEMPTS {
            let stored =
                store::end(&self.runs.ctx, self.owner, self.run_id, rows.clone(), end).await;
            let Err(err) = stored else { return };
            if attempt == STORE_ATTEMPTS {
                return self.lost(&err);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    fn lost(&self, err: &(dyn std::error::Error + 'static)) {
        tracing::error!(run.id = %self.run_id, error = err, "the end of a run could not be stored");
        self.guard.run().log.push(AppEvent::Error(app_engine::RunError::internal()));
    }
}
