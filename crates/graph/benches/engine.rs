//! What the engine itself costs for a node that does nothing.

use std::sync::Arc;

use chrono::DateTime;
use graph::{
    Action, Graph, GraphError, Ids, Input, Limits, Machine, Node, NodeConfig, NodeFactory,
    NodeOutput, Object, SystemVariables, VariablePool,
};
use serde_json::json;

struct Nothing(graph::ExecutionKind);

#[async_trait::async_trait]
impl Node for Nothing {
    async fn run(&self, _ctx: &graph::NodeCtx) -> Result<graph::Outcome, graph::NodeError> {
        Ok(NodeOutput::default().into())
    }

    fn kind(&self) -> graph::ExecutionKind {
        self.0
    }

    fn is_pure(&self) -> bool {
        true
    }
}

struct Factory;

impl NodeFactory for Factory {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        let kind = match &*config.node_type {
            "start" => graph::ExecutionKind::Root,
            _ => graph::ExecutionKind::Executable,
        };
        Ok(Some(Arc::new(Nothing(kind))))
    }
}

struct Zero;

impl Ids for Zero {
    fn next(&self) -> String {
        String::new()
    }
}

fn chain(length: usize) -> Arc<Graph> {
    let node = |number: usize| {
        let kind = if number == 0 { "start" } else { "nothing" };
        json!({"id": number.to_string(), "data": {"type": kind}})
    };
    let edge =
        |number: usize| json!({"source": number.to_string(), "target": (number + 1).to_string()});
    let nodes: Vec<_> = (0..length).map(node).collect();
    let edges: Vec<_> = (0..length.saturating_sub(1)).map(edge).collect();
    let json = json!({"nodes": nodes, "edges": edges});
    match Graph::parse(&json, None, &Factory) {
        Ok(graph) => Arc::new(graph),
        Err(err) => unreachable!("{err}"),
    }
}

/// A whole run; divide by the number of nodes.
#[divan::bench(args = [10, 100, 1000])]
fn run(bencher: divan::Bencher, length: usize) {
    let graph = chain(length);
    let now = DateTime::UNIX_EPOCH;
    let limits = Limits { max_steps: u32::MAX, ..Limits::default() };
    bencher.bench(|| {
        let pool =
            VariablePool::new(SystemVariables::default(), Object::new(), Arc::new(graph::NoUrls));
        let mut machine = Machine::new(Arc::clone(&graph), pool, limits, Arc::new(Zero), now);
        while let Some(action) = machine.next_action(now) {
            if let Action::Run(start) = action {
                let result = Ok(NodeOutput::default().into());
                machine.handle(now, Input::Finished { task: start.task, result });
            }
        }
        machine
    });
}

fn main() {
    divan::main();
}
