//! What the engine itself costs for a node that does nothing.

use std::sync::Arc;

use chrono::DateTime;
use graph::{
    Action, Executor, Graph, GraphError, Ids, Input, InvokeFrom, Limits, Machine, Node, NodeConfig,
    NodeFactory, NodeOutput, Object, RandomIds, RunInfo, Setup, SystemClock, SystemVariables,
    UserFrom, VariablePool,
};
use serde_json::json;
use tokio::sync::mpsc;

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

/// The same run on tokio, with random ids and somebody who reads its events.
#[divan::bench(args = [10, 100, 1000])]
fn executor(bencher: divan::Bencher, length: usize) {
    run_on_tokio(bencher, chain(length));
}

/// An iteration over that many items, a node each.
#[divan::bench(args = [10, 100, 1000])]
fn iteration(bencher: divan::Bencher, items: usize) {
    let inside = |id: &str, kind: &str| {
        let data = json!({"type": kind, "iteration_id": "it", "isInIteration": true});
        json!({"id": id, "data": data})
    };
    let list: Vec<usize> = (0..items).collect();
    let json = json!({
        "nodes": [
            {"id": "start", "data": {"type": "start"}},
            {"id": "it", "data": {
                "type": "iteration", "iterator_selector": ["env", "list"], "output_selector": ["item", "x"],
                "start_node_id": "first", "is_parallel": false, "error_handle_mode": "terminated",
            }},
            inside("first", "iteration-start"),
            inside("item", "nothing"),
        ],
        "edges": [{"source": "start", "target": "it"}, {"source": "first", "target": "item"}],
    });
    let graph = match Graph::parse(&json, None, &Factory) {
        Ok(graph) => Arc::new(graph),
        Err(err) => unreachable!("{err}"),
    };
    run_with(bencher, graph, |pool| pool.set("env", "list", json!(list)));
}

fn run_on_tokio(bencher: divan::Bencher, graph: Arc<Graph>) {
    run_with(bencher, graph, |_| {});
}

fn run_with(bencher: divan::Bencher, graph: Arc<Graph>, fill: impl Fn(&mut VariablePool) + Sync) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        unreachable!("no runtime")
    };
    let setup = Setup {
        graph,
        info: Arc::new(RunInfo {
            tenant_id: uuid::Uuid::nil().into(),
            app_id: uuid::Uuid::nil().into(),
            user_id: String::new(),
            user_from: UserFrom::EndUser,
            invoke_from: InvokeFrom::ServiceApi,
            workflow_id: String::new(),
            workflow_run_id: String::new(),
            call_depth: 0,
        }),
        limits: Limits { max_steps: u32::MAX, ..Limits::default() },
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    let executor = Executor::new(64);
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut pool = VariablePool::new(
                SystemVariables::default(),
                Object::new(),
                Arc::new(graph::NoUrls),
            );
            fill(&mut pool);
            let (_control, requests) = mpsc::channel(1);
            let (sender, mut events) = mpsc::channel(256);
            let read = async { while events.recv().await.is_some() {} };
            tokio::join!(executor.start(&setup, pool, requests, sender), read)
        })
    });
}

fn main() {
    divan::main();
}
