//! What the engine tells about a run. Recorders and SSE writers need nothing else.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    node::{AgentLog, Metadata, Outputs, StartInfo},
    pause::PauseReason,
    pool::Selector,
    usage::Usage,
    value::Object,
};

/// An event with the time it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub event: GraphEvent,
}

/// One execution of a node. Attempts of it share the execution id; rounds of containers do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRef {
    /// Id of the row.
    pub execution_id: Arc<str>,
    /// Id in the graph.
    pub node_id: Arc<str>,
    /// `llm`, `if-else` …
    pub node_type: Arc<str>,
    /// `data.version`.
    pub version: Arc<str>,
    /// `data.title`.
    pub title: Arc<str>,
    /// The outermost iteration around the node.
    pub in_iteration_id: Option<Arc<str>>,
    /// The outermost loop around the node.
    pub in_loop_id: Option<Arc<str>>,
}

/// Why a run started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartReason {
    /// It is new.
    Initial,
    /// It was paused.
    Resumption,
}

impl StartReason {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Resumption => "resumption",
        }
    }
}

/// What a run has used so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunStats {
    /// Tokens of all nodes.
    pub total_tokens: i64,
    /// Executions of nodes outside containers, attempts counted.
    pub steps: u32,
    /// Failed attempts outside containers.
    pub exceptions_count: u32,
    /// Usage of all model calls. As in the reference, calls inside containers count twice here.
    pub usage: Usage,
}

/// How an attempt of a node ended; failed ones carry what the node reported.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeResult {
    /// When the attempt started.
    pub started_at: DateTime<Utc>,
    /// The node's inputs.
    pub inputs: Object,
    /// Beside.
    pub process_data: Object,
    /// The node's outputs.
    pub outputs: Outputs,
    /// With `iteration_id`/`iteration_index`/`loop_id`/`loop_index` inside containers.
    pub metadata: Metadata,
    /// Of the node's model calls.
    pub usage: Option<Usage>,
    /// The handle it left by.
    pub handle: Option<String>,
    /// Retries before this attempt.
    pub retries: u32,
}

/// What happened.
///
/// Order: exactly one `RunStarted`, then node events, then exactly one of `RunSucceeded`,
/// `RunPartialSucceeded`, `RunFailed`, `RunAborted`, `RunPaused`. Every `NodeStarted` is followed
/// by one of `NodeSucceeded`, `NodeFailed`, `NodeException`, `NodeRetry`, `NodePaused`,
/// `NodeCancelled` of the same execution. Chunks that a node's end unlocks come before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum GraphEvent {
    /// The run goes on.
    RunStarted {
        /// New or resumed.
        reason: StartReason,
    },
    /// An attempt of a node starts. Writers show only the first attempt (`attempt == 0`) and
    /// nothing of `iteration`, `loop`.
    NodeStarted {
        /// Which.
        node: NodeRef,
        /// Running number of started attempts in this run, from 1: the row's `index`.
        index: u32,
        /// 0 for the first.
        attempt: u32,
        /// Icon and strategy.
        info: StartInfo,
    },
    /// A node ended well.
    NodeSucceeded {
        /// Which.
        node: NodeRef,
        /// How.
        result: Box<NodeResult>,
    },
    /// A node failed and the run (or round) with it.
    NodeFailed {
        /// Which.
        node: NodeRef,
        /// How.
        result: Box<NodeResult>,
        /// Why.
        error: String,
        /// The kind of error.
        error_type: String,
    },
    /// A node failed and its error strategy went on (status `exception`). On the wire its error
    /// is `Unknown error`; the row keeps the text.
    NodeException {
        /// Which.
        node: NodeRef,
        /// The outputs of the strategy.
        result: Box<NodeResult>,
        /// Why.
        error: String,
    },
    /// An attempt failed; the waiting time is over and the next attempt follows.
    NodeRetry {
        /// Which.
        node: NodeRef,
        /// The failed attempt.
        result: Box<NodeResult>,
        /// Why.
        error: String,
        /// 1 for the first retry.
        retry_index: u32,
    },
    /// A node asked for a pause; it runs again after.
    NodePaused {
        /// Which.
        node: NodeRef,
        /// Why.
        reason: PauseReason,
        /// When the attempt started.
        started_at: DateTime<Utc>,
    },
    /// A running node was cut off because its run or round ended. For rows only: clients are not
    /// told.
    NodeCancelled {
        /// Which.
        node: NodeRef,
        /// Why the run or round ended.
        error: String,
        /// When the attempt started.
        started_at: DateTime<Utc>,
    },
    /// A piece of the answer.
    Chunk {
        /// The node it comes from; the response node for texts and variables of no node.
        node: NodeRef,
        /// The variable; `[response node, "answer"]` for literal text.
        selector: Selector,
        /// The piece.
        text: String,
        /// Whether it is the last of its variable.
        is_final: bool,
    },
    /// Sources of an answer.
    RetrieverResources {
        /// The node that retrieved.
        node: NodeRef,
        /// `RetrievalSourceMetadata` objects.
        resources: Vec<serde_json::Value>,
        /// The text put into the prompt.
        context: String,
    },
    /// A step of an agent.
    AgentLog {
        /// The node.
        node: NodeRef,
        /// The step.
        log: Box<AgentLog>,
    },
    /// A form was filled in.
    FormFilled {
        /// The node.
        node: NodeRef,
        /// Markdown with what was filled in.
        rendered_content: String,
        /// The button.
        action_id: String,
        /// Its title.
        action_text: String,
    },
    /// A form timed out.
    FormTimeout {
        /// The node.
        node: NodeRef,
        /// When.
        expiration_time: DateTime<Utc>,
    },
    /// An iteration or loop starts its rounds.
    ContainerStarted {
        /// The container.
        node: NodeRef,
        /// Which kind.
        container: Container,
        /// `iterator_selector`, or `loop_count` and the loop variables.
        inputs: Object,
        /// `iteration_length` or `loop_length`.
        length: usize,
    },
    /// Iterations: round `index` starts (from 0). Loops: `index` rounds are done (from 1).
    ContainerNext {
        /// The container.
        node: NodeRef,
        /// Which kind.
        container: Container,
        /// See above.
        index: usize,
    },
    /// The rounds are over; the container's own `NodeSucceeded` or `NodeFailed` follows.
    ContainerFinished {
        /// The container.
        node: NodeRef,
        /// Which kind.
        container: Container,
        /// When it started.
        started_at: DateTime<Utc>,
        /// As in `ContainerStarted`.
        inputs: Object,
        /// `output`, or the loop variables and `loop_round`.
        outputs: Object,
        /// With `iteration_duration_map`, `loop_duration_map`, `loop_variable_map`,
        /// `completed_reason`.
        metadata: Metadata,
        /// Number of items, or of planned rounds.
        steps: usize,
        /// Why it failed. On the wire the field is null even then.
        error: Option<String>,
    },
    /// The run ended well.
    RunSucceeded {
        /// Of the response nodes.
        outputs: Object,
        /// Totals.
        stats: RunStats,
    },
    /// The run ended; error strategies or retries handled failures on the way.
    RunPartialSucceeded {
        /// Of the response nodes.
        outputs: Object,
        /// Totals.
        stats: RunStats,
    },
    /// The run failed.
    RunFailed {
        /// The failed node's error.
        error: String,
        /// What response nodes produced before.
        outputs: Object,
        /// Totals.
        stats: RunStats,
    },
    /// The run was stopped.
    RunAborted {
        /// `Aborted: …`
        reason: String,
        /// What response nodes produced before.
        outputs: Object,
        /// Totals.
        stats: RunStats,
    },
    /// The run waits.
    RunPaused {
        /// Why; never empty.
        reasons: Vec<PauseReason>,
        /// The nodes that asked.
        paused_nodes: Vec<String>,
        /// What response nodes produced so far.
        outputs: Object,
        /// Totals.
        stats: RunStats,
        /// The state to resume from: JSON, see `Machine::resume`.
        state: Arc<str>,
    },
}

/// Kind of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Runs once for every item of a list.
    Iteration,
    /// Runs until a condition holds.
    Loop,
}

impl GraphEvent {
    /// Whether no event follows.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::RunSucceeded { .. }
                | Self::RunPartialSucceeded { .. }
                | Self::RunFailed { .. }
                | Self::RunAborted { .. }
                | Self::RunPaused { .. }
        )
    }
}
