//! The graph of a workflow: nodes and edges of the stored JSON, checked and built.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::{
    condition::parse_float,
    container::{IterationConfig, LoopConfig},
    error::GraphError,
    node::{ExecutionKind, Node, NodeConfig, NodeFactory, Retry, RunInfo, TemplatePart},
    nodes::passive::Passive,
    pool::Selector,
    value::{Object, Value},
};

/// Position of a node in [`Graph::nodes`].
pub type NodeIndex = usize;
/// Position of an edge in [`Graph::edges`].
pub type EdgeIndex = usize;

/// Node types a run of its own starts with.
const START_TYPES: [&str; 5] =
    ["start", "datasource", "trigger-webhook", "trigger-schedule", "trigger-plugin"];

/// What happens after a node failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStrategy {
    /// Its `fail-branch` edges are taken.
    FailBranch,
    /// It goes on with default outputs.
    DefaultValue,
}

impl ErrorStrategy {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailBranch => "fail-branch",
            Self::DefaultValue => "default-value",
        }
    }
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where it starts.
    pub source: NodeIndex,
    /// Where it ends.
    pub target: NodeIndex,
    /// The handle of the source.
    pub handle: String,
}

/// What runs when a node runs.
pub(crate) enum Body {
    Leaf(Arc<dyn Node>),
    Iteration(IterationConfig),
    Loop(LoopConfig),
}

/// A node.
pub struct GraphNode {
    /// Id, type, title, data.
    pub config: NodeConfig,
    /// How the engine treats it; nodes with a fail branch are branches.
    pub kind: ExecutionKind,
    /// What happens when it failed for good.
    pub error_strategy: Option<ErrorStrategy>,
    /// Outputs of [`ErrorStrategy::DefaultValue`].
    pub default_values: Object,
    /// Only set for types that can be retried, and when enabled.
    pub retry: Retry,
    pub(crate) body: Body,
    pub(crate) response: Option<Response>,
}

/// The streamed template of a response node.
pub(crate) struct Response {
    pub(crate) parts: Vec<TemplatePart>,
    /// Edges that must be taken before the template may be streamed.
    pub(crate) blocking: Vec<bool>,
}

/// A checked graph, ready to run.
pub struct Graph {
    nodes: Vec<GraphNode>,
    edges: Vec<Edge>,
    out_edges: Vec<Vec<EdgeIndex>>,
    in_edges: Vec<Vec<EdgeIndex>>,
    by_id: HashMap<Arc<str>, NodeIndex>,
    root: NodeIndex,
    /// Variables that some response template streams.
    streamed: BTreeSet<Selector>,
}

impl Graph {
    /// Builds the graph of stored JSON. Without `root`, the run starts at the first start,
    /// datasource or trigger node.
    ///
    /// # Errors
    /// [`GraphError`] when the graph or the settings of a node are not valid.
    pub fn parse(
        json: &Json,
        root: Option<&str>,
        factory: &dyn NodeFactory,
    ) -> Result<Self, GraphError> {
        let (Some(nodes), Some(edges)) = (json.get("nodes"), json.get("edges")) else {
            return Err(GraphError::Missing);
        };
        let nodes = nodes.as_array().ok_or(GraphError::NodesNotList)?;
        let edges = edges.as_array().ok_or(GraphError::EdgesNotList)?;
        let root = match root {
            Some(root) => root.to_owned(),
            None => default_root(nodes).ok_or(GraphError::NoRoot)?,
        };
        let nodes: Vec<&Json> = nodes.iter().collect();
        let edges: Vec<&Json> = edges.iter().collect();
        let graph = Self::build(&nodes, &edges, root, factory)?;
        match graph.nodes.get(graph.root).and_then(root_issue) {
            Some(issue) => Err(GraphError::Invalid(issue)),
            None => Ok(graph),
        }
    }

    /// The graph of one node, and of the nodes inside it if it is a container: to run it alone.
    ///
    /// # Errors
    /// [`GraphError`] when there is no such node or its settings are not valid.
    pub fn single(json: &Json, id: &str, factory: &dyn NodeFactory) -> Result<Self, GraphError> {
        let (Some(nodes), Some(edges)) = (json.get("nodes"), json.get("edges")) else {
            return Err(GraphError::Missing);
        };
        let nodes = nodes.as_array().ok_or(GraphError::NodesNotList)?;
        let edges = edges.as_array().ok_or(GraphError::EdgesNotList)?;
        let text = |json: Option<&Json>| json.and_then(Json::as_str).map(str::to_owned);
        let inside = |node: &Json| {
            ["iteration_id", "loop_id"].iter().any(|&key| {
                let stored = node.get("data").and_then(|data| data.get(key)).or(node.get(key));
                text(stored).as_deref() == Some(id)
            })
        };
        let kept: Vec<&Json> = nodes
            .iter()
            .filter(|&node| text(node.get("id")).as_deref() == Some(id) || inside(node))
            .collect();
        let inner: Vec<String> =
            kept.iter().filter(|it| inside(it)).filter_map(|it| text(it.get("id"))).collect();
        let between = |edge: &&Json| {
            ["source", "target"]
                .iter()
                .all(|&end| text(edge.get(end)).is_some_and(|end| inner.contains(&end)))
        };
        let edges: Vec<&Json> = edges.iter().filter(between).collect();
        Self::build(&kept, &edges, id.to_owned(), factory)
    }

    /// The same graph whose root is tried once and fails for good: who runs a node alone wants to
    /// see how it fails.
    #[must_use]
    pub fn without_recovery(mut self) -> Self {
        if let Some(root) = self.nodes.get_mut(self.root) {
            root.retry = Retry::default();
            root.error_strategy = None;
        }
        self
    }

    fn build(
        nodes: &[&Json],
        edges: &[&Json],
        root: String,
        factory: &dyn NodeFactory,
    ) -> Result<Self, GraphError> {
        let mut configs: IndexMap<Arc<str>, NodeConfig> = IndexMap::new();
        for node in nodes {
            if node.get("type").and_then(Json::as_str) == Some("custom-note") {
                continue;
            }
            let config = node_config(node)?;
            configs.insert(Arc::clone(&config.id), config);
        }
        if configs.is_empty() {
            return Err(GraphError::Empty);
        }
        let by_id: HashMap<Arc<str>, NodeIndex> =
            configs.keys().enumerate().map(|(index, id)| (Arc::clone(id), index)).collect();
        let root = *by_id.get(root.as_str()).ok_or(GraphError::RootNotFound(root))?;

        let nodes = configs
            .into_values()
            .map(|config| build_node(config, factory))
            .collect::<Result<Vec<_>, _>>()?;
        let mut issues = Vec::new();
        let edges = build_edges(edges, &by_id, &mut issues);
        if !issues.is_empty() {
            return Err(GraphError::Invalid(issues.join("; ")));
        }

        let mut graph = Self {
            out_edges: vec![Vec::new(); nodes.len()],
            in_edges: vec![Vec::new(); nodes.len()],
            nodes,
            edges,
            by_id,
            root,
            streamed: BTreeSet::new(),
        };
        graph.index_edges();
        graph.index_responses();
        Ok(graph)
    }

    fn index_edges(&mut self) {
        for (index, edge) in self.edges.iter().enumerate() {
            if let Some(out) = self.out_edges.get_mut(edge.source) {
                out.push(index);
            }
            if let Some(into) = self.in_edges.get_mut(edge.target) {
                into.push(index);
            }
        }
    }

    fn index_responses(&mut self) {
        let mut responses = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if node.kind != ExecutionKind::Response {
                continue;
            }
            let parts = match &node.body {
                Body::Leaf(leaf) => leaf.response_template().unwrap_or_default(),
                Body::Iteration(_) | Body::Loop(_) => Vec::new(),
            };
            let mut read: Vec<Selector> = Vec::new();
            for part in &parts {
                if let TemplatePart::Variable(selector) = part {
                    self.streamed.insert(selector.clone());
                    read.push(selector.iter().take(2).cloned().collect());
                }
            }
            let blocking = self.edges.iter().map(|edge| self.blocks(edge.source, &read)).collect();
            responses.push((index, Response { parts, blocking }));
        }
        for (index, response) in responses {
            if let Some(node) = self.nodes.get_mut(index) {
                node.response = Some(response);
            }
        }
    }

    fn blocks(&self, source: NodeIndex, read: &[Selector]) -> bool {
        let Some(node) = self.nodes.get(source) else { return false };
        let waits = matches!(
            node.kind,
            ExecutionKind::Branch | ExecutionKind::Container | ExecutionKind::Response
        );
        waits || matches!(&node.body, Body::Leaf(leaf) if leaf.writes(read))
    }

    /// Lets every node check what it needs, before a run.
    ///
    /// # Errors
    /// [`GraphError::Prepare`] with the first node's text.
    pub async fn prepare(&self, run: &RunInfo) -> Result<(), GraphError> {
        for node in &self.nodes {
            if let Body::Leaf(leaf) = &node.body {
                leaf.prepare(run).await.map_err(GraphError::Prepare)?;
            }
        }
        Ok(())
    }

    /// All nodes in the order of the JSON.
    #[must_use]
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// All edges in the order of the JSON.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The node a run starts with.
    #[must_use]
    pub fn root(&self) -> NodeIndex {
        self.root
    }

    /// The node of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        self.by_id.get(id).copied()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> Option<&GraphNode> {
        self.nodes.get(index)
    }

    /// The node's implementation; `None` for containers.
    #[must_use]
    pub fn leaf(&self, index: NodeIndex) -> Option<&Arc<dyn Node>> {
        match &self.nodes.get(index)?.body {
            Body::Leaf(leaf) => Some(leaf),
            Body::Iteration(_) | Body::Loop(_) => None,
        }
    }

    pub(crate) fn edge(&self, index: EdgeIndex) -> Option<&Edge> {
        self.edges.get(index)
    }

    pub(crate) fn out_edges(&self, node: NodeIndex) -> &[EdgeIndex] {
        self.out_edges.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn in_edges(&self, node: NodeIndex) -> &[EdgeIndex] {
        self.in_edges.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn is_streamed(&self, selector: &Selector) -> bool {
        self.streamed.contains(selector)
    }

    /// Ids of the nodes inside the loop or iteration `id` (by `loop_id` / `iteration_id`).
    pub(crate) fn inside(&self, id: &str, key: &str) -> Vec<Arc<str>> {
        let inner =
            |node: &&GraphNode| node.config.data.get(key).and_then(Json::as_str) == Some(id);
        self.nodes.iter().filter(inner).map(|node| Arc::clone(&node.config.id)).collect()
    }

    /// The variables a node reads, for running it alone: `"{node}.#{a.b}#"` or `"{node}.{name}"`
    /// → selector. Of containers, what their inner nodes read from outside.
    #[must_use]
    pub fn variable_mapping(&self, node: NodeIndex) -> IndexMap<String, Selector> {
        let Some(node) = self.nodes.get(node) else { return IndexMap::new() };
        let id = &*node.config.id;
        let (mut mapping, key) = match &node.body {
            Body::Leaf(leaf) => return leaf.variable_mapping(id),
            Body::Iteration(config) => {
                let own = (format!("{id}.input_selector"), config.iterator_selector.clone());
                (IndexMap::from([own]), "iteration_id")
            }
            Body::Loop(config) => (config.variable_mapping(id), "loop_id"),
        };
        let inner = self.inside(id, key);
        for inner_id in &inner {
            let Some(index) = self.find(inner_id) else { continue };
            for (key, selector) in self.variable_mapping(index) {
                if selector.first().is_some_and(|first| first != id) {
                    mapping.insert(format!("{inner_id}.{key}"), selector);
                }
            }
        }
        mapping
            .retain(|_, it| it.first().is_none_or(|first| !inner.iter().any(|id| **id == **first)));
        mapping
    }

    /// The reason why a container's rounds cannot start at `id`.
    pub(crate) fn round_root(&self, id: &str) -> Result<NodeIndex, String> {
        let index =
            self.find(id).ok_or_else(|| GraphError::RootNotFound(id.to_owned()).to_string())?;
        match self.nodes.get(index).and_then(root_issue) {
            Some(issue) => Err(issue),
            None => Ok(index),
        }
    }

    /// Distinguishes graphs, so that a stored state is not resumed on another one.
    pub(crate) fn fingerprint(&self) -> Vec<Arc<str>> {
        self.nodes.iter().map(|node| Arc::clone(&node.config.id)).collect()
    }
}

fn default_root(nodes: &[Json]) -> Option<String> {
    nodes.iter().find_map(|node| {
        if node.get("type").and_then(Json::as_str) == Some("custom-note") {
            return None;
        }
        let kind = node.get("data")?.get("type")?.as_str()?;
        let id = node.get("id")?.as_str()?;
        START_TYPES.contains(&kind).then(|| id.to_owned())
    })
}

fn node_config(node: &Json) -> Result<NodeConfig, GraphError> {
    let id = node.get("id").and_then(Json::as_str);
    let data = node.get("data").and_then(Json::as_object);
    let node_type = data.and_then(|data| data.get("type")).and_then(Json::as_str);
    let (Some(id), Some(data), Some(node_type)) = (id, data, node_type) else {
        return Err(GraphError::InvalidNode {
            node_id: id.unwrap_or_default().to_owned(),
            message: format!("Node {} has no id, data or type", id.unwrap_or("?")),
        });
    };
    let version = match data.get("version") {
        Some(Json::String(version)) => version.clone(),
        Some(Json::Number(version)) => version.to_string(),
        _ => "1".to_owned(),
    };
    let title = data.get("title").and_then(Json::as_str).unwrap_or_default();
    Ok(NodeConfig {
        id: Arc::from(id),
        node_type: Arc::from(node_type),
        version: Arc::from(version),
        title: Arc::from(title),
        data: data.clone(),
    })
}

fn build_node(config: NodeConfig, factory: &dyn NodeFactory) -> Result<GraphNode, GraphError> {
    let body = match &*config.node_type {
        "iteration" => Body::Iteration(config.parse()?),
        "loop" => Body::Loop(config.parse()?),
        "iteration-start" | "loop-start" | "loop-end" => Body::Leaf(Arc::new(Passive)),
        other => {
            let leaf = factory.create(&config)?;
            Body::Leaf(leaf.ok_or_else(|| GraphError::UnknownType(other.to_owned()))?)
        }
    };
    let invalid =
        |message: String| GraphError::InvalidNode { node_id: config.id.to_string(), message };
    let error_strategy = match config.data.get("error_strategy") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text == "fail-branch" => Some(ErrorStrategy::FailBranch),
        Some(Json::String(text)) if text == "default-value" => Some(ErrorStrategy::DefaultValue),
        // The editor stores "none" for nodes without strategy.
        Some(Json::String(text)) if text == "none" || text.is_empty() => None,
        Some(other) => return Err(invalid(format!("invalid error_strategy {other}"))),
    };
    let (kind, retryable) = match &body {
        Body::Leaf(leaf) => (leaf.kind(), leaf.retryable()),
        Body::Iteration(_) | Body::Loop(_) => (ExecutionKind::Container, false),
    };
    let kind = match error_strategy {
        Some(ErrorStrategy::FailBranch) => ExecutionKind::Branch,
        _ => kind,
    };
    let default_values = default_values(&config.data).map_err(invalid)?;
    let retry = if retryable { retry(&config.data) } else { Retry::default() };
    Ok(GraphNode { kind, error_strategy, default_values, retry, body, response: None, config })
}

fn retry(data: &Map<String, Json>) -> Retry {
    let Some(config) = data.get("retry_config").and_then(Json::as_object) else {
        return Retry::default();
    };
    if config.get("retry_enabled").and_then(Json::as_bool) != Some(true) {
        return Retry::default();
    }
    let number = |key: &str| config.get(key).and_then(Json::as_u64).unwrap_or_default();
    Retry {
        max_retries: u32::try_from(number("max_retries")).unwrap_or(u32::MAX),
        interval: Duration::from_millis(number("retry_interval")),
    }
}

fn build_edges(
    edges: &[&Json],
    by_id: &HashMap<Arc<str>, NodeIndex>,
    issues: &mut Vec<String>,
) -> Vec<Edge> {
    let mut built = Vec::with_capacity(edges.len());
    let mut number = 0;
    for edge in edges {
        let text = |key: &str| edge.get(key).and_then(Json::as_str);
        let (Some(source), Some(target)) = (text("source"), text("target")) else { continue };
        let name = format!("edge_{number}");
        number += 1;
        let handle = match edge.get("sourceHandle") {
            None => "source",
            Some(Json::String(handle)) => handle,
            Some(_) => continue,
        };
        let (from, to) = (by_id.get(source), by_id.get(target));
        if from.is_none() {
            issues.push(format!(
                "[MISSING_NODE] Edge {name} references unknown source node '{source}'."
            ));
        }
        if to.is_none() {
            issues.push(format!(
                "[MISSING_NODE] Edge {name} references unknown target node '{target}'."
            ));
        }
        if let (Some(&source), Some(&target)) = (from, to) {
            built.push(Edge { source, target, handle: handle.to_owned() });
        }
    }
    built
}

fn root_issue(node: &GraphNode) -> Option<String> {
    let inner = matches!(&*node.config.node_type, "iteration-start" | "loop-start");
    (node.kind != ExecutionKind::Root && !inner).then(|| {
        let id = &node.config.id;
        format!("[INVALID_ROOT] Root node '{id}' must declare execution type 'root'.")
    })
}

/// `default_value: [{key, type, value}]`; texts are converted to the type.
fn default_values(data: &Map<String, Json>) -> Result<Object, String> {
    let Some(entries) = data.get("default_value").and_then(Json::as_array) else {
        return Ok(Object::new());
    };
    let mut values = Object::new();
    for entry in entries {
        let (Some(key), Some(kind)) =
            (entry.get("key").and_then(Json::as_str), entry.get("type").and_then(Json::as_str))
        else {
            return Err("default_value needs key and type".to_owned());
        };
        let value = entry.get("value").cloned().unwrap_or_default();
        values.insert(key.to_owned(), default_value(kind, Value::from_json(value))?);
    }
    Ok(values)
}

fn default_value(kind: &str, value: Value) -> Result<Value, String> {
    let value = match (kind, &value) {
        ("string" | "array[file]", _) => value,
        ("number", Value::String(text)) => {
            let number = parse_float(text).ok_or(format!("Cannot convert to number: {text}"))?;
            Value::Float(number)
        }
        (_, Value::String(text)) => serde_json::from_str::<Json>(text)
            .map(Value::from_json)
            .map_err(|_| format!("Invalid JSON format for value: {text}"))?,
        _ => value,
    };
    let (base, element) = match kind {
        "array[file]" => return Ok(value),
        "string" => ("str", None),
        "number" => ("Union", None),
        "object" => ("dict", None),
        "array[number]" => ("list", Some("Union")),
        "array[string]" => ("list", Some("str")),
        "array[object]" => ("list", Some("dict")),
        other => return Err(format!("Unsupported type: {other}")),
    };
    if !is_python(base, &value) {
        return Err(format!("Value must be {base} type for {}", value.py_str()));
    }
    if let Some(element) = element
        && !value.as_array().unwrap_or_default().iter().all(|item| is_python(element, item))
    {
        return Err(format!("All elements must be {element} for {}", value.py_str()));
    }
    Ok(value)
}

fn is_python(name: &str, value: &Value) -> bool {
    match name {
        "str" => value.as_str().is_some(),
        "dict" => value.as_object().is_some(),
        "list" => value.as_array().is_some(),
        _ => value.as_number().is_some(),
    }
}
