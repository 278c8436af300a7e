//! A straightforward interpreter of graphs: one node after the other, no states, no events. The
//! simulator compares the machine with it.

use std::sync::Arc;

use futures::FutureExt as _;
use graph::{
    ExecutionKind, Graph, NodeError, NodeOutput, Outcome, Segment, Value, VariablePool,
    condition::{Condition, Logic, evaluate},
    graph::{ErrorStrategy, GraphNode},
};
use serde_json::Value as Json;

use crate::support::node_ctx;

/// What a run gives.
#[derive(Debug, Default)]
pub struct Totals {
    pub exceptions: u32,
    pub tokens: i64,
}

/// Runs the graph from `root` on `pool`.
///
/// # Errors
/// The error of a node that fails the run.
pub fn interpret(
    graph: &Graph,
    root: usize,
    pool: &mut VariablePool,
    totals: &mut Totals,
) -> Result<(), String> {
    let mut edges: Vec<Option<bool>> = vec![None; graph.edges().len()];
    let mut done = vec![false; graph.nodes().len()];
    loop {
        let mut progress = false;
        for index in 0..graph.nodes().len() {
            if done[index] || !is_decided(graph, index, root, &edges) {
                continue;
            }
            progress = true;
            done[index] = true;
            let into = graph.edges().iter().zip(&edges).filter(|(edge, _)| edge.target == index);
            let active = index == root || into.clone().any(|(_, mark)| *mark == Some(true));
            let handle = if active { Some(execute(graph, index, pool, totals)?) } else { None };
            let branch = graph.nodes()[index].kind == ExecutionKind::Branch;
            for (edge, mark) in graph.edges().iter().zip(&mut edges) {
                if edge.source == index {
                    let leaves = match &handle {
                        Some(Some(handle)) if branch => *handle == edge.handle,
                        Some(_) => true,
                        None => false,
                    };
                    *mark = Some(leaves);
                }
            }
        }
        if !progress {
            return Ok(());
        }
    }
}

fn is_decided(graph: &Graph, index: usize, root: usize, edges: &[Option<bool>]) -> bool {
    if index == root {
        return true;
    }
    let mut into =
        graph.edges().iter().zip(edges).filter(|(edge, _)| edge.target == index).peekable();
    into.peek().is_some() && into.all(|(_, mark)| mark.is_some())
}

/// Runs a node with its attempts and its strategy; the handle it leaves by, if it is a branch.
fn execute(
    graph: &Graph,
    index: usize,
    pool: &mut VariablePool,
    totals: &mut Totals,
) -> Result<Option<String>, String> {
    let node = &graph.nodes()[index];
    let id = &node.config.id;
    let mut attempt = 0;
    let error = loop {
        match attempt_node(graph, index, attempt, pool) {
            Ok(output) => {
                totals.tokens += output.usage.map_or(0, |usage| usage.total_tokens);
                for (selector, value) in output.writes {
                    pool.set(&selector[0], &selector[1], value);
                }
                for (name, value) in output.outputs {
                    pool.set(id, &name, value);
                }
                let handle = output.handle.unwrap_or_else(|| "source".to_owned());
                return Ok(Some(handle));
            }
            Err(error) => {
                totals.exceptions += 1;
                totals.tokens += error.usage.as_ref().map_or(0, |usage| usage.total_tokens);
                if attempt >= node.retry.max_retries {
                    break error;
                }
                attempt += 1;
            }
        }
    };
    let Some(strategy) = node.error_strategy else { return Err(error.message) };
    if strategy == ErrorStrategy::DefaultValue {
        for (name, value) in &node.default_values {
            pool.set(id, name, value.clone());
        }
    }
    pool.set(id, "error_message", error.message.as_str());
    pool.set(id, "error_type", error.error_type.as_str());
    Ok((strategy == ErrorStrategy::FailBranch).then(|| "fail-branch".to_owned()))
}

fn attempt_node(
    graph: &Graph,
    index: usize,
    attempt: u32,
    pool: &mut VariablePool,
) -> Result<NodeOutput, NodeError> {
    let node = &graph.nodes()[index];
    match &*node.config.node_type {
        "iteration" => iteration(graph, node, pool),
        "loop" => repeat(graph, node, pool),
        _ => {
            let ctx = node_ctx(&node.config.id, Arc::new(pool.clone()), attempt);
            match graph.leaf(index).unwrap().run(&ctx).now_or_never().unwrap()? {
                Outcome::Done(output) => Ok(*output),
                Outcome::Pause(_) => panic!("nothing pauses here"),
            }
        }
    }
}

fn failed(error: String, tokens: i64) -> NodeError {
    let usage = graph::Usage { total_tokens: tokens, ..Default::default() };
    NodeError { usage: Some(Box::new(usage)), ..NodeError::new(error, "") }
}

fn output(name: &str, value: Value, tokens: i64) -> NodeOutput {
    let usage = graph::Usage { total_tokens: tokens, ..Default::default() };
    NodeOutput {
        outputs: [(name.to_owned(), Segment::from(value))].into_iter().collect(),
        usage: Some(usage),
        ..NodeOutput::default()
    }
}

fn strings(json: &Json) -> Vec<String> {
    serde_json::from_value(json.clone()).unwrap()
}

fn iteration(
    graph: &Graph,
    node: &GraphNode,
    pool: &mut VariablePool,
) -> Result<NodeOutput, NodeError> {
    let data = &node.config.data;
    let id = &node.config.id;
    let items = pool.get(&strings(&data["iterator_selector"])).unwrap().value;
    let root = graph.find(data["start_node_id"].as_str().unwrap()).unwrap();
    let mode = data.get("error_handle_mode").and_then(Json::as_str).unwrap_or("terminated");
    let mut results = Vec::new();
    let mut tokens = 0;
    for (index, item) in items.as_array().unwrap_or_default().iter().enumerate() {
        let mut inner = pool.clone();
        inner.set(id, "index", index);
        inner.set(id, "item", item.clone());
        let mut totals = Totals::default();
        match (interpret(graph, root, &mut inner, &mut totals), mode) {
            (Ok(()), _) => {
                let value = inner.get(&strings(&data["output_selector"]));
                results.push(value.map_or(Value::Null, |it| it.value));
            }
            (Err(_), "continue-on-error") => results.push(Value::Null),
            (Err(_), "remove-abnormal-output") => {}
            (Err(error), _) => return Err(failed(error, tokens)),
        }
        tokens += totals.tokens;
    }
    if mode == "remove-abnormal-output" && data.get("is_parallel") == Some(&Json::Bool(true)) {
        results.retain(|it| !it.is_null());
    }
    Ok(output("output", Value::array(results), tokens))
}

fn repeat(
    graph: &Graph,
    node: &GraphNode,
    pool: &mut VariablePool,
) -> Result<NodeOutput, NodeError> {
    let data = &node.config.data;
    let id = &node.config.id;
    let conditions: Vec<Condition> =
        serde_json::from_value(data["break_conditions"].clone()).unwrap();
    let root = graph.find(data["start_node_id"].as_str().unwrap()).unwrap();
    let variables = data["loop_variables"].as_array().unwrap();
    for variable in variables {
        let label = variable["label"].as_str().unwrap();
        pool.set(id, label, Value::from_json(variable["value"].clone()));
    }
    let holds = |pool: &VariablePool| {
        !conditions.is_empty() && evaluate(pool, &conditions, Logic::And).unwrap().holds
    };
    let mut tokens = 0;
    let mut outputs = NodeOutput::default();
    let mut rounds = data["loop_count"].as_u64().unwrap();
    if holds(pool) {
        rounds = 0;
    }
    for round in 0..rounds {
        for inner in graph.nodes() {
            if inner.config.data.get("loop_id").and_then(Json::as_str) == Some(&**id) {
                pool.remove_node(&inner.config.id);
            }
        }
        let mut totals = Totals::default();
        interpret(graph, root, pool, &mut totals).map_err(|error| failed(error, tokens))?;
        tokens += totals.tokens;
        for variable in variables {
            let label = variable["label"].as_str().unwrap();
            let value = pool.variable(id, label).map_or(Value::Null, |it| it.value.clone());
            outputs.outputs.insert(label.to_owned(), value.into());
        }
        outputs
            .outputs
            .insert("loop_round".to_owned(), Value::Int(i64::try_from(round).unwrap() + 1).into());
        if holds(pool) {
            break;
        }
    }
    outputs.usage = Some(graph::Usage { total_tokens: tokens, ..Default::default() });
    Ok(outputs)
}
