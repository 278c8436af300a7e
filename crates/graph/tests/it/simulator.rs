//! Random graphs, schedules, failures, stops and pauses, from a seed.
//!
//! `SIM_CASES` is the number of runs, `SIM_SEED` the first seed; a failure prints its seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use graph::{Graph, GraphEvent, Limits, StartReason, VariablePool};
use serde_json::{Value as Json, json};

use crate::{
    sequential::{Totals, interpret},
    support::{Driver, Factory, fakes, node, pool, start},
};

/// SplitMix64: the same numbers on every machine and in every version.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A node that others may follow and read.
struct Made {
    id: String,
    /// The handles its edges may have.
    handles: Vec<String>,
    output: Vec<String>,
    ancestors: BTreeSet<usize>,
}

struct Builder {
    random: Random,
    nodes: Vec<Json>,
    edges: Vec<Json>,
    made: Vec<Made>,
    pausing: bool,
}

impl Builder {
    fn graph(seed: u64) -> (Json, Random) {
        let random = Random(seed);
        let mut builder = Self {
            random,
            nodes: vec![start()],
            edges: Vec::new(),
            made: Vec::new(),
            pausing: false,
        };
        builder.pausing = builder.random.chance(10);
        builder.made.push(Made {
            id: "start".to_owned(),
            handles: vec!["source".to_owned()],
            output: vec!["start".to_owned(), "q".to_owned()],
            ancestors: BTreeSet::new(),
        });
        for number in 0..2 + builder.random.below(6) {
            builder.add(number);
        }
        let Self { random, nodes, edges, .. } = builder;
        (json!({"nodes": nodes, "edges": edges}), random)
    }

    fn add(&mut self, number: usize) {
        let id = format!("n{number}");
        let mut ancestors = BTreeSet::new();
        for _ in 0..1 + self.random.below(2) {
            let from = self.random.below(self.made.len());
            ancestors.insert(from);
            ancestors.extend(self.made[from].ancestors.clone());
            let handle = self.random.pick(&self.made[from].handles).clone();
            let source = &self.made[from].id;
            self.edges.push(json!({"source": source, "sourceHandle": handle, "target": id}));
        }
        let (data, handles, output) = match self.random.below(20) {
            0 | 1 => self.iteration(&id),
            2 | 3 => self.repeat(&id),
            4 | 5 => self.end(&id, &ancestors),
            6 | 7 => self.answer(&id, &ancestors),
            _ => self.fake(&id, &ancestors),
        };
        self.nodes.push(node(&id, data));
        self.made.push(Made { id, handles, output, ancestors });
    }

    fn reads(&mut self, ancestors: &BTreeSet<usize>) -> Vec<Vec<String>> {
        let known: Vec<usize> = ancestors.iter().copied().collect();
        (0..self.random.below(3))
            .map(|_| {
                let from = *self.random.pick(&known);
                self.made[from].output.clone()
            })
            .collect()
    }

    fn fake(&mut self, id: &str, ancestors: &BTreeSet<usize>) -> (Json, Vec<String>, Vec<String>) {
        let source = vec!["source".to_owned()];
        let mut data = json!({
            "type": "fake", "salt": self.random.below(1000), "reads": self.reads(ancestors),
            "tokens": self.random.below(3),
        });
        let mut handles = source;
        if self.random.chance(25) {
            handles = vec!["a".to_owned(), "b".to_owned()];
            data["handles"] = json!(handles);
        }
        if self.random.chance(20) {
            data["chunks"] = json!([id, "-", id]);
        }
        if self.pausing && self.random.chance(30) {
            data["pauses"] = json!(true);
        }
        if self.random.chance(25) {
            data["retryable"] = json!(true);
            data["fails"] = json!(self.random.below(4));
            let interval = self.random.below(2) * 10;
            data["retry_config"] =
                json!({"max_retries": 3, "retry_interval": interval, "retry_enabled": true});
        }
        if self.random.chance(20) {
            data["fails_on_even"] = json!(true);
            let branch = self.random.chance(50);
            if branch && handles.len() == 1 {
                data["error_strategy"] = json!("fail-branch");
                handles.push("fail-branch".to_owned());
            } else if !branch || handles.len() == 1 {
                data["error_strategy"] = json!("default-value");
                data["default_value"] = json!([{"key": "out", "type": "number", "value": 1}]);
            }
        }
        if self.random.chance(3) {
            data["fails"] = json!(-1);
        }
        (data, handles, vec![id.to_owned(), "out".to_owned()])
    }

    fn inner(&mut self, id: &str, container: &str, key: &str, mut data: Json) {
        data[key] = json!(container);
        self.nodes.push(node(id, data));
    }

    fn chain(&mut self, ids: &[String]) {
        for pair in ids.windows(2) {
            self.edges.push(json!({"source": pair[0], "target": pair[1]}));
        }
    }

    fn iteration(&mut self, id: &str) -> (Json, Vec<String>, Vec<String>) {
        let (first, inner) = (format!("{id}s"), format!("{id}i"));
        let modes = ["terminated", "continue-on-error", "remove-abnormal-output"];
        let mode = *self.random.pick(&modes);
        let parallel = self.random.chance(50);
        let start = json!({"type": "iteration-start"});
        self.inner(&first, id, "iteration_id", start);
        let fails = mode != "terminated" && self.random.chance(50);
        let body = json!({
            "type": "fake", "salt": self.random.below(100), "tokens": 1,
            "reads": [[id, "item"], [id, "index"]], "fails_on_even": fails,
            "pauses": self.pausing && self.random.chance(20),
        });
        self.inner(&inner, id, "iteration_id", body);
        let mut ids = vec![first.clone(), inner.clone()];
        if self.random.chance(50) {
            let second = format!("{id}j");
            let body = json!({"type": "fake", "reads": [[inner, "out"]], "tokens": 1});
            self.inner(&second, id, "iteration_id", body);
            ids.push(second);
        }
        self.chain(&ids);
        let data = json!({
            "type": "iteration", "iterator_selector": ["start", "list"],
            "output_selector": [ids[ids.len() - 1], "out"], "start_node_id": first,
            "is_parallel": parallel, "parallel_nums": 1 + self.random.below(3),
            "error_handle_mode": mode,
        });
        (data, vec!["source".to_owned()], vec![id.to_owned(), "output".to_owned()])
    }

    fn repeat(&mut self, id: &str) -> (Json, Vec<String>, Vec<String>) {
        let (first, inner, last) = (format!("{id}s"), format!("{id}i"), format!("{id}j"));
        self.inner(&first, id, "loop_id", json!({"type": "loop-start"}));
        let body = json!({
            "type": "fake", "reads": [[id, "n"], [inner, "out"]], "tokens": 1,
            "pauses": self.pausing && self.random.chance(20),
        });
        self.inner(&inner, id, "loop_id", body);
        let add = json!({
            "type": "assigner", "version": "2",
            "items": [{"variable_selector": [id, "n"], "input_type": "constant", "operation": "+=", "value": 1}],
        });
        self.inner(&last, id, "loop_id", add);
        self.chain(&[first.clone(), inner, last]);
        let conditions = if self.random.chance(50) {
            let value = self.random.below(4).to_string();
            json!([{"variable_selector": [id, "n"], "comparison_operator": "≥", "value": value}])
        } else {
            json!([])
        };
        let data = json!({
            "type": "loop", "loop_count": self.random.below(4), "break_conditions": conditions,
            "logical_operator": "and", "start_node_id": first,
            "loop_variables": [{"label": "n", "var_type": "number", "value_type": "constant", "value": 0}],
        });
        (data, vec!["source".to_owned()], vec![id.to_owned(), "n".to_owned()])
    }

    fn end(&mut self, id: &str, ancestors: &BTreeSet<usize>) -> (Json, Vec<String>, Vec<String>) {
        let reads = self.reads(ancestors).into_iter().enumerate();
        let outputs: Json = reads
            .map(|(at, it)| json!({"variable": format!("{id}v{at}"), "value_selector": it}))
            .collect();
        let output = vec![id.to_owned(), format!("{id}v0")];
        (json!({"type": "end", "outputs": outputs}), vec!["source".to_owned()], output)
    }

    fn answer(
        &mut self,
        id: &str,
        ancestors: &BTreeSet<usize>,
    ) -> (Json, Vec<String>, Vec<String>) {
        let reads = self.reads(ancestors);
        let text: String = reads.iter().map(|it| format!("<{{{{#{}#}}}}>", it.join("."))).collect();
        let data = json!({"type": "answer", "answer": format!("{id}{text}")});
        (data, vec!["source".to_owned()], vec![id.to_owned(), "answer".to_owned()])
    }
}

/// Schedules that every graph is run with.
const SCHEDULES: u64 = 20;

/// Runs one graph with several schedules.
fn cases(seed: u64) {
    let (json, mut random) = Builder::graph(seed);
    let graph = Arc::new(Graph::parse(&json, None, &Factory).unwrap());
    let list: Vec<usize> = (0..random.below(4)).collect();
    let pool = pool(json!({"q": seed % 7, "list": list}));

    let mut totals = Totals::default();
    let mut expected = pool.clone();
    let result = interpret(&graph, graph.root(), &mut expected, &mut totals);
    let expected = result.map(|()| (expected, totals));
    let fakes = Arc::new(fakes(&graph));
    for _ in 0..SCHEDULES {
        let limits = Limits { max_parallel: 1 + random.below(4), ..Limits::default() };
        let run = Driver::with_fakes(Arc::clone(&graph), pool.clone(), limits, Arc::clone(&fakes));
        schedule(&mut random, run, &expected);
    }
}

fn schedule(
    random: &mut Random,
    mut run: Driver,
    expected: &Result<(VariablePool, Totals), String>,
) {
    let stops = random.chance(10);
    let mut pauses = if random.chance(8) { 1 + random.below(2) } else { 0 };
    let mut stopped = false;
    loop {
        if run.machine.is_finished() {
            match run.events.last() {
                Some(GraphEvent::RunPaused { .. }) => run.resume(),
                _ => break,
            }
        } else if stops && random.chance(15) {
            stopped = true;
            run.abort("User requested stop");
        } else if pauses > 0 && random.chance(15) {
            pauses -= 1;
            run.pause();
        } else {
            let (running, sleeping) = (run.running.len(), run.sleeping.len());
            assert!(running + sleeping > 0, "the run is stuck");
            let choice = random.below(running + sleeping);
            if choice < running { run.finish(choice) } else { run.wake(choice - running) }
        }
    }

    check_events(&run.events);
    match (run.events.last().unwrap(), expected) {
        (GraphEvent::RunAborted { .. }, _) => assert!(stopped),
        (GraphEvent::RunFailed { error, .. }, Err(_)) => assert!(error.starts_with("boom")),
        (
            GraphEvent::RunSucceeded { stats, .. } | GraphEvent::RunPartialSucceeded { stats, .. },
            Ok((variables, totals)),
        ) => {
            assert_eq!(*run.machine.pool(), *variables, "variables differ");
            assert_eq!(stats.exceptions_count, totals.exceptions);
            assert_eq!(stats.total_tokens, totals.tokens);
        }
        (event, expected) => panic!("ended with {event:?}, expected {expected:?}"),
    }
}

/// One start, one end, and between them every node that starts ends.
fn check_events(events: &[GraphEvent]) {
    let mut open: BTreeMap<&str, bool> = BTreeMap::new();
    let mut running = false;
    for (position, event) in events.iter().enumerate() {
        match event {
            GraphEvent::RunStarted { reason } => {
                assert!(!running, "started twice");
                assert_eq!(*reason == StartReason::Initial, position == 0);
                running = true;
            }
            GraphEvent::NodeStarted { node, .. } => {
                let before = open.insert(&node.execution_id, true);
                assert_ne!(before, Some(true), "{} started twice", node.node_id);
            }
            GraphEvent::NodeSucceeded { node, .. }
            | GraphEvent::NodeFailed { node, .. }
            | GraphEvent::NodeException { node, .. }
            | GraphEvent::NodeRetry { node, .. }
            | GraphEvent::NodePaused { node, .. }
            | GraphEvent::NodeCancelled { node, .. } => {
                let before = open.insert(&node.execution_id, false);
                assert_eq!(before, Some(true), "{} ended without start", node.node_id);
            }
            event if event.is_terminal() => {
                assert!(running, "ended twice");
                running = false;
                // Containers go on when a paused run is resumed.
                if !matches!(event, GraphEvent::RunPaused { .. }) {
                    let left: Vec<_> = open.iter().filter(|(_, open)| **open).collect();
                    assert!(left.is_empty(), "never ended: {left:?}");
                    assert_eq!(position + 1, events.len());
                }
            }
            _ => assert!(running),
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn random_runs_keep_their_promises() {
    let runs = variable("SIM_CASES").unwrap_or(100_000);
    let first = variable("SIM_SEED").unwrap_or(0);
    let seeds = first..first + runs.div_ceil(SCHEDULES);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let seeds = seeds.clone().skip(thread).step_by(threads);
            scope.spawn(move || {
                for seed in seeds {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| cases(seed))) {
                        eprintln!("failed with SIM_SEED={seed} SIM_CASES=1");
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}
