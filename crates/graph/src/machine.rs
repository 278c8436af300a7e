//! The state machine of a run: inputs in, actions out. It holds everything a run knows and does
//! nothing by itself, so that a run can be paused into JSON and replayed from a seed.
//!
//! A run is a tree of frames. The top frame is the graph from its root; every round of a container
//! is a frame of its own over the same graph, from the container's start node.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    error::GraphError,
    event::{EngineEvent, GraphEvent, NodeRef, RunStats, StartReason},
    file::FileUrls,
    graph::{Graph, NodeIndex},
    node::{Ids, NodeError, NodeEvent, Outcome, TaskId},
    pause::PauseReason,
    pool::{Selector, VariablePool},
    segment::Segment,
};

mod finish;
mod respond;
mod rounds;
mod state;
mod traverse;

use state::{Frame, FrameId, Mark, Ready, State, Stored, TOP, Task, Wait};

/// Bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Started attempts of nodes, those inside containers too, before the run is aborted.
    pub max_steps: u32,
    /// Time before the run is aborted.
    pub max_time: Duration,
    /// Nodes of one run that run at the same time.
    pub max_parallel: usize,
}

impl Default for Limits {
    /// The reference's defaults.
    fn default() -> Self {
        Self { max_steps: 500, max_time: Duration::from_secs(1200), max_parallel: 10 }
    }
}

/// What happens to a run from outside.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an input is taken at once, never stored")]
pub enum Input {
    /// A running node reported something.
    Report {
        /// Which attempt.
        task: TaskId,
        /// What.
        event: NodeEvent,
    },
    /// A running node ended.
    Finished {
        /// Which attempt.
        task: TaskId,
        /// How.
        result: Result<Outcome, NodeError>,
    },
    /// The time of [`Action::Sleep`] is over.
    Slept {
        /// Which attempt.
        task: TaskId,
    },
    /// Stop the run; the terminal event says `Aborted: {reason}`.
    Abort {
        /// Why.
        reason: String,
    },
    /// Start nothing more and pause once the running nodes ended.
    Pause {
        /// Why.
        reason: String,
    },
    /// [`Limits::max_time`] is over.
    Deadline,
    /// Set a variable of the run.
    Set {
        /// Which: two elements.
        selector: Selector,
        /// To what.
        value: Segment,
    },
}

/// What has to be done for a run.
#[derive(Debug)]
pub enum Action {
    /// Tell this.
    Emit(Box<EngineEvent>),
    /// Run a node.
    Run(Start),
    /// Come back with [`Input::Slept`] after this time.
    Sleep {
        /// Which attempt waits.
        task: TaskId,
        /// How long.
        duration: Duration,
    },
    /// Drop a running or sleeping attempt.
    Cancel {
        /// Which.
        task: TaskId,
    },
}

/// An attempt to run.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its name.
    pub task: TaskId,
    /// The node.
    pub node: NodeIndex,
    /// Id of the execution.
    pub execution_id: Arc<str>,
    /// 0 for the first.
    pub attempt: u32,
    /// The variables it reads.
    pub pool: Arc<VariablePool>,
}

/// A run.
pub struct Machine {
    graph: Arc<Graph>,
    limits: Limits,
    ids: Arc<dyn Ids>,
    now: DateTime<Utc>,
    started_at: DateTime<Utc>,
    state: State,
    pools: BTreeMap<u32, Arc<VariablePool>>,
    tasks: BTreeMap<TaskId, Task>,
    actions: VecDeque<Action>,
    /// Attempts started since this process took the run.
    steps: u32,
    pausing: bool,
    ended: bool,
}

impl Machine {
    /// A new run of `graph` on `pool`. `ids` makes the ids of node executions.
    #[must_use]
    pub fn new(
        graph: Arc<Graph>,
        pool: VariablePool,
        limits: Limits,
        ids: Arc<dyn Ids>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut machine = Self {
            graph,
            limits,
            ids,
            now,
            started_at: now,
            state: State::default(),
            pools: BTreeMap::from([(0, Arc::new(pool))]),
            tasks: BTreeMap::new(),
            actions: VecDeque::new(),
            steps: 0,
            pausing: false,
            ended: false,
        };
        let root = machine.graph.root();
        let frame = Frame::new(&machine.graph, root, 0, now);
        machine.state.frames.insert(TOP, frame);
        machine.state.next_frame = TOP + 1;
        machine.skip_other_roots();
        machine.emit(TOP, GraphEvent::RunStarted { reason: StartReason::Initial });
        machine.enqueue(TOP, root);
        machine
    }

    /// The run of a stored state, from [`GraphEvent::RunPaused`], on the same graph.
    ///
    /// # Errors
    /// [`GraphError::State`] when the state is not one of this graph.
    pub fn resume(
        graph: Arc<Graph>,
        state: &str,
        urls: &Arc<dyn FileUrls>,
        limits: Limits,
        ids: Arc<dyn Ids>,
        now: DateTime<Utc>,
    ) -> Result<Self, GraphError> {
        let stored: Stored =
            serde_json::from_str(state).map_err(|err| GraphError::State(err.to_string()))?;
        if stored.graph != graph.fingerprint() {
            return Err(GraphError::State("it belongs to another graph".to_owned()));
        }
        let pools = stored
            .pools
            .into_iter()
            .map(|(id, pool)| (id, Arc::new(VariablePool::from_state(pool, Arc::clone(urls)))));
        let mut machine = Self {
            graph,
            limits,
            ids,
            now,
            started_at: now,
            pools: pools.collect(),
            state: stored.state,
            tasks: BTreeMap::new(),
            actions: VecDeque::new(),
            steps: 0,
            pausing: false,
            ended: false,
        };
        machine.state.pause_reasons.clear();
        machine.emit(TOP, GraphEvent::RunStarted { reason: StartReason::Resumption });
        let frames: Vec<FrameId> = machine.state.frames.keys().copied().collect();
        for frame in frames {
            let Some(it) = machine.state.frames.get_mut(&frame) else { continue };
            for node in std::mem::take(&mut it.paused) {
                it.mark_node(node, Mark::Taken);
                machine.state.ready.push_back(Ready { frame, node });
            }
        }
        machine.settle();
        Ok(machine)
    }

    /// Takes an input. Inputs of attempts that are over are ignored.
    pub fn handle(&mut self, now: DateTime<Utc>, input: Input) {
        self.now = now;
        if self.ended {
            return;
        }
        match input {
            Input::Report { task, event } => self.report(task, event),
            Input::Finished { task, result } => self.finished(task, result),
            Input::Slept { task } => self.slept(task),
            Input::Abort { reason } => self.abort(&reason),
            Input::Pause { reason } => {
                self.pausing = true;
                self.state.pause_reasons.push(PauseReason::Scheduled { message: reason });
            }
            Input::Deadline => {
                let elapsed = (now - self.started_at).as_seconds_f64();
                let limit = self.limits.max_time.as_secs();
                self.abort(&format!("Maximum execution time exceeded: {elapsed:.2}s > {limit}s"));
            }
            Input::Set { selector, value } => {
                if let Some(pool) = self.pools.get_mut(&0) {
                    Arc::make_mut(pool).set_selector(&selector, value);
                }
            }
        }
        self.settle();
    }

    /// The next action, if there is one now. Nodes are started one by one, each when everything
    /// before is done with, so that nodes that only compute run strictly in order.
    pub fn next_action(&mut self, now: DateTime<Utc>) -> Option<Action> {
        self.now = now;
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Some(action);
            }
            if self.ended || self.pausing {
                return None;
            }
            let running = self.tasks.values().filter(|it| it.wait == Wait::Node).count();
            if running >= self.limits.max_parallel.max(1) {
                return None;
            }
            let Ready { frame, node } = self.state.ready.pop_front()?;
            self.start(frame, node);
            self.settle();
        }
    }

    /// Whether the terminal event has been queued.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ended
    }

    /// The variables of the run.
    #[must_use]
    pub fn pool(&self) -> Arc<VariablePool> {
        self.pools.get(&0).cloned().unwrap_or_default()
    }

    /// What the run has used so far.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        let Some(top) = self.state.frames.get(&TOP) else { return RunStats::default() };
        RunStats {
            total_tokens: top.tokens,
            steps: top.steps,
            exceptions_count: top.exceptions,
            usage: top.usage.clone(),
        }
    }

    fn report(&mut self, task: TaskId, event: NodeEvent) {
        let Some(&Task { frame, node, .. }) = self.tasks.get(&task) else { return };
        if let NodeEvent::Chunk { selector, text, is_final } = event {
            self.stream(frame, selector, text, is_final);
            return;
        }
        let Some(node) = self.node_ref(frame, node) else { return };
        let event = match event {
            NodeEvent::Chunk { .. } => return,
            NodeEvent::RetrieverResources { resources, context } => {
                GraphEvent::RetrieverResources { node, resources, context }
            }
            NodeEvent::AgentLog(log) => GraphEvent::AgentLog { node, log },
            NodeEvent::FormFilled { rendered_content, action_id, action_text } => {
                GraphEvent::FormFilled { node, rendered_content, action_id, action_text }
            }
            NodeEvent::FormTimeout { expiration_time } => {
                GraphEvent::FormTimeout { node, expiration_time }
            }
        };
        self.emit(frame, event);
    }

    /// Starts a node that is ready.
    fn start(&mut self, frame: FrameId, node: NodeIndex) {
        let now = self.now;
        let Some(reference) = self.node_ref(frame, node) else { return };
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let attempt = it.executions.get(&node).map_or(0, |execution| execution.retries);
        if frame == TOP {
            it.steps += 1;
        }
        let (pool, silent) = (it.pool, it.is_silent(node));
        let leaf = self.graph.leaf(node);
        if !silent {
            self.steps += 1;
            self.state.index += 1;
            let info = leaf.map(|leaf| leaf.start_info()).unwrap_or_default();
            let event = GraphEvent::NodeStarted {
                node: reference.clone(),
                index: self.state.index,
                attempt,
                info,
            };
            self.emit(frame, event);
        }
        if self.graph.leaf(node).is_none() {
            self.start_container(frame, node, &reference);
            return;
        }
        let Some(pool) = self.pools.get(&pool).cloned() else { return };
        let task = TaskId(self.state.next_task);
        self.state.next_task += 1;
        self.tasks
            .insert(task, Task { frame, node, started_at: now, wait: Wait::Node, failed: None });
        let execution_id = reference.execution_id;
        self.actions.push_back(Action::Run(Start { task, node, execution_id, attempt, pool }));
    }

    /// Ends what can end: the pause once nothing runs.
    fn settle(&mut self) {
        if self.ended || !self.pausing || !self.tasks.is_empty() {
            return;
        }
        self.release_held();
        let mut paused_nodes = Vec::new();
        for frame in self.state.frames.values() {
            for &node in &frame.paused {
                if let Some(node) = self.graph.node(node) {
                    paused_nodes.push(node.config.id.to_string());
                }
            }
        }
        let stored = Stored {
            version: 1,
            graph: self.graph.fingerprint(),
            state: self.state.clone(),
            pools: self.pools.iter().map(|(&id, pool)| (id, pool.to_state())).collect(),
        };
        let state = match serde_json::to_string(&stored) {
            Ok(state) => state,
            Err(err) => return self.end_failed(format!("the run cannot be paused: {err}")),
        };
        let event = GraphEvent::RunPaused {
            reasons: self.state.pause_reasons.clone(),
            paused_nodes,
            outputs: self.outputs(),
            stats: self.stats(),
            state: Arc::from(state),
        };
        self.end(event);
    }

    fn abort(&mut self, reason: &str) {
        let reason = format!("Aborted: {reason}");
        self.cancel_all(&reason);
        let event = GraphEvent::RunAborted { reason, outputs: self.outputs(), stats: self.stats() };
        self.end(event);
    }

    fn end_failed(&mut self, error: String) {
        self.cancel_all(&error);
        let event = GraphEvent::RunFailed { error, outputs: self.outputs(), stats: self.stats() };
        self.end(event);
    }

    fn end_succeeded(&mut self) {
        let (outputs, stats) = (self.outputs(), self.stats());
        self.end(if stats.exceptions_count > 0 {
            GraphEvent::RunPartialSucceeded { outputs, stats }
        } else {
            GraphEvent::RunSucceeded { outputs, stats }
        });
    }

    fn end(&mut self, event: GraphEvent) {
        if self.ended {
            return;
        }
        self.release_held();
        self.emit(TOP, event);
        self.ended = true;
    }

    fn outputs(&self) -> crate::Object {
        self.state.frames.get(&TOP).map(|top| top.outputs.clone()).unwrap_or_default()
    }

    /// Tells an event of a frame, or keeps it until the frame's round is over.
    fn emit(&mut self, frame: FrameId, event: GraphEvent) {
        let event = EngineEvent { at: self.now, event };
        self.forward(Some(frame), event);
    }

    fn forward(&mut self, mut frame: Option<FrameId>, event: EngineEvent) {
        while let Some(id) = frame {
            let Some(it) = self.state.frames.get_mut(&id) else { break };
            if let Some(held) = &mut it.held {
                held.push(event);
                return;
            }
            frame = it.parent.map(|parent| parent.frame);
        }
        self.actions.push_back(Action::Emit(Box::new(event)));
    }

    /// Tells what a frame has kept.
    fn release(&mut self, frame: FrameId) {
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let parent = it.parent.map(|parent| parent.frame);
        for event in it.held.take().unwrap_or_default() {
            self.forward(parent, event);
        }
    }

    fn release_held(&mut self) {
        // Inner frames first: what they kept goes through the outer ones.
        let frames: Vec<FrameId> = self.state.frames.keys().rev().copied().collect();
        for frame in frames {
            self.release(frame);
        }
    }

    /// The node as events name it. Its execution id exists from the first time somebody asks.
    fn node_ref(&mut self, frame: FrameId, node: NodeIndex) -> Option<NodeRef> {
        let config = &self.graph.node(node)?.config;
        let frame = self.state.frames.get_mut(&frame)?;
        let execution = frame
            .executions
            .entry(node)
            .or_insert_with(|| state::Execution { id: Arc::from(self.ids.next()), retries: 0 });
        Some(NodeRef {
            execution_id: Arc::clone(&execution.id),
            node_id: Arc::clone(&config.id),
            node_type: Arc::clone(&config.node_type),
            version: Arc::clone(&config.version),
            title: Arc::clone(&config.title),
            in_iteration_id: frame.tags.in_iteration.clone(),
            in_loop_id: frame.tags.in_loop.clone(),
        })
    }

    /// The variables of a frame, to change them.
    fn pool_mut(&mut self, frame: FrameId) -> Option<&mut VariablePool> {
        let pool = self.state.frames.get(&frame)?.pool;
        self.pools.get_mut(&pool).map(Arc::make_mut)
    }
}
