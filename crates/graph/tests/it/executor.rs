//! The executor: nodes side by side, slots of apps, stops, the end of the listener.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use graph::{
    Control, EngineEvent, Executor, Graph, GraphError, GraphEvent, Limits, Node, NodeConfig,
    NodeCtx, NodeError, NodeFactory, NodeOutput, Outcome, PauseReason, RandomIds, Setup,
    SystemClock,
};
use serde_json::json;
use tokio::sync::{Barrier, mpsc};

use crate::support::{Factory, edges, node, pool, run_info, start};

/// Waits until as many as fit are there, and counts how many run at once.
struct Meeting {
    barrier: Option<Arc<Barrier>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct OnDrop(Arc<AtomicUsize>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Node for Meeting {
    async fn run(&self, _ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let _guard = OnDrop(Arc::clone(&self.dropped));
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        match &self.barrier {
            Some(barrier) => {
                barrier.wait().await;
            }
            None => std::future::pending().await,
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(NodeOutput::default().into())
    }
}

struct Panics;

#[async_trait]
impl Node for Panics {
    async fn run(&self, _ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        panic!("a bug in a node");
    }
}

/// Calls out, is answered at once, and pauses the run.
struct Asks;

#[async_trait]
impl Node for Asks {
    async fn run(&self, _ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        Ok(Outcome::Pause(PauseReason::Scheduled { message: "later".to_owned() }))
    }
}

#[derive(Clone, Default)]
struct Counts {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct Meetings(Counts, Option<Arc<Barrier>>);

impl NodeFactory for Meetings {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        match &*config.node_type {
            "meeting" => Ok(Some(Arc::new(Meeting {
                barrier: self.1.clone(),
                now: Arc::clone(&self.0.now),
                most: Arc::clone(&self.0.most),
                dropped: Arc::clone(&self.0.dropped),
            }))),
            "asks" => Ok(Some(Arc::new(Asks))),
            "panics" => Ok(Some(Arc::new(Panics))),
            _ => Factory.create(config),
        }
    }
}

fn setup(kind: &str, count: usize, factory: &Meetings, limits: Limits) -> Setup {
    let mut nodes = vec![start()];
    let mut links = Vec::new();
    for number in 0..count {
        nodes.push(node(&format!("m{number}"), json!({"type": kind})));
        links.push(format!("start>m{number}"));
    }
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let json = json!({"nodes": nodes, "edges": edges(&links)});
    Setup {
        graph: Arc::new(Graph::parse(&json, None, factory).unwrap()),
        info: run_info(),
        limits,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    }
}

async fn run(executor: &Executor, setup: &Setup) -> Vec<EngineEvent> {
    let (events, mut received) = mpsc::channel(1000);
    let (_control, requests) = mpsc::channel(1);
    executor.start(setup, pool(json!({})), requests, events).await;
    let mut all = Vec::new();
    while let Ok(event) = received.try_recv() {
        all.push(event);
    }
    all
}

fn ended_well(events: &[EngineEvent]) -> bool {
    matches!(events.last().map(|it| &it.event), Some(GraphEvent::RunSucceeded { .. }))
}

#[tokio::test]
async fn nodes_run_side_by_side_up_to_the_limit_of_the_run() {
    let counts = Counts::default();
    let factory = Meetings(counts.clone(), Some(Arc::new(Barrier::new(3))));
    let limits = Limits { max_parallel: 3, ..Limits::default() };
    let setup = setup("meeting", 6, &factory, limits);
    assert!(ended_well(&run(&Executor::new(100), &setup).await));
    assert_eq!(counts.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn runs_of_one_app_share_its_slots() {
    let counts = Counts::default();
    let factory = Meetings(counts.clone(), Some(Arc::new(Barrier::new(2))));
    let setup = setup("meeting", 4, &factory, Limits::default());
    let executor = Executor::new(2);
    let (one, two) = tokio::join!(run(&executor, &setup), run(&executor, &setup));
    assert!(ended_well(&one) && ended_well(&two));
    assert_eq!(counts.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_stop_drops_what_runs() {
    let counts = Counts::default();
    let setup = setup("meeting", 2, &Meetings(counts.clone(), None), Limits::default());
    let (events, mut received) = mpsc::channel::<EngineEvent>(100);
    let (control, requests) = mpsc::channel(1);
    let executor = Executor::new(10);
    let stop = async {
        let mut started = 0;
        while started < 3 {
            if let GraphEvent::NodeStarted { .. } = received.recv().await.unwrap().event {
                started += 1;
            }
        }
        control.send(Control::Abort { reason: "enough".to_owned() }).await.unwrap();
        let mut last = None;
        while let Some(event) = received.recv().await {
            last = Some(event.event);
        }
        last
    };
    let (_, last) = tokio::join!(executor.start(&setup, pool(json!({})), requests, events), stop);
    assert!(
        matches!(last, Some(GraphEvent::RunAborted { reason, .. }) if reason == "Aborted: enough")
    );
    assert_eq!(counts.dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_who_listens() {
    let counts = Counts::default();
    let setup = setup("meeting", 2, &Meetings(counts.clone(), None), Limits::default());
    // Room for one event: the run waits to tell of its second node while the first one is running.
    let (events, mut received) = mpsc::channel::<EngineEvent>(1);
    let (control, requests) = mpsc::channel(1);
    let executor = Executor::new(10);
    let stop = async {
        for _ in 0..3 {
            received.recv().await.unwrap();
        }
        while counts.now.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        control.send(Control::Abort { reason: "enough".to_owned() }).await.unwrap();
        while counts.dropped.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let mut last = None;
        while let Some(event) = received.recv().await {
            last = Some(event.event);
        }
        last
    };
    let (_, last) = tokio::join!(executor.start(&setup, pool(json!({})), requests, events), stop);
    assert!(matches!(last, Some(GraphEvent::RunAborted { .. })));
}

#[tokio::test]
async fn a_run_nobody_listens_to_ends() {
    let counts = Counts::default();
    let setup = setup("meeting", 1, &Meetings(counts, None), Limits::default());
    let (events, received) = mpsc::channel(1);
    let (_control, requests) = mpsc::channel(1);
    drop(received);
    Executor::new(1).start(&setup, pool(json!({})), requests, events).await;
}

#[tokio::test]
async fn a_panic_fails_the_node() {
    let setup = setup("panics", 1, &Meetings(Counts::default(), None), Limits::default());
    let events = run(&Executor::new(1), &setup).await;
    assert!(matches!(
        events.last().map(|it| &it.event),
        Some(GraphEvent::RunFailed { error, .. }) if error == "the node failed unexpectedly"
    ));
}

#[tokio::test]
async fn branches_that_pause_at_once_all_have_their_say() {
    let setup = setup("asks", 3, &Meetings(Counts::default(), None), Limits::default());
    let events = run(&Executor::new(5), &setup).await;
    let paused = events.iter().filter(|it| matches!(it.event, GraphEvent::NodePaused { .. }));
    assert_eq!(paused.count(), 3, "{events:?}");
    assert!(matches!(
        events.last().map(|it| &it.event),
        Some(GraphEvent::RunPaused { paused_nodes, .. }) if paused_nodes.len() == 3
    ));
}

#[tokio::test]
async fn the_time_limit_stops_a_hanging_node() {
    let limits = Limits { max_time: Duration::from_millis(20), ..Limits::default() };
    let setup = setup("meeting", 1, &Meetings(Counts::default(), None), limits);
    let events = run(&Executor::new(1), &setup).await;
    assert!(matches!(
        events.last().map(|it| &it.event),
        Some(GraphEvent::RunAborted { reason, .. })
            if reason.starts_with("Aborted: Maximum execution time exceeded: ")
    ));
}

#[tokio::test]
async fn chunks_come_before_the_end_of_their_node() {
    let nodes = [
        start(),
        node("a", json!({"type": "fake", "chunks": vec!["x"; 500]})),
        node("ans", json!({"type": "answer", "answer": "{{#a.text#}}"})),
    ];
    let json = json!({"nodes": nodes, "edges": edges(&["start>a", "a>ans"])});
    let mut setup = setup("meeting", 0, &Meetings(Counts::default(), None), Limits::default());
    setup.graph = Arc::new(Graph::parse(&json, None, &Factory).unwrap());
    let events = run(&Executor::new(1), &setup).await;
    let chunks = events
        .iter()
        .take_while(|it| !matches!(&it.event, GraphEvent::NodeSucceeded { node, .. } if &*node.node_id == "a"))
        .filter(|it| matches!(it.event, GraphEvent::Chunk { .. }));
    assert_eq!(chunks.count(), 500);
}
