//! What a graph must be like to be saved or published.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::WorkflowError;

/// The node type of webhooks.
pub const TRIGGER_WEBHOOK: &str = "trigger-webhook";
/// The node type of schedules.
pub const TRIGGER_SCHEDULE: &str = "trigger-schedule";
/// The node type of plugins' events.
pub const TRIGGER_PLUGIN: &str = "trigger-plugin";

/// Whether nodes of this type start runs from outside.
#[must_use]
pub fn is_trigger(node_type: &str) -> bool {
    matches!(node_type, TRIGGER_WEBHOOK | TRIGGER_SCHEDULE | TRIGGER_PLUGIN)
}

/// A node of a graph: its id and `data`.
#[derive(Debug, Clone, Copy)]
pub struct GraphNode<'g> {
    /// Its id.
    pub id: &'g str,
    /// What kind of node.
    pub kind: &'g str,
    /// Its settings.
    pub data: &'g Map<String, Value>,
    /// The node as it stands in the graph.
    pub whole: &'g Map<String, Value>,
}

impl<'g> GraphNode<'g> {
    /// A text of its settings; empty without one.
    #[must_use]
    pub fn text(&self, key: &str) -> &'g str {
        self.data.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The nodes of a graph that have settings.
pub fn nodes(graph: &Value) -> impl Iterator<Item = GraphNode<'_>> {
    let nodes = graph.get("nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    nodes.iter().filter_map(|node| {
        let whole = node.as_object()?;
        let data = whole.get("data")?.as_object()?;
        Some(GraphNode {
            id: whole.get("id").and_then(Value::as_str).unwrap_or_default(),
            kind: data.get("type").and_then(Value::as_str).unwrap_or_default(),
            data,
            whole,
        })
    })
}

/// The node with this id.
///
/// # Errors
/// [`WorkflowError::Invalid`] without one.
pub fn node<'g>(graph: &'g Value, id: &str) -> Result<GraphNode<'g>, WorkflowError> {
    nodes(graph).find(|node| node.id == id).ok_or_else(|| {
        WorkflowError::invalid(format!("Node with ID '{id}' not found in the workflow."))
    })
}

/// Checks a graph.
///
/// # Errors
/// [`WorkflowError::Invalid`].
pub fn check(graph: &Value) -> Result<(), WorkflowError> {
    let has = |wanted: fn(&str) -> bool| nodes(graph).any(|node| wanted(node.kind));
    if has(|kind| kind == "start") && has(is_trigger) {
        return Err(WorkflowError::invalid(
            "Start node and trigger nodes cannot coexist in the same workflow",
        ));
    }
    for node in nodes(graph).filter(|node| node.kind == "human-input") {
        graph::nodes::FormSettings::read(node.data).map_err(|message| {
            WorkflowError::invalid(format!("Invalid HumanInput node data: {message}"))
        })?;
    }
    Ok(())
}

/// Whether the graph marks the node as one of those inside an iteration or a loop. As in the reference only marks beside
/// the settings count, not those in them.
#[must_use]
pub fn is_enclosed(node: GraphNode<'_>) -> bool {
    let is_set = |key: &str| node.whole.get(key).and_then(Value::as_bool) == Some(true);
    is_set("isInIteration") || is_set("isInLoop")
}

/// The knowledge bases its retrieval nodes ask.
#[must_use]
pub fn datasets(graph: &Value) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = nodes(graph)
        .filter(|node| node.kind == "knowledge-retrieval")
        .filter_map(|node| node.data.get("dataset_ids")?.as_array())
        .flatten()
        .filter_map(|id| id.as_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn start_and_triggers_exclude_each_other() {
        let node = |kind: &str| json!({"id": kind, "data": {"type": kind}});
        let graph = |kinds: &[&str]| json!({"nodes": kinds.iter().map(|kind| node(kind)).collect::<Vec<_>>()});
        assert!(check(&graph(&["start", "end"])).is_ok());
        assert!(check(&graph(&["trigger-webhook", "trigger-schedule"])).is_ok());
        assert!(check(&graph(&["start", "trigger-plugin"])).is_err());
        assert!(check(&json!({})).is_ok());
    }

    #[test]
    fn datasets_are_found_once() {
        let id = "00000000-0000-4000-8000-000000000001";
        let graph = json!({"nodes": [
            {"id": "a", "data": {"type": "knowledge-retrieval", "dataset_ids": [id, "x"]}},
            {"id": "b", "data": {"type": "knowledge-retrieval", "dataset_ids": [id]}},
            {"id": "c", "data": {"type": "llm", "dataset_ids": ["00000000-0000-4000-8000-000000000002"]}},
        ]});
        assert_eq!(datasets(&graph), [id.parse::<Uuid>().unwrap()]);
    }
}
