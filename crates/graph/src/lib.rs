//! The workflow engine: a state machine over the graph JSON without I/O, clock or randomness of
//! its own, the variable pool, the nodes that only compute, and an executor on tokio.
//!
//! Invariant: the crate does no I/O; time and ids are injected, so a run replays from a seed.

pub mod condition;
mod container;
pub mod error;
pub mod event;
pub mod executor;
pub mod file;
pub mod graph;
pub mod machine;
pub mod node;
pub mod nodes;
pub mod pause;
pub mod pool;
pub mod segment;
pub mod truncate;
pub mod usage;
pub mod value;

pub use error::GraphError;
pub use event::{EngineEvent, GraphEvent, NodeRef, NodeResult, RunStats, StartReason};
pub use executor::{Control, Ended, Executor, RandomIds, Setup, SystemClock};
pub use file::{File, FileType, FileUrls, NoUrls, TransferMethod};
pub use graph::Graph;
pub use machine::{Action, Input, Limits, Machine, Start};
pub use node::{
    AgentLog, Clock, ExecutionKind, Ids, InvokeFrom, Metadata, Node, NodeConfig, NodeCtx,
    NodeError, NodeEvent, NodeEvents, NodeFactory, NodeOutput, Outcome, Outputs, RunInfo,
    StartInfo, TaskId, TemplatePart, UserFrom,
};
pub use nodes::PureNodes;
pub use pause::PauseReason;
pub use pool::{Selector, SystemVariables, VariablePool};
pub use segment::{Segment, SegmentType};
pub use truncate::Truncator;
pub use usage::Usage;
pub use value::{Object, Value};
