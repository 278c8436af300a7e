//! Iterations and loops: a frame for every round.

mod iteration;
mod repetition;

use std::sync::Arc;

use self::iteration::flattened;
use super::{
    Machine,
    state::{ContainerRun, Frame, FrameId, Parent, Rounds, Tags},
};
use crate::{
    container::ErrorMode,
    event::{Container, GraphEvent, NodeRef},
    graph::{Body, NodeIndex},
    node::{Metadata, NodeError, NodeOutput},
    pool::VariablePool,
    segment::Segment,
    usage::Usage,
    value::{Object, Value},
};

impl Machine {
    pub(super) fn start_container(&mut self, frame: FrameId, node: NodeIndex, it: &NodeRef) {
        let graph = Arc::clone(&self.graph);
        let result = match graph.node(node).map(|node| &node.body) {
            Some(Body::Iteration(config)) => self.start_iteration(frame, node, it, config),
            Some(Body::Loop(config)) => self.start_loop(frame, node, it, config),
            Some(Body::Leaf(_)) | None => return,
        };
        if let Err(message) = result {
            self.fail(frame, node, self.now, NodeError::uncaught(message));
        }
    }

    /// Records that a container runs, and tells it.
    fn open(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        root: NodeIndex,
        inputs: Object,
        rounds: Rounds,
        length: usize,
    ) {
        let container = kind(&rounds);
        let run = ContainerRun {
            started_at: self.now,
            inputs: inputs.clone(),
            root,
            next: 0,
            usage: Usage::default(),
            durations: Object::new(),
            rounds,
        };
        if let Some(it) = self.state.frames.get_mut(&frame) {
            it.containers.insert(node, run);
        }
        if let Some(node) = self.node_ref(frame, node) {
            self.emit(frame, GraphEvent::ContainerStarted { node, container, inputs, length });
        }
    }

    fn tell_next(&mut self, frame: FrameId, node: NodeIndex, container: Container, index: usize) {
        if let Some(node) = self.node_ref(frame, node) {
            self.emit(frame, GraphEvent::ContainerNext { node, container, index });
        }
    }

    fn open_round(
        &mut self,
        parent: Parent,
        root: NodeIndex,
        pool: u32,
        id: &Arc<str>,
        held: bool,
    ) {
        let Some(outer) = self.state.frames.get(&parent.frame) else { return };
        let is_loop = matches!(
            outer.containers.get(&parent.node).map(|run| &run.rounds),
            Some(Rounds::Loop { .. })
        );
        let mut frame = Frame::new(&self.graph, root, pool, self.now);
        frame.parent = Some(parent);
        frame.tags = tags(&outer.tags, id, is_loop, parent.round);
        frame.held = held.then(Vec::new);
        let number = self.state.next_frame;
        self.state.next_frame += 1;
        self.state.frames.insert(number, frame);
        self.enqueue(number, root);
    }

    /// All nodes of a round are done.
    pub(super) fn round_succeeded(&mut self, frame: FrameId, parent: Parent) {
        let graph = Arc::clone(&self.graph);
        match graph.node(parent.node).map(|node| &node.body) {
            Some(Body::Iteration(config)) => {
                let pool = self.frame_pool(frame);
                let value = pool.and_then(|pool| pool.get(&config.output_selector));
                let value = value.map_or(Value::Null, |it| it.value);
                self.item_done(frame, parent, config, Some(value));
            }
            Some(Body::Loop(config)) => self.loop_round_done(frame, parent, config),
            Some(Body::Leaf(_)) | None => {}
        }
    }

    /// A node of a round failed, and the round with it.
    pub(super) fn round_failed(&mut self, frame: FrameId, parent: Parent, error: &str) {
        let graph = Arc::clone(&self.graph);
        let config = match graph.node(parent.node).map(|node| &node.body) {
            Some(Body::Iteration(config)) if config.error_handle_mode != ErrorMode::Terminated => {
                config
            }
            _ => {
                self.release(frame);
                self.drop_frame(frame);
                return self.close(parent.frame, parent.node, Err(error.to_owned()));
            }
        };
        let removed = config.error_handle_mode == ErrorMode::RemoveAbnormalOutput;
        let value = (config.is_parallel || !removed).then_some(Value::Null);
        self.item_done(frame, parent, config, value);
    }

    /// The rounds of a container are over.
    fn close(&mut self, frame: FrameId, node: NodeIndex, result: Result<(), String>) {
        let graph = Arc::clone(&self.graph);
        let Some(body) = graph.node(node).map(|node| &node.body) else { return };
        let Some(reference) = self.node_ref(frame, node) else { return };
        if let Err(error) = &result {
            self.cancel_rounds(frame, node, error);
        }
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let Some(run) = it.containers.remove(&node) else { return };
        // As in the reference, beside what the node's own end counts.
        it.add_usage(&run.usage);
        let metadata = Metadata::of_usage(&run.usage);
        let finished = match (run.rounds, body) {
            (Rounds::Iteration { items, results, .. }, Body::Iteration(config)) => {
                let results = if config.flatten_output { flattened(results) } else { results };
                let output = Value::array(results);
                Finished {
                    container: Container::Iteration,
                    steps: items.len(),
                    event: metadata
                        .clone()
                        .with("iteration_duration_map", Value::object(run.durations)),
                    node: metadata,
                    outputs: [("output".to_owned(), output)].into(),
                    // The reference records no inputs of iterations.
                    inputs: Object::new(),
                }
            }
            (Rounds::Loop { count, outputs, variables, broken }, _) => {
                let metadata = metadata
                    .with("loop_duration_map", Value::object(run.durations))
                    .with("loop_variable_map", Value::object(variables));
                let reason = match &result {
                    Err(_) => "error",
                    Ok(()) if broken => "loop_break",
                    Ok(()) => "loop_completed",
                };
                Finished {
                    container: Container::Loop,
                    steps: count,
                    event: metadata.clone().with("completed_reason", reason),
                    node: metadata,
                    outputs: if result.is_ok() { outputs } else { Object::new() },
                    inputs: run.inputs.clone(),
                }
            }
            (Rounds::Iteration { .. }, _) => return,
        };
        self.emit(
            frame,
            GraphEvent::ContainerFinished {
                node: reference,
                container: finished.container,
                started_at: run.started_at,
                inputs: run.inputs,
                outputs: finished.outputs.clone(),
                metadata: finished.event,
                steps: finished.steps,
                error: result.as_ref().err().cloned(),
            },
        );
        match result {
            Ok(()) => {
                let outputs = finished.outputs.into_iter();
                let output = NodeOutput {
                    inputs: finished.inputs,
                    outputs: outputs.map(|(name, it)| (name, Segment::from(it))).collect(),
                    metadata: finished.node,
                    usage: Some(run.usage),
                    ..NodeOutput::default()
                };
                self.succeed(frame, node, run.started_at, output);
            }
            Err(message) => {
                let error = NodeError {
                    message,
                    metadata: finished.node,
                    usage: Some(Box::new(run.usage)),
                    ..NodeError::default()
                };
                self.fail(frame, node, run.started_at, error);
            }
        }
    }

    /// Cuts off the rounds of a container that still run.
    fn cancel_rounds(&mut self, frame: FrameId, node: NodeIndex, error: &str) {
        let of_node = |it: &Frame| it.parent.is_some_and(|it| (it.frame, it.node) == (frame, node));
        let rounds = self.state.frames.iter().filter(|(_, it)| of_node(it));
        let rounds: Vec<FrameId> = rounds.map(|(&id, _)| id).collect();
        for round in rounds {
            self.cancel_within(round, error);
            self.drop_frame(round);
        }
    }

    /// Forgets a frame, and its variables if they were its own.
    pub(super) fn drop_frame(&mut self, frame: FrameId) -> Option<Frame> {
        let dropped = self.state.frames.remove(&frame)?;
        if !self.state.frames.values().any(|it| it.pool == dropped.pool) {
            self.pools.remove(&dropped.pool);
        }
        Some(dropped)
    }

    fn frame_pool(&self, frame: FrameId) -> Option<&VariablePool> {
        let pool = self.state.frames.get(&frame)?.pool;
        self.pools.get(&pool).map(|pool| &**pool)
    }

    fn container_mut(&mut self, frame: FrameId, node: NodeIndex) -> Option<&mut ContainerRun> {
        self.state.frames.get_mut(&frame)?.containers.get_mut(&node)
    }

    fn rounds_mut(&mut self, frame: FrameId, node: NodeIndex) -> Option<&mut Rounds> {
        self.container_mut(frame, node).map(|run| &mut run.rounds)
    }
}

struct Finished {
    container: Container,
    steps: usize,
    /// Metadata of the container's event.
    event: Metadata,
    /// Metadata of the node's end.
    node: Metadata,
    outputs: Object,
    inputs: Object,
}

fn kind(rounds: &Rounds) -> Container {
    match rounds {
        Rounds::Iteration { .. } => Container::Iteration,
        Rounds::Loop { .. } => Container::Loop,
    }
}

fn tags(outer: &Tags, id: &Arc<str>, is_loop: bool, round: usize) -> Tags {
    let mut tags = outer.clone();
    let (outermost, id_key, index_key) = if is_loop {
        (&mut tags.in_loop, "loop_id", "loop_index")
    } else {
        (&mut tags.in_iteration, "iteration_id", "iteration_index")
    };
    outermost.get_or_insert_with(|| Arc::clone(id));
    tags.entries.insert(id_key.to_owned(), Value::String(Arc::clone(id)));
    tags.entries.insert(index_key.to_owned(), Value::from(round));
    tags
}
