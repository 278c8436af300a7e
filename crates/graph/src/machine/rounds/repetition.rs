//! Loops: rounds until a condition holds or they are enough.

use std::sync::Arc;

use crate::{
    condition::evaluate,
    container::{LoopConfig, LoopVariable},
    event::{Container, NodeRef},
    graph::NodeIndex,
    machine::{
        Machine,
        state::{FrameId, Parent, Rounds},
    },
    segment::{Segment, SegmentType},
    value::{Object, Value},
};

impl Machine {
    pub(super) fn start_loop(
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

    pub(super) fn loop_round_done(&mut self, frame: FrameId, parent: Parent, config: &LoopConfig) {
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
