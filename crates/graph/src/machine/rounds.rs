//! Iterations and loops: a frame for every round.

use std::sync::Arc;

use super::{
    Machine,
    state::{ContainerRun, Frame, FrameId, Parent, Rounds, Tags},
};
use crate::{
    condition::evaluate,
    container::{ErrorMode, IterationConfig, LoopConfig, LoopVariable},
    event::{Container, GraphEvent, NodeRef},
    graph::{Body, NodeIndex},
    node::{Metadata, NodeError, NodeOutput},
    pool::{CONVERSATION, VariablePool},
    segment::{Segment, SegmentType},
    usage::Usage,
    value::{Object, Value, py_list_repr},
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

    fn start_iteration(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        reference: &NodeRef,
        config: &IterationConfig,
    ) -> Result<(), String> {
        let variable = self.frame_pool(frame).and_then(|pool| pool.get(&config.iterator_selector));
        let variable = variable.ok_or_else(|| {
            let selector = py_list_repr(&config.iterator_selector);
            format!("iterator variable {selector} not found")
        })?;
        if !variable.kind.is_array() && variable.kind != SegmentType::None {
            let value = variable.value.py_str();
            return Err(format!("invalid iterator value: {value}, please provide a list."));
        }
        let items = variable.value.as_array().unwrap_or_default().to_vec();
        if items.is_empty() {
            let kind = if variable.kind.is_array() { variable.kind } else { SegmentType::ArrayAny };
            let empty = Segment::new(kind, Value::array(Vec::new()));
            let outputs = [("output".to_owned(), empty)].into();
            let output = NodeOutput { outputs, ..NodeOutput::default() };
            self.succeed(frame, node, self.now, output);
            return Ok(());
        }
        let id = &reference.node_id;
        let root = config.start_node_id.as_deref().filter(|root| !root.is_empty());
        let root =
            root.ok_or_else(|| format!("field start_node_id in iteration {id} not found"))?;
        let root = self.graph.round_root(root)?;

        let length = items.len();
        let iterator = Value::array(items.clone());
        let inputs: Object = [("iterator_selector".to_owned(), iterator)].into();
        let results = if config.is_parallel { vec![Value::Null; length] } else { Vec::new() };
        let rounds = Rounds::Iteration { items, results, done: 0 };
        self.open(frame, node, root, inputs, rounds, length);
        if config.is_parallel {
            for index in 0..length {
                self.tell_next(frame, node, Container::Iteration, index);
            }
            for _ in 0..config.parallel_nums.clamp(1, length) {
                self.next_item(frame, node, true);
            }
        } else {
            self.next_item(frame, node, false);
        }
        Ok(())
    }

    fn start_loop(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        reference: &NodeRef,
        config: &LoopConfig,
    ) -> Result<(), String> {
        let id = &reference.node_id;
        let root = config.start_node_id.as_deref().filter(|root| !root.is_empty());
        let root = root.ok_or_else(|| format!("field start_node_id in loop {id} not found"))?;
        let root = self.graph.round_root(root)?;
        let mut inputs = Object::new();
        inputs.insert("loop_count".to_owned(), Value::Int(config.loop_count));
        for variable in &config.loop_variables {
            let segment = self.loop_variable(frame, variable)?;
            inputs.insert(variable.label.clone(), segment.value.clone());
            if let Some(pool) = self.pool_mut(frame) {
                // The type is inferred anew, as in the reference.
                pool.set(id, &variable.label, segment.value);
            }
        }
        let mut count = usize::try_from(config.loop_count).unwrap_or_default();
        let rounds = Rounds::Loop {
            count,
            outputs: config.outputs.clone(),
            variables: Object::new(),
            broken: false,
        };
        self.open(frame, node, root, inputs, rounds, count);
        if !config.break_conditions.is_empty() {
            match self.should_break(frame, config) {
                Ok(true) => {
                    count = 0;
                    if let Some(Rounds::Loop { count, broken, .. }) = self.rounds_mut(frame, node) {
                        (*count, *broken) = (0, true);
                    }
                }
                Ok(false) => {}
                Err(err) if err.is_value_error => {}
                Err(err) => {
                    self.close(frame, node, Err(err.message));
                    return Ok(());
                }
            }
        }
        if count == 0 {
            self.close(frame, node, Ok(()));
        } else {
            self.next_round(frame, node);
        }
        Ok(())
    }

    fn loop_variable(&self, frame: FrameId, variable: &LoopVariable) -> Result<Segment, String> {
        let label = &variable.label;
        match variable.value_type.as_str() {
            "constant" => constant(variable.var_type, &variable.value),
            "variable" => variable
                .selector()
                .and_then(|selector| self.frame_pool(frame)?.get(&selector))
                .ok_or_else(|| format!("Invalid value for loop variable {label}")),
            other => Err(format!("Invalid value type '{other}' for loop variable {label}")),
        }
    }

    fn should_break(
        &self,
        frame: FrameId,
        config: &LoopConfig,
    ) -> Result<bool, crate::condition::ConditionError> {
        let Some(pool) = self.frame_pool(frame) else { return Ok(false) };
        evaluate(pool, &config.break_conditions, config.logical_operator).map(|it| it.holds)
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

    /// Starts the round of the next item, if there is one.
    fn next_item(&mut self, frame: FrameId, node: NodeIndex, held: bool) {
        let Some(run) = self.container_mut(frame, node) else { return };
        let (index, root) = (run.next, run.root);
        let Rounds::Iteration { items, .. } = &run.rounds else { return };
        let Some(item) = items.get(index).cloned() else { return };
        run.next += 1;
        if !held {
            self.tell_next(frame, node, Container::Iteration, index);
        }
        let Some(id) = self.graph.node(node).map(|it| Arc::clone(&it.config.id)) else { return };
        // Rounds see the variables as they are when they start, and change only their own.
        let Some(mut pool) = self.frame_pool(frame).cloned() else { return };
        pool.set(&id, "index", index);
        pool.set(&id, "item", item);
        self.state.next_pool += 1;
        let number = self.state.next_pool;
        self.pools.insert(number, Arc::new(pool));
        self.open_round(Parent { frame, node, round: index }, root, number, &id, held);
    }

    /// Starts the next round of a loop.
    fn next_round(&mut self, frame: FrameId, node: NodeIndex) {
        let Some(id) = self.graph.node(node).map(|it| Arc::clone(&it.config.id)) else { return };
        let inner = self.graph.inside(&id, "loop_id");
        if let Some(pool) = self.pool_mut(frame) {
            for id in inner {
                pool.remove_node(&id);
            }
        }
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let pool = it.pool;
        let Some(run) = it.containers.get_mut(&node) else { return };
        let (round, root) = (run.next, run.root);
        run.next += 1;
        self.open_round(Parent { frame, node, round }, root, pool, &id, false);
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

    fn item_done(
        &mut self,
        frame: FrameId,
        parent: Parent,
        config: &IterationConfig,
        value: Option<Value>,
    ) {
        self.release(frame);
        self.return_conversation(frame, parent.frame);
        let now = self.now;
        let Some(round) = self.drop_frame(frame) else { return };
        let Some(run) = self.container_mut(parent.frame, parent.node) else { return };
        let seconds = (now - round.started_at).as_seconds_f64();
        run.durations.insert(parent.round.to_string(), Value::Float(seconds));
        if round.usage.total_tokens > 0 {
            run.usage = run.usage.plus(&round.usage);
        }
        let Rounds::Iteration { items, results, done } = &mut run.rounds else { return };
        *done += 1;
        match value {
            Some(value) if config.is_parallel => {
                if let Some(slot) = results.get_mut(parent.round) {
                    *slot = value;
                }
            }
            Some(value) => results.push(value),
            None => {}
        }
        let all_done = *done == items.len();
        if all_done {
            if config.is_parallel && config.error_handle_mode == ErrorMode::RemoveAbnormalOutput {
                results.retain(|it| !it.is_null());
            }
            self.close(parent.frame, parent.node, Ok(()));
        } else {
            self.next_item(parent.frame, parent.node, config.is_parallel);
        }
    }

    /// Conversation variables that a round changed are changed outside too.
    fn return_conversation(&mut self, from: FrameId, to: FrameId) {
        let Some(pool) = self.frame_pool(from) else { return };
        let inner = pool.node(CONVERSATION).cloned();
        let Some(outer) = self.pool_mut(to) else { return };
        if outer.node(CONVERSATION) == inner.as_ref() {
            return;
        }
        outer.remove_node(CONVERSATION);
        for (name, value) in inner.unwrap_or_default() {
            outer.set(CONVERSATION, &name, value);
        }
    }

    fn loop_round_done(&mut self, frame: FrameId, parent: Parent, config: &LoopConfig) {
        let now = self.now;
        let Some(round) = self.drop_frame(frame) else { return };
        let id = self.graph.node(parent.node).map(|it| Arc::clone(&it.config.id));
        let pool = self.frame_pool(parent.frame);
        let mut variables = Object::new();
        for variable in &config.loop_variables {
            let value =
                pool.zip(id.as_ref()).and_then(|(pool, id)| pool.variable(id, &variable.label));
            let value = value.map_or(Value::Null, |it| it.value.clone());
            variables.insert(variable.label.clone(), value);
        }
        let Some(outer) = self.state.frames.get_mut(&parent.frame) else { return };
        outer.add_outputs(round.outputs);
        let Some(run) = outer.containers.get_mut(&parent.node) else { return };
        let seconds = (now - round.started_at).as_seconds_f64();
        run.durations.insert(parent.round.to_string(), Value::Float(seconds));
        if round.usage.total_tokens > 0 {
            run.usage = run.usage.plus(&round.usage);
        }
        let next = run.next;
        let Rounds::Loop { count, outputs, variables: by_round, .. } = &mut run.rounds else {
            return;
        };
        let count = *count;
        outputs.extend(variables.clone());
        outputs.insert("loop_round".to_owned(), Value::from(parent.round + 1));
        by_round.insert(parent.round.to_string(), Value::object(variables));
        if round.break_reached {
            return self.close(parent.frame, parent.node, Ok(()));
        }
        if !config.break_conditions.is_empty() {
            match self.should_break(parent.frame, config) {
                Ok(true) => {
                    if let Some(Rounds::Loop { broken, .. }) =
                        self.rounds_mut(parent.frame, parent.node)
                    {
                        *broken = true;
                    }
                    return self.close(parent.frame, parent.node, Ok(()));
                }
                Ok(false) => {}
                Err(err) => return self.close(parent.frame, parent.node, Err(err.message)),
            }
        }
        self.tell_next(parent.frame, parent.node, Container::Loop, parent.round + 1);
        if next < count {
            self.next_round(parent.frame, parent.node);
        } else {
            self.close(parent.frame, parent.node, Ok(()));
        }
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

/// One list of all results' items, if all results but nulls are lists.
fn flattened(results: Vec<Value>) -> Vec<Value> {
    let mut lists = results.iter().filter(|it| !it.is_null()).peekable();
    if lists.peek().is_none() || !lists.all(|it| it.as_array().is_some()) {
        return results;
    }
    results.iter().flat_map(|it| it.as_array().unwrap_or_default().to_vec()).collect()
}

/// A constant of a loop variable; lists and mappings may come as JSON text.
fn constant(kind: SegmentType, value: &Value) -> Result<Segment, String> {
    let parse = |text: &str| {
        serde_json::from_str(text)
            .map(Value::from_json)
            .map_err(|_| "Expecting value: line 1 column 1 (char 0)".to_owned())
    };
    let candidate = match (kind, value) {
        (SegmentType::ArrayNumber | SegmentType::ArrayObject | SegmentType::ArrayString, _) => {
            match value.as_str().filter(|text| !text.is_empty()) {
                Some(text) => parse(text)?,
                None => Value::array(Vec::new()),
            }
        }
        _ => value.clone(),
    };
    match Segment::with_type(kind, candidate) {
        Ok(segment) => Ok(segment),
        Err(err) => match value.as_str().map(parse) {
            Some(Ok(parsed)) => Segment::with_type(kind, parsed).map_err(|err| err.0),
            _ => Err(err.0),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_lists_are_flattened() {
        let check = |results: serde_json::Value, expected: serde_json::Value| {
            let results = Value::from_json(results).as_array().unwrap().to_vec();
            assert_eq!(Value::array(flattened(results)), Value::from_json(expected));
        };
        check(json!([[1], null, [2, 3]]), json!([1, 2, 3]));
        check(json!([[1], 2]), json!([[1], 2]));
        check(json!([null, null]), json!([null, null]));
        check(json!([]), json!([]));
    }

    #[test]
    fn constants_are_typed() {
        let check = |kind: SegmentType, value: serde_json::Value| {
            constant(kind, &Value::from_json(value)).map(|it| it.value.py_json(false))
        };
        assert_eq!(check(SegmentType::ArrayNumber, json!("[1,2]")).as_deref(), Ok("[1, 2]"));
        assert_eq!(check(SegmentType::ArrayString, json!("")).as_deref(), Ok("[]"));
        assert_eq!(check(SegmentType::Object, json!("{\"a\":1}")).as_deref(), Ok("{\"a\": 1}"));
        assert_eq!(check(SegmentType::Number, json!(3)).as_deref(), Ok("3"));
        assert_eq!(check(SegmentType::Boolean, json!(true)).as_deref(), Ok("true"));
        assert!(check(SegmentType::Number, json!("x")).is_err());
    }
}
