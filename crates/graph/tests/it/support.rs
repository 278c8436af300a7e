//! A fake node whose behaviour is written in its `data`, and a driver that runs a machine by hand.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use graph::{
    Action, Clock, ExecutionKind, FileUrls, Graph, GraphError, GraphEvent, Ids, Input, InvokeFrom,
    Limits, Machine, NoUrls, Node, NodeConfig, NodeCtx, NodeError, NodeEvent, NodeEvents,
    NodeFactory, NodeOutput, Object, Outcome, PauseReason, PureNodes, RunInfo, Segment, Start,
    SystemVariables, TaskId, Usage, UserFrom, VariablePool,
    pause::{Form, Forms, NewForm},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use types::{AppId, TenantId};

/// `data` of a fake node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Fake {
    /// Variables that its output is made of.
    pub reads: Vec<Vec<String>>,
    /// What it adds to them.
    pub salt: i64,
    /// A fixed output instead.
    pub value: Option<Json>,
    /// Attempts that fail; -1: all.
    pub fails: i64,
    /// Fails when the sum of what it reads is even.
    pub fails_on_even: bool,
    /// Its handles, if it is a branch: it selects one by the sum of what it reads.
    pub handles: Vec<String>,
    /// Pieces of its `text` output.
    pub chunks: Vec<String>,
    /// Asks for a pause the first time.
    pub pauses: bool,
    pub retryable: bool,
    pub tokens: i64,
    pub abort: bool,
}

impl Fake {
    /// The sum of everything it reads, and its salt.
    pub fn sum(&self, pool: &VariablePool) -> i64 {
        let mut sum = self.salt;
        for selector in &self.reads {
            let text = pool.get(selector).map(|it| it.text()).unwrap_or_default();
            for byte in text.bytes() {
                sum = sum.wrapping_mul(31).wrapping_add(i64::from(byte)) % 1_000_003;
            }
        }
        sum.abs()
    }

    /// What an attempt gives.
    pub fn result(&self, pool: &VariablePool, attempt: u32) -> Result<NodeOutput, NodeError> {
        let sum = self.sum(pool);
        let fails = self.fails < 0
            || i64::from(attempt) < self.fails
            || (self.fails_on_even && sum % 2 == 0);
        let usage = Usage { total_tokens: self.tokens, ..Usage::default() };
        if fails {
            let mut error = NodeError::new(format!("boom {}", self.salt), "FakeError");
            error.abort_run = self.abort;
            return Err(error);
        }
        let value = self.value.clone().unwrap_or_else(|| json!(sum));
        let mut outputs = graph::Outputs::new();
        outputs.insert("out".to_owned(), Segment::from(value));
        if !self.chunks.is_empty() {
            outputs.insert("text".to_owned(), Segment::from(self.chunks.concat()));
        }
        let handle = usize::try_from(sum).unwrap_or_default().checked_rem(self.handles.len());
        Ok(NodeOutput {
            outputs,
            usage: (self.tokens > 0).then_some(usage),
            handle: handle.and_then(|it| self.handles.get(it).cloned()),
            ..NodeOutput::default()
        })
    }
}

#[async_trait]
impl Node for Fake {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        for (index, chunk) in self.chunks.iter().enumerate() {
            let last = index + 1 == self.chunks.len();
            ctx.events.chunk(&[&ctx.node_id, "text"], chunk.as_str(), last).await;
        }
        self.result(&ctx.pool, ctx.attempt).map(Outcome::from)
    }

    fn kind(&self) -> ExecutionKind {
        if self.handles.is_empty() { ExecutionKind::Executable } else { ExecutionKind::Branch }
    }

    fn retryable(&self) -> bool {
        self.retryable
    }
}

/// Knows `fake` beside the nodes of the crate.
pub struct Factory;

struct NoForms;

#[async_trait]
impl Forms for NoForms {
    async fn find(&self, _: &RunInfo, _: &str, _: &str) -> Result<Option<Form>, String> {
        Ok(None)
    }

    async fn time_out(&self, _: &RunInfo, _: &str) -> Result<bool, String> {
        Err("no forms here".to_owned())
    }

    async fn create(&self, _run: &RunInfo, _form: NewForm) -> Result<Form, String> {
        Err("no forms here".to_owned())
    }
}

impl NodeFactory for Factory {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        if &*config.node_type == "fake" {
            return Ok(Some(Arc::new(config.parse::<Fake>()?)));
        }
        PureNodes { template_max_length: 400_000, forms: Arc::new(NoForms) }.create(config)
    }
}

/// Ids that count.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Ids for Counter {
    fn next(&self) -> String {
        format!("e{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A time that stands still.
pub struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

pub fn run_info() -> Arc<RunInfo> {
    Arc::new(RunInfo {
        tenant_id: TenantId(uuid::Uuid::nil()),
        app_id: AppId(uuid::Uuid::nil()),
        user_id: "u".to_owned(),
        user_from: UserFrom::EndUser,
        invoke_from: InvokeFrom::ServiceApi,
        workflow_id: "w".to_owned(),
        workflow_run_id: "r".to_owned(),
        call_depth: 0,
    })
}

/// Takes events for nobody.
static NOBODY: LazyLock<NodeEvents> = LazyLock::new(|| NodeEvents::channel(1).0);

/// A context to run one node in.
pub fn node_ctx(node_id: &str, pool: Arc<VariablePool>, attempt: u32) -> NodeCtx {
    NodeCtx {
        node_id: Arc::from(node_id),
        title: Arc::from(node_id),
        execution_id: Arc::from("e"),
        attempt,
        pool,
        run: run_info(),
        events: NOBODY.clone(),
        cancel: tokio_util::sync::CancellationToken::new(),
        clock: Arc::new(Still),
        ids: Arc::new(Counter::default()),
    }
}

/// A node of graph JSON.
pub fn node(id: &str, mut data: Json) -> Json {
    data["title"] = json!(id);
    json!({"id": id, "data": data})
}

/// `start` of graph JSON.
pub fn start() -> Json {
    node("start", json!({"type": "start", "variables": []}))
}

/// Edges `"a>b"` or `"a:handle>b"` of graph JSON.
pub fn edges(list: &[&str]) -> Json {
    let edge = |text: &&str| {
        let (source, target) = text.split_once('>').unwrap();
        let (source, handle) = source.split_once(':').unwrap_or((source, "source"));
        json!({"source": source, "sourceHandle": handle, "target": target})
    };
    list.iter().map(edge).collect()
}

/// A graph of `start` and `nodes`.
pub fn graph(nodes: &[Json], links: &[&str]) -> Arc<Graph> {
    let mut all = vec![start()];
    all.extend_from_slice(nodes);
    let json = json!({"nodes": all, "edges": edges(links)});
    Arc::new(Graph::parse(&json, None, &Factory).unwrap())
}

/// A pool with inputs.
pub fn pool(inputs: Json) -> VariablePool {
    let inputs: Object = serde_json::from_value(inputs).unwrap();
    let system = SystemVariables { query: Some("hi".to_owned()), ..Default::default() };
    VariablePool::new(system, inputs, Arc::new(NoUrls))
}

/// Runs a machine by hand: what runs and sleeps is ended when the test says so.
pub struct Driver {
    pub graph: Arc<Graph>,
    pub machine: Machine,
    pub limits: Limits,
    pub ids: Arc<dyn Ids>,
    pub now: DateTime<Utc>,
    pub running: Vec<Start>,
    pub sleeping: Vec<TaskId>,
    pub events: Vec<GraphEvent>,
    /// Executions that have paused before.
    paused: HashSet<Arc<str>>,
    info: Arc<RunInfo>,
    /// Settings of the fake nodes.
    fakes: Arc<Fakes>,
}

/// Settings of fake nodes by node id.
pub type Fakes = HashMap<Arc<str>, Fake>;

/// The fake nodes of a graph.
pub fn fakes(graph: &Graph) -> Fakes {
    let fakes = graph.nodes().iter().filter(|it| &*it.config.node_type == "fake");
    fakes.map(|it| (Arc::clone(&it.config.id), it.config.parse::<Fake>().unwrap())).collect()
}

impl Driver {
    pub fn new(graph: Arc<Graph>, pool: VariablePool, limits: Limits) -> Self {
        let fakes = Arc::new(fakes(&graph));
        Self::with_fakes(graph, pool, limits, fakes)
    }

    pub fn with_fakes(
        graph: Arc<Graph>,
        pool: VariablePool,
        limits: Limits,
        fakes: Arc<Fakes>,
    ) -> Self {
        let ids: Arc<dyn Ids> = Arc::new(Counter::default());
        let now = DateTime::UNIX_EPOCH;
        let machine = Machine::new(Arc::clone(&graph), pool, limits, Arc::clone(&ids), now);
        let mut driver = Self {
            graph,
            machine,
            limits,
            ids,
            now,
            running: Vec::new(),
            sleeping: Vec::new(),
            events: Vec::new(),
            paused: HashSet::new(),
            info: run_info(),
            fakes,
        };
        driver.drain();
        driver
    }

    /// Does what can be done at once.
    fn drain(&mut self) {
        while let Some(action) = self.machine.next_action(self.now) {
            match action {
                Action::Emit(event) => self.events.push(event.event),
                Action::Run(start) => self.start(start),
                Action::Sleep { task, .. } => self.sleeping.push(task),
                Action::Cancel { task } => {
                    self.running.retain(|it| it.task != task);
                    self.sleeping.retain(|&it| it != task);
                }
            }
        }
    }

    fn start(&mut self, start: Start) {
        // Nodes that only compute end at once, as in the executor.
        let leaf = Arc::clone(self.graph.leaf(start.node).unwrap());
        if leaf.is_pure() {
            let result = self.result(&start);
            self.machine.handle(self.now, Input::Finished { task: start.task, result });
        } else {
            self.running.push(start);
        }
    }

    fn result(&mut self, start: &Start) -> Result<Outcome, NodeError> {
        let id = Arc::clone(&self.graph.nodes()[start.node].config.id);
        if let Some(fake) = self.fakes.get(&id) {
            if fake.pauses && self.paused.insert(Arc::clone(&start.execution_id)) {
                return Ok(Outcome::Pause(PauseReason::Scheduled { message: id.to_string() }));
            }
            return fake.result(&start.pool, start.attempt).map(Outcome::from);
        }
        let mut ctx = node_ctx(&id, Arc::clone(&start.pool), start.attempt);
        ctx.run = Arc::clone(&self.info);
        let leaf = Arc::clone(self.graph.leaf(start.node).unwrap());
        leaf.run(&ctx).now_or_never().unwrap()
    }

    fn input(&mut self, input: Input) {
        self.now += TimeDelta::milliseconds(10);
        self.machine.handle(self.now, input);
        self.drain();
    }

    /// Ends the running node at a position, after its chunks.
    pub fn finish(&mut self, position: usize) {
        let start = self.running.remove(position);
        let result = self.result(&start);
        let id = Arc::clone(&self.graph.nodes()[start.node].config.id);
        let chunks = self.fakes.get(&id).map(|it| it.chunks.clone()).unwrap_or_default();
        if result.is_ok() {
            for (index, text) in chunks.iter().enumerate() {
                let event = NodeEvent::Chunk {
                    selector: vec![id.to_string(), "text".to_owned()],
                    text: text.clone(),
                    is_final: index + 1 == chunks.len(),
                };
                self.input(Input::Report { task: start.task, event });
            }
        }
        self.input(Input::Finished { task: start.task, result });
    }

    /// Ends the running node of an id.
    pub fn finish_id(&mut self, id: &str) {
        let nodes = self.graph.nodes();
        let position = self.running.iter().position(|it| &*nodes[it.node].config.id == id).unwrap();
        self.finish(position);
    }

    pub fn wake(&mut self, position: usize) {
        let task = self.sleeping.remove(position);
        self.input(Input::Slept { task });
    }

    pub fn abort(&mut self, reason: &str) {
        self.input(Input::Abort { reason: reason.to_owned() });
    }

    pub fn deadline(&mut self) {
        self.input(Input::Deadline);
    }

    pub fn pause(&mut self) {
        self.input(Input::Pause { reason: "later".to_owned() });
    }

    /// Ends everything in the order it started.
    pub fn run(&mut self) -> &mut Self {
        while !self.machine.is_finished() {
            if !self.running.is_empty() {
                self.finish(0);
            } else if self.sleeping.is_empty() {
                panic!("the run is stuck: {:?}", self.events);
            } else {
                self.wake(0);
            }
        }
        self
    }

    /// Goes on after a pause, from the stored state.
    pub fn resume(&mut self) {
        let Some(GraphEvent::RunPaused { state, .. }) = self.events.last() else {
            panic!("not paused: {:?}", self.events.last());
        };
        let state = Arc::clone(state);
        let urls: Arc<dyn FileUrls> = Arc::new(NoUrls);
        let (graph, ids) = (Arc::clone(&self.graph), Arc::clone(&self.ids));
        self.machine = Machine::resume(graph, &state, &urls, self.limits, ids, self.now).unwrap();
        self.drain();
    }

    /// The events in short, one text each.
    pub fn log(&self) -> Vec<String> {
        self.events.iter().map(short).collect()
    }
}

fn short(event: &GraphEvent) -> String {
    use GraphEvent as E;
    match event {
        E::RunStarted { reason } => format!("run {}", reason.as_str()),
        E::NodeStarted { node, attempt: 0, .. } => format!("+{}", node.node_id),
        E::NodeStarted { node, attempt, .. } => format!("+{}#{attempt}", node.node_id),
        E::NodeSucceeded { node, .. } => format!("-{}", node.node_id),
        E::NodeFailed { node, error, .. } => format!("!{} {error}", node.node_id),
        E::NodeException { node, error, .. } => format!("?{} {error}", node.node_id),
        E::NodeRetry { node, retry_index, .. } => format!("~{}#{retry_index}", node.node_id),
        E::NodePaused { node, .. } => format!("={}", node.node_id),
        E::NodeCancelled { node, .. } => format!("x{}", node.node_id),
        E::Chunk { selector, text, is_final, .. } => {
            format!("'{}' {}{}", text, selector.join("."), if *is_final { "." } else { "" })
        }
        E::RetrieverResources { node, .. } => format!("resources {}", node.node_id),
        E::AgentLog { node, .. } => format!("log {}", node.node_id),
        E::FormFilled { node, .. } => format!("filled {}", node.node_id),
        E::FormTimeout { node, .. } => format!("timeout {}", node.node_id),
        E::ContainerStarted { node, length, .. } => format!("[{} {length}", node.node_id),
        E::ContainerNext { node, index, .. } => format!("|{} {index}", node.node_id),
        E::ContainerFinished { node, steps, error: None, .. } => {
            format!("]{} {steps}", node.node_id)
        }
        E::ContainerFinished { node, error: Some(error), .. } => {
            format!("]{} {error}", node.node_id)
        }
        E::RunSucceeded { outputs, .. } => format!("succeeded {}", show(outputs)),
        E::RunPartialSucceeded { outputs, stats } => {
            format!("partial {} {}", stats.exceptions_count, show(outputs))
        }
        E::RunFailed { error, .. } => format!("failed {error}"),
        E::RunAborted { reason, .. } => reason.clone(),
        E::RunPaused { paused_nodes, .. } => format!("paused {}", paused_nodes.join(",")),
    }
}

fn show(outputs: &Object) -> String {
    graph::Value::object(outputs.clone()).py_json(false)
}
