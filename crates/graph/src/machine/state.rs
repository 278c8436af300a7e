//! What a run knows: the part that is stored when it pauses, and its tasks.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    event::EngineEvent,
    graph::{EdgeIndex, Graph, NodeIndex},
    node::NodeError,
    pause::PauseReason,
    pool::{PoolState, Selector},
    usage::Usage,
    value::{Object, Value},
};

/// Names a frame.
pub(super) type FrameId = u32;
/// The frame of the whole run.
pub(super) const TOP: FrameId = 0;

/// A paused run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) version: u32,
    /// Node ids, to recognise the graph.
    pub(super) graph: Vec<Arc<str>>,
    pub(super) state: State,
    pub(super) pools: BTreeMap<u32, PoolState>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) frames: BTreeMap<FrameId, Frame>,
    pub(super) next_frame: FrameId,
    pub(super) next_pool: u32,
    pub(super) next_task: u64,
    /// Number of the last started attempt.
    pub(super) index: u32,
    /// In the order in which they start.
    pub(super) ready: VecDeque<Ready>,
    pub(super) pause_reasons: Vec<PauseReason>,
}

/// A node that may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) frame: FrameId,
    pub(super) node: NodeIndex,
}

/// State of a node or edge in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Mark {
    #[default]
    #[serde(rename = "u")]
    Unknown,
    #[serde(rename = "t")]
    Taken,
    #[serde(rename = "s")]
    Skipped,
}

/// A walk over the graph: the run itself, or one round of a container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) parent: Option<Parent>,
    pub(super) root: NodeIndex,
    pub(super) started_at: DateTime<Utc>,
    nodes: Vec<Mark>,
    edges: Vec<Mark>,
    pub(super) executions: BTreeMap<NodeIndex, Execution>,
    /// Nodes that are ready, running, waiting or paused; the frame is over at zero.
    pub(super) pending: usize,
    /// Which pool it reads and writes; rounds of loops share their parent's.
    pub(super) pool: u32,
    pub(super) outputs: Object,
    pub(super) tokens: i64,
    pub(super) usage: Usage,
    pub(super) exceptions: u32,
    pub(super) steps: u32,
    /// Nodes that asked for the pause.
    pub(super) paused: Vec<NodeIndex>,
    pub(super) containers: BTreeMap<NodeIndex, ContainerRun>,
    pub(super) responses: Responses,
    pub(super) tags: Tags,
    /// A loop-end node ran.
    pub(super) break_reached: bool,
    /// Events kept until the round is over. Never stored: a pause releases them.
    #[serde(skip)]
    pub(super) held: Option<Vec<EngineEvent>>,
}

/// The container a frame is a round of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parent {
    pub(super) frame: FrameId,
    pub(super) node: NodeIndex,
    /// From 0.
    pub(super) round: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) id: Arc<str>,
    pub(super) retries: u32,
}

/// What events of a frame say about the containers around it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tags {
    pub(super) in_iteration: Option<Arc<str>>,
    pub(super) in_loop: Option<Arc<str>>,
    /// `iteration_id`, `iteration_index`, `loop_id`, `loop_index` of the innermost ones.
    pub(super) entries: Object,
}

/// A container that is running its rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ContainerRun {
    pub(super) started_at: DateTime<Utc>,
    pub(super) inputs: Object,
    pub(super) root: NodeIndex,
    /// Number of the next round.
    pub(super) next: usize,
    pub(super) usage: Usage,
    /// Seconds by round.
    pub(super) durations: Object,
    pub(super) rounds: Rounds,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Rounds {
    Iteration {
        items: Vec<Value>,
        /// Results so far; one for every item when rounds run in parallel.
        results: Vec<Value>,
        /// Rounds that are over.
        done: usize,
    },
    Loop {
        count: usize,
        outputs: Object,
        /// Loop variables by round.
        variables: Object,
        broken: bool,
    },
}

/// The streaming of response templates.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Responses {
    /// Response nodes that are not certain to be reached yet, in the order of the graph.
    pub(super) uncertain: Vec<NodeIndex>,
    pub(super) active: Option<Session>,
    pub(super) waiting: VecDeque<Session>,
    pub(super) streams: Vec<Stream>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) node: NodeIndex,
    /// Parts that are out.
    pub(super) index: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stream {
    pub(super) selector: Selector,
    /// Not sent yet, with whether it is the last one.
    pub(super) chunks: VecDeque<(String, bool)>,
    pub(super) closed: bool,
}

/// An attempt that is running or waiting to be repeated.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) frame: FrameId,
    pub(super) node: NodeIndex,
    pub(super) started_at: DateTime<Utc>,
    pub(super) wait: Wait,
    pub(super) failed: Option<Box<NodeError>>,
}

/// What an attempt waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Node,
    Retry,
}

impl Frame {
    pub(super) fn new(graph: &Graph, root: NodeIndex, pool: u32, now: DateTime<Utc>) -> Self {
        let responses = graph.nodes().iter().enumerate();
        let uncertain = responses.filter_map(|(index, node)| node.response.as_ref().map(|_| index));
        Self {
            parent: None,
            root,
            started_at: now,
            nodes: vec![Mark::Unknown; graph.nodes().len()],
            edges: vec![Mark::Unknown; graph.edges().len()],
            executions: BTreeMap::new(),
            pending: 0,
            pool,
            outputs: Object::new(),
            tokens: 0,
            usage: Usage::default(),
            exceptions: 0,
            steps: 0,
            paused: Vec::new(),
            containers: BTreeMap::new(),
            responses: Responses { uncertain: uncertain.collect(), ..Responses::default() },
            tags: Tags::default(),
            break_reached: false,
            held: None,
        }
    }

    pub(super) fn node(&self, index: NodeIndex) -> Mark {
        self.nodes.get(index).copied().unwrap_or_default()
    }

    pub(super) fn edge(&self, index: EdgeIndex) -> Mark {
        self.edges.get(index).copied().unwrap_or_default()
    }

    pub(super) fn mark_node(&mut self, index: NodeIndex, mark: Mark) {
        if let Some(node) = self.nodes.get_mut(index) {
            *node = mark;
        }
    }

    pub(super) fn mark_edge(&mut self, index: EdgeIndex, mark: Mark) {
        if let Some(edge) = self.edges.get_mut(index) {
            *edge = mark;
        }
    }

    /// The start node of a round is not told of.
    pub(super) fn is_silent(&self, node: NodeIndex) -> bool {
        self.parent.is_some() && node == self.root
    }

    pub(super) fn add_usage(&mut self, usage: &Usage) {
        if usage.total_tokens > 0 {
            self.usage = self.usage.plus(usage);
        }
    }

    /// Merges outputs of a response node: answers are joined, others replaced.
    pub(super) fn add_outputs(&mut self, outputs: impl IntoIterator<Item = (String, Value)>) {
        for (name, value) in outputs {
            let value = match self.outputs.get(&name) {
                Some(before) if name == "answer" && before.is_truthy() => {
                    Value::from(before.py_str() + &value.py_str())
                }
                _ => value,
            };
            self.outputs.insert(name, value);
        }
    }
}
