//! Iterations: a round for every item of a list.

use std::sync::Arc;

use crate::{
    container::{ErrorMode, IterationConfig},
    event::{Container, NodeRef},
    graph::NodeIndex,
    machine::{
        Machine,
        state::{FrameId, Parent, Rounds},
    },
    node::NodeOutput,
    pool::CONVERSATION,
    segment::{Segment, SegmentType},
    value::{Object, Value, py_list_repr},
};

impl Machine {
    pub(super) fn start_iteration(
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

    pub(super) fn item_done(
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
}

/// One list of all results' items, if all results but nulls are lists.
pub(super) fn flattened(results: Vec<Value>) -> Vec<Value> {
    let mut lists = results.iter().filter(|it| !it.is_null()).peekable();
    if lists.peek().is_none() || !lists.all(|it| it.as_array().is_some()) {
        return results;
    }
    results.iter().flat_map(|it| it.as_array().unwrap_or_default().to_vec()).collect()
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
}
