//! Runs the state machine on tokio: a run is one task, its nodes are futures inside it.
//!
//! Nodes that only compute run in place and in order. Nodes that call out run side by side, at
//! most [`Limits::max_parallel`] of a run and a fixed number of an app, so that one heavy app
//! cannot take all of the machine. Nothing polls: the task sleeps until something happens.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::{DateTime, Utc};
use futures::{
    FutureExt as _, StreamExt as _,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use types::AppId;

use crate::{
    error::GraphError,
    event::{EngineEvent, RunStats},
    file::FileUrls,
    graph::Graph,
    machine::{Action, Input, Limits, Machine, Start},
    node::{Clock, Ids, Node, NodeCtx, NodeError, NodeEvents, Outcome, RunInfo, TaskId},
    pool::{Selector, VariablePool},
    segment::Segment,
};

/// Events of nodes that may wait for the engine.
const REPORTS: usize = 64;

/// A request to a running run.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// Stop. The terminal event says `Aborted: {reason}`.
    Abort {
        /// Why.
        reason: String,
    },
    /// Pause when the running nodes have ended.
    Pause {
        /// Why.
        reason: String,
    },
    /// Set a variable.
    Set {
        /// Which: two elements.
        selector: Selector,
        /// To what.
        value: Segment,
    },
}

/// What a run is made of.
#[derive(Clone)]
pub struct Setup {
    /// The graph.
    pub graph: Arc<Graph>,
    /// Whose run it is.
    pub info: Arc<RunInfo>,
    /// Its bounds.
    pub limits: Limits,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// What is left of a run that ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its variables.
    pub pool: Arc<VariablePool>,
    /// What it used.
    pub stats: RunStats,
}

/// Runs runs. One for the process.
#[derive(Debug)]
pub struct Executor {
    slots_per_app: usize,
    apps: Mutex<HashMap<AppId, Weak<Semaphore>>>,
}

impl Executor {
    /// An executor that runs at most `slots_per_app` nodes that call out of one app at a time.
    #[must_use]
    pub fn new(slots_per_app: usize) -> Self {
        Self { slots_per_app: slots_per_app.max(1), apps: Mutex::default() }
    }

    /// Runs a new run until its terminal event. Events go to `events`; when its other end is
    /// gone, the run stops at once. Dropping the future cancels everything that runs.
    pub async fn start(
        &self,
        setup: &Setup,
        pool: VariablePool,
        control: mpsc::Receiver<Control>,
        events: mpsc::Sender<EngineEvent>,
    ) -> Ended {
        let (graph, ids) = (Arc::clone(&setup.graph), Arc::clone(&setup.ids));
        let machine = Machine::new(graph, pool, setup.limits, ids, setup.clock.now());
        self.run(setup, machine, control, events).await
    }

    /// Goes on with a paused run, see [`Executor::start`]. `state` is
    /// [`crate::GraphEvent::RunPaused`]'s.
    ///
    /// # Errors
    /// [`GraphError::State`] when the state does not fit the graph.
    pub async fn resume(
        &self,
        setup: &Setup,
        state: &str,
        urls: &Arc<dyn FileUrls>,
        control: mpsc::Receiver<Control>,
        events: mpsc::Sender<EngineEvent>,
    ) -> Result<Ended, GraphError> {
        let (graph, ids) = (Arc::clone(&setup.graph), Arc::clone(&setup.ids));
        let machine = Machine::resume(graph, state, urls, setup.limits, ids, setup.clock.now())?;
        Ok(self.run(setup, machine, control, events).await)
    }

    async fn run(
        &self,
        setup: &Setup,
        mut machine: Machine,
        mut control: mpsc::Receiver<Control>,
        events: mpsc::Sender<EngineEvent>,
    ) -> Ended {
        let (sender, mut reports) = mpsc::channel(REPORTS);
        let mut shell = Shell {
            setup,
            sender,
            slots: self.slots(setup.info.app_id),
            running: FuturesUnordered::new(),
            sleeping: FuturesUnordered::new(),
            handles: HashMap::new(),
        };
        let deadline = tokio::time::sleep(setup.limits.max_time);
        tokio::pin!(deadline);
        loop {
            while let Some(action) = machine.next_action(setup.clock.now()) {
                let result = match action {
                    Action::Emit(event) => {
                        // Whoever hears the events may be slow; a stop does not wait for that.
                        let place = loop {
                            tokio::select! {
                                biased;
                                place = events.reserve() => break place,
                                Some(request) = control.recv() => {
                                    machine.handle(setup.clock.now(), request.into());
                                    if machine.is_finished() {
                                        shell.stop();
                                    }
                                }
                            }
                        };
                        let Ok(place) = place else {
                            return Ended { pool: machine.pool(), stats: machine.stats() };
                        };
                        place.send(*event);
                        continue;
                    }
                    Action::Run(start) => shell.start(start),
                    Action::Sleep { task, duration } => {
                        let sleep = tokio::time::sleep(duration);
                        shell.sleeping.push(Box::pin(sleep.map(move |()| task)));
                        None
                    }
                    Action::Cancel { task } => {
                        shell.cancel(task);
                        None
                    }
                };
                if let Some((task, result)) = result {
                    finish(&mut machine, setup.clock.now(), &mut reports, task, result);
                }
            }
            if machine.is_finished() {
                return Ended { pool: machine.pool(), stats: machine.stats() };
            }
            tokio::select! {
                biased;
                Some(request) = control.recv() => {
                    machine.handle(setup.clock.now(), request.into());
                }
                Some((task, event)) = reports.recv() => {
                    machine.handle(setup.clock.now(), Input::Report { task, event });
                }
                Some((task, result)) = shell.running.next() => {
                    shell.handles.remove(&task);
                    if let Some(result) = result {
                        finish(&mut machine, setup.clock.now(), &mut reports, task, result);
                    }
                }
                Some(task) = shell.sleeping.next() => {
                    machine.handle(setup.clock.now(), Input::Slept { task });
                }
                () = &mut deadline => machine.handle(setup.clock.now(), Input::Deadline),
            }
        }
    }

    /// The slots of an app, as long as it has runs.
    fn slots(&self, app: AppId) -> Arc<Semaphore> {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slots) = apps.get(&app).and_then(Weak::upgrade) {
            return slots;
        }
        apps.retain(|_, slots| slots.strong_count() > 0);
        let slots = Arc::new(Semaphore::new(self.slots_per_app));
        apps.insert(app, Arc::downgrade(&slots));
        slots
    }
}

impl From<Control> for Input {
    fn from(control: Control) -> Self {
        match control {
            Control::Abort { reason } => Self::Abort { reason },
            Control::Pause { reason } => Self::Pause { reason },
            Control::Set { selector, value } => Self::Set { selector, value },
        }
    }
}

type NodeResult = Result<Outcome, NodeError>;

/// What runs of a run. `None` as result: it was cancelled.
struct Shell<'a> {
    setup: &'a Setup,
    sender: mpsc::Sender<(TaskId, crate::NodeEvent)>,
    slots: Arc<Semaphore>,
    running: FuturesUnordered<BoxFuture<'static, (TaskId, Option<NodeResult>)>>,
    sleeping: FuturesUnordered<BoxFuture<'static, TaskId>>,
    handles: HashMap<TaskId, (CancellationToken, AbortHandle)>,
}

impl Shell<'_> {
    /// Starts a node; its result, if it only computes.
    fn start(&mut self, start: Start) -> Option<(TaskId, NodeResult)> {
        let task = start.task;
        let setup = self.setup;
        let (Some(leaf), Some(node)) = (setup.graph.leaf(start.node), setup.graph.node(start.node))
        else {
            return Some((task, Err(NodeError::uncaught("the node is not in the graph"))));
        };
        let cancel = CancellationToken::new();
        let ctx = NodeCtx {
            node_id: Arc::clone(&node.config.id),
            title: Arc::clone(&node.config.title),
            execution_id: start.execution_id,
            attempt: start.attempt,
            pool: start.pool,
            run: Arc::clone(&setup.info),
            events: NodeEvents { task, sender: self.sender.clone() },
            cancel: cancel.clone(),
            clock: Arc::clone(&setup.clock),
            ids: Arc::clone(&setup.ids),
        };
        // A workflow called as a tool runs on its caller's slot: waiting for one of its own while
        // callers hold them all would never end.
        let is_pure = leaf.is_pure();
        let slots = (!is_pure && setup.info.call_depth == 0).then(|| Arc::clone(&self.slots));
        let mut future = execute(Arc::clone(leaf), ctx, slots).boxed();
        match (&mut future).now_or_never() {
            Some(result) if is_pure => return Some((task, result)),
            // However fast it was, the nodes beside it start before it counts: one that pauses the run would leave them
            // for later.
            Some(result) => future = std::future::ready(result).boxed(),
            None => {}
        }
        let (handle, registration) = AbortHandle::new_pair();
        self.handles.insert(task, (cancel, handle));
        let future = Abortable::new(future, registration);
        self.running.push(future.map(move |result| (task, result.ok())).boxed());
        None
    }

    /// Drops everything that runs, down to the sockets.
    fn stop(&mut self) {
        for (token, _) in self.handles.values() {
            token.cancel();
        }
        self.handles.clear();
        self.running.clear();
        self.sleeping.clear();
    }

    fn cancel(&mut self, task: TaskId) {
        if let Some((token, handle)) = self.handles.remove(&task) {
            token.cancel();
            handle.abort();
        }
    }
}

async fn execute(node: Arc<dyn Node>, ctx: NodeCtx, slots: Option<Arc<Semaphore>>) -> NodeResult {
    // The semaphore is never closed; without a permit the node would run all the same.
    let _slot = match slots {
        Some(slots) => slots.acquire_owned().await.ok(),
        None => None,
    };
    let run = AssertUnwindSafe(node.run(&ctx)).catch_unwind().await;
    match run {
        Ok(result) => result,
        Err(_) => Err(NodeError::uncaught("the node failed unexpectedly")),
    }
}

/// Hands over a result, after everything the node reported before.
fn finish(
    machine: &mut Machine,
    now: DateTime<Utc>,
    reports: &mut mpsc::Receiver<(TaskId, crate::NodeEvent)>,
    task: TaskId,
    result: NodeResult,
) {
    while let Ok((task, event)) = reports.try_recv() {
        machine.handle(now, Input::Report { task, event });
    }
    machine.handle(now, Input::Finished { task, result });
}

/// The real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}
