//! Why a graph cannot be run.

/// A graph that cannot be run. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GraphError {
    #[error("nodes or edges not found in workflow graph")]
    Missing,
    #[error("nodes in workflow graph must be a list")]
    NodesNotList,
    #[error("edges in workflow graph must be a list")]
    EdgesNotList,
    #[error("Graph must have at least one node")]
    Empty,
    #[error("Root node id {0} not found in the graph")]
    RootNotFound(String),
    #[error("Unable to determine default root node ID from workflow graph")]
    NoRoot,
    #[error("No class mapping found for node type: {0}")]
    UnknownType(String),
    /// Problems of edges and of the root, joined with `; `.
    #[error("{0}")]
    Invalid(String),
    /// The settings of a node are not what its type needs.
    #[error("{message}")]
    InvalidNode { node_id: String, message: String },
    /// A node's preparation failed.
    #[error("{0}")]
    Prepare(String),
    #[error("Max workflow call depth {0} reached.")]
    CallDepth(u32),
    /// A stored state does not belong to this graph or cannot be read.
    #[error("the stored state of the run cannot be used: {0}")]
    State(String),
}
