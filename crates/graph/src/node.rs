//! What a node is: it reads the pool, sends events while it runs, and returns outputs. It knows
//! neither the graph nor the run's storage.

mod config;
mod outcome;
mod run;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::{
    config::NodeConfig,
    outcome::{AgentLog, Metadata, NodeError, NodeOutput, Outcome},
    run::{InvokeFrom, RunInfo, UserFrom},
};
use crate::{
    error::GraphError,
    pool::{Selector, VariablePool},
    segment::Segment,
};

/// The handle that nodes without branches leave by.
pub const SOURCE_HANDLE: &str = "source";

/// Named outputs; the type of a segment goes into the pool with it.
pub type Outputs = IndexMap<String, Segment>;

/// How the engine treats a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionKind {
    /// A node that runs and continues on all its edges.
    Executable,
    /// A node whose outputs are the run's outputs: answer, end.
    Response,
    /// A node that continues on the edges of one handle.
    Branch,
    /// A node that runs the nodes inside it.
    Container,
    /// A node that a run can start with.
    Root,
}

/// Builds nodes from their configuration. All nodes of a graph are built before the run starts.
pub trait NodeFactory: Send + Sync {
    /// The node, or `None` if this factory does not know the type. An unknown version means the
    /// newest. Containers (`iteration`, `loop`) never arrive here: the engine runs them itself.
    ///
    /// # Errors
    /// [`GraphError`] when the configuration is not valid.
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError>;
}

/// Two factories: what the first does not know is asked of the second.
impl<A: NodeFactory, B: NodeFactory> NodeFactory for (A, B) {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        match self.0.create(config)? {
            Some(node) => Ok(Some(node)),
            None => self.1.create(config),
        }
    }
}

impl<T: NodeFactory + ?Sized> NodeFactory for Arc<T> {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        (**self).create(config)
    }
}

/// A node, built once per run and used for all its executions (attempts, rounds): it keeps no
/// state between them.
#[async_trait]
pub trait Node: Send + Sync {
    /// Runs the node once. Dropping the future cancels the execution down to the socket; long
    /// work on other threads watches [`NodeCtx::cancel`].
    ///
    /// # Errors
    /// [`NodeError`]; the engine applies retries and the error strategy.
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError>;

    /// How the engine treats the node.
    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Executable
    }

    /// Checks before the run starts what the node needs (credentials, models); called by
    /// [`crate::Graph::prepare`].
    ///
    /// # Errors
    /// The text with which the whole run fails.
    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let _ = run;
        Ok(())
    }

    /// Whether `retry_config` counts: code, llm, http-request and tool nodes.
    fn retryable(&self) -> bool {
        false
    }

    /// Whether the node only computes: it then runs without a slot of its app.
    fn is_pure(&self) -> bool {
        false
    }

    /// The template that is streamed while the run goes on; response nodes only.
    fn response_template(&self) -> Option<Vec<TemplatePart>> {
        None
    }

    /// Whether the node writes one of `selectors`: response templates that read it then wait
    /// until the node has run.
    fn writes(&self, selectors: &[Selector]) -> bool {
        let _ = selectors;
        false
    }

    /// What `node_started` tells beyond the common fields.
    fn start_info(&self) -> StartInfo {
        StartInfo::default()
    }

    /// The variables the node reads, for running it alone: `"{node}.#{a.b}#"` or
    /// `"{node}.{name}"` → selector.
    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let _ = node_id;
        IndexMap::new()
    }
}

/// Extra facts of `node_started`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StartInfo {
    /// Tool nodes: `builtin`, `api` …
    pub provider_type: Option<String>,
    /// Tool, datasource and trigger nodes: where the icon comes from.
    pub provider_id: Option<String>,
    /// Agent nodes: `{"name", "icon"}`.
    pub agent_strategy: Option<serde_json::Value>,
}

/// A piece of the template of a response node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Literal text.
    Text(String),
    /// A variable.
    Variable(Selector),
}

/// What a node may use while it runs.
pub struct NodeCtx {
    /// The node's id in the graph.
    pub node_id: Arc<str>,
    /// The node's title.
    pub title: Arc<str>,
    /// Id of this execution; attempts of one execution share it.
    pub execution_id: Arc<str>,
    /// 0 for the first attempt.
    pub attempt: u32,
    /// The variables as they were when the node started.
    pub pool: Arc<VariablePool>,
    /// The run.
    pub run: Arc<RunInfo>,
    /// Takes events while the node runs.
    pub events: NodeEvents,
    /// Cancelled when the run stops.
    pub cancel: CancellationToken,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
}

/// The time, so that a run can be replayed.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// New ids, so that a run can be replayed.
pub trait Ids: Send + Sync {
    /// A new id of a node execution: a UUID as text.
    fn next(&self) -> String;
}

/// Takes the events of a running node.
#[derive(Debug, Clone)]
pub struct NodeEvents {
    pub(crate) task: TaskId,
    pub(crate) sender: mpsc::Sender<(TaskId, NodeEvent)>,
}

impl NodeEvents {
    /// A sink and its other end, for tests of single nodes and for running one node alone.
    #[must_use]
    pub fn channel(capacity: usize) -> (Self, mpsc::Receiver<(TaskId, NodeEvent)>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (Self { task: TaskId(0), sender }, receiver)
    }

    /// Sends an event; waits while the run is behind. Events of a run that ended are dropped.
    pub async fn send(&self, event: NodeEvent) {
        // The receiver is gone only when the run is, and then nobody needs the event.
        let _ = self.sender.send((self.task, event)).await;
    }

    /// Sends a piece of a text output.
    pub async fn chunk(&self, selector: &[&str], text: impl Into<String>, is_final: bool) {
        self.send(NodeEvent::Chunk {
            selector: selector.iter().map(|&it| it.to_owned()).collect(),
            text: text.into(),
            is_final,
        })
        .await;
    }
}

/// Names one attempt of a node inside the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId(pub u64);

/// What a node may report while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeEvent {
    /// A piece of a text output. The last one has `is_final`, and may be empty.
    Chunk {
        /// The output: `[node id, name]`.
        selector: Selector,
        /// The piece.
        text: String,
        /// Whether no more follow.
        is_final: bool,
    },
    /// Sources used for an answer.
    RetrieverResources {
        /// `RetrievalSourceMetadata` objects.
        resources: Vec<serde_json::Value>,
        /// The text put into the prompt.
        context: String,
    },
    /// A step of an agent.
    AgentLog(Box<AgentLog>),
    /// A form was filled in.
    FormFilled {
        /// Markdown with what was filled in.
        rendered_content: String,
        /// The button.
        action_id: String,
        /// Its title.
        action_text: String,
    },
    /// A form timed out.
    FormTimeout {
        /// When.
        expiration_time: DateTime<Utc>,
    },
}

/// How often and after what time a failed node is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retry {
    /// Attempts after the first.
    pub max_retries: u32,
    /// Before each.
    pub interval: Duration,
}
