//! What follows when a node ends: outputs, edges, retries, error strategies.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    Action, Machine,
    state::{FrameId, Mark, Ready, TOP, Task, Wait},
};
use crate::{
    event::{GraphEvent, NodeResult},
    graph::{ErrorStrategy, NodeIndex},
    node::{
        ExecutionKind, Metadata, NodeError, NodeOutput, Outcome, Outputs, SOURCE_HANDLE, TaskId,
    },
    pause::PauseReason,
    segment::Segment,
    value::Value,
};

impl Machine {
    pub(super) fn finished(&mut self, task: TaskId, result: Result<Outcome, NodeError>) {
        let Some(Task { frame, node, started_at, .. }) = self.tasks.remove(&task) else { return };
        match result {
            Ok(Outcome::Done(output)) => self.succeed(frame, node, started_at, *output),
            Ok(Outcome::Pause(reason)) => self.pause(frame, node, started_at, reason),
            Err(error) => self.fail(frame, node, started_at, error),
        }
    }

    fn pause(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        reason: PauseReason,
    ) {
        let Some(reference) = self.node_ref(frame, node) else { return };
        self.pausing = true;
        self.state.pause_reasons.push(reason.clone());
        if let Some(it) = self.state.frames.get_mut(&frame) {
            it.mark_node(node, Mark::Unknown);
            it.paused.push(node);
        }
        self.emit(frame, GraphEvent::NodePaused { node: reference, reason, started_at });
    }

    /// A node ended well.
    pub(super) fn succeed(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        output: NodeOutput,
    ) {
        let Some(reference) = self.node_ref(frame, node) else { return };
        let Some(kind) = self.graph.node(node).map(|it| it.kind) else { return };
        let handle = output.handle.clone().unwrap_or_else(|| SOURCE_HANDLE.to_owned());
        if kind == ExecutionKind::Branch && handle.is_empty() {
            let id = &reference.node_id;
            let error = format!("Branch node {id} completed without selecting a branch");
            return self.fail(frame, node, started_at, NodeError::uncaught(error));
        }
        if let Some(it) = self.state.frames.get_mut(&frame)
            && let Some(usage) = &output.usage
        {
            it.tokens = it.tokens.saturating_add(usage.total_tokens.max(0));
            it.add_usage(usage);
        }
        if let Some(pool) = self.pool_mut(frame) {
            for (selector, value) in &output.writes {
                pool.set_selector(selector, value.clone());
            }
            for (name, value) in &output.outputs {
                pool.set(&reference.node_id, name, value.clone());
            }
        }
        self.flush(frame);
        self.follow(frame, node, (kind == ExecutionKind::Branch).then_some(&handle));
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        if kind == ExecutionKind::Response {
            it.add_outputs(plain(&output.outputs));
        }
        if &*reference.node_type == "loop-end" {
            it.break_reached = true;
        }
        if !it.is_silent(node) {
            let result = Box::new(NodeResult {
                started_at,
                inputs: output.inputs,
                process_data: output.process_data,
                outputs: output.outputs,
                metadata: tagged(output.metadata, &it.tags.entries),
                usage: output.usage,
                handle: Some(handle),
                retries: it.executions.get(&node).map_or(0, |it| it.retries),
            });
            self.emit(frame, GraphEvent::NodeSucceeded { node: reference, result });
        }
        self.leave(frame);
        self.check_steps();
    }

    /// A node failed: it is tried again, goes on by its strategy, or fails its frame.
    pub(super) fn fail(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        error: NodeError,
    ) {
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        it.exceptions += 1;
        if let Some(usage) = &error.usage {
            it.tokens = it.tokens.saturating_add(usage.total_tokens.max(0));
            it.add_usage(usage);
        }
        let retries = it.executions.get(&node).map_or(0, |it| it.retries);
        let Some(settings) = self.graph.node(node) else { return };
        let (retry, strategy) = (settings.retry, settings.error_strategy);
        if error.abort_run {
            let reason = error.message.clone();
            self.tell_failure(frame, node, started_at, error);
            return self.abort(&reason);
        }
        if retries < retry.max_retries {
            return self.wait(frame, node, started_at, error, retry.interval);
        }
        match strategy {
            Some(strategy) => self.except(frame, node, started_at, error, strategy),
            None => {
                let message = error.message.clone();
                self.tell_failure(frame, node, started_at, error);
                self.fail_frame(frame, message);
            }
        }
    }

    fn wait(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        error: NodeError,
        duration: Duration,
    ) {
        let task = TaskId(self.state.next_task);
        self.state.next_task += 1;
        let failed = Some(Box::new(error));
        self.tasks.insert(task, Task { frame, node, started_at, wait: Wait::Retry, failed });
        if duration.is_zero() {
            self.slept(task);
        } else {
            self.actions.push_back(Action::Sleep { task, duration });
        }
    }

    /// The waiting time before a retry is over.
    pub(super) fn slept(&mut self, task: TaskId) {
        let Some(Task { frame, node, started_at, failed: Some(error), .. }) =
            self.tasks.remove(&task)
        else {
            return;
        };
        let Some(reference) = self.node_ref(frame, node) else { return };
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        let mut retry_index = 0;
        if let Some(execution) = it.executions.get_mut(&node) {
            execution.retries += 1;
            retry_index = execution.retries;
        }
        let tags = it.tags.entries.clone();
        let message = error.message.clone();
        let result = failed_result(*error, started_at, &tags, retry_index.saturating_sub(1));
        self.state.ready.push_back(Ready { frame, node });
        let event = GraphEvent::NodeRetry {
            node: reference,
            result: Box::new(result),
            error: message,
            retry_index,
        };
        self.emit(frame, event);
    }

    /// Goes on after a failure with the outputs of the strategy.
    fn except(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        error: NodeError,
        strategy: ErrorStrategy,
    ) {
        let Some(reference) = self.node_ref(frame, node) else { return };
        let Some(settings) = self.graph.node(node) else { return };
        let is_response = settings.kind == ExecutionKind::Response;
        let mut outputs = Outputs::new();
        if strategy == ErrorStrategy::DefaultValue {
            let defaults = settings.default_values.iter();
            outputs.extend(defaults.map(|(name, it)| (name.clone(), Segment::from(it.clone()))));
        }
        outputs.insert("error_message".to_owned(), Segment::from(error.message.as_str()));
        outputs.insert("error_type".to_owned(), Segment::from(error.error_type.as_str()));
        if let Some(pool) = self.pool_mut(frame) {
            for (name, value) in &outputs {
                pool.set(&reference.node_id, name, value.clone());
            }
        }
        let handle = match strategy {
            ErrorStrategy::FailBranch => Some("fail-branch"),
            ErrorStrategy::DefaultValue => None,
        };
        self.follow(frame, node, handle);
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        if is_response {
            it.add_outputs(plain(&outputs));
        }
        let metadata = Metadata::default().with("error_strategy", strategy.as_str());
        let result = Box::new(NodeResult {
            started_at,
            inputs: error.inputs,
            process_data: error.process_data,
            outputs,
            metadata: tagged(metadata, &it.tags.entries),
            usage: None,
            handle: Some(handle.unwrap_or(SOURCE_HANDLE).to_owned()),
            retries: it.executions.get(&node).map_or(0, |it| it.retries),
        });
        let event = GraphEvent::NodeException { node: reference, result, error: error.message };
        self.emit(frame, event);
        self.leave(frame);
    }

    fn tell_failure(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        error: NodeError,
    ) {
        let Some(reference) = self.node_ref(frame, node) else { return };
        let Some(it) = self.state.frames.get(&frame) else { return };
        if it.is_silent(node) {
            return;
        }
        let retries = it.executions.get(&node).map_or(0, |it| it.retries);
        let tags = it.tags.entries.clone();
        let (message, error_type) = (error.message.clone(), error.error_type.clone());
        let result = Box::new(failed_result(error, started_at, &tags, retries));
        let event = GraphEvent::NodeFailed { node: reference, result, error: message, error_type };
        self.emit(frame, event);
    }

    /// One node less to wait for.
    fn leave(&mut self, frame: FrameId) {
        let Some(it) = self.state.frames.get_mut(&frame) else { return };
        it.pending = it.pending.saturating_sub(1);
        if it.pending > 0 {
            return;
        }
        match it.parent {
            Some(parent) => self.round_succeeded(frame, parent),
            None => self.end_succeeded(),
        }
    }

    fn check_steps(&mut self) {
        let (steps, limit) = (self.steps, self.limits.max_steps);
        if steps > limit && !self.ended {
            self.abort(&format!("Maximum execution steps exceeded: {steps} > {limit}"));
        }
    }

    /// A frame cannot go on.
    pub(super) fn fail_frame(&mut self, frame: FrameId, error: String) {
        let Some(it) = self.state.frames.get(&frame) else { return };
        match it.parent {
            Some(parent) => {
                self.cancel_within(frame, &error);
                self.round_failed(frame, parent, &error);
            }
            None => self.end_failed(error),
        }
    }

    pub(super) fn cancel_all(&mut self, error: &str) {
        self.cancel_within(TOP, error);
    }

    /// Cuts off everything that runs in a frame and in the rounds of its containers. The frame
    /// itself stays.
    pub(super) fn cancel_within(&mut self, frame: FrameId, error: &str) {
        let inner: Vec<FrameId> = self
            .state
            .frames
            .keys()
            .copied()
            .filter(|&other| self.is_within(other, frame))
            .collect();
        let tasks: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|(_, task)| inner.contains(&task.frame))
            .map(|(&id, _)| id)
            .collect();
        for id in tasks {
            let Some(task) = self.tasks.remove(&id) else { continue };
            self.actions.push_back(Action::Cancel { task: id });
            self.tell_cancelled(task.frame, task.node, task.started_at, error);
        }
        for &other in inner.iter().rev() {
            let Some(it) = self.state.frames.get_mut(&other) else { continue };
            let containers = std::mem::take(&mut it.containers);
            // What runs in a held round is told before the container around it ends.
            self.release(other);
            for (node, run) in containers {
                self.tell_cancelled(other, node, run.started_at, error);
            }
        }
        self.state.ready.retain(|it| !inner.contains(&it.frame));
        for other in inner {
            if other != frame {
                self.drop_frame(other);
            }
        }
    }

    fn tell_cancelled(
        &mut self,
        frame: FrameId,
        node: NodeIndex,
        started_at: DateTime<Utc>,
        error: &str,
    ) {
        let silent = self.state.frames.get(&frame).is_none_or(|it| it.is_silent(node));
        if silent {
            return;
        }
        let Some(node) = self.node_ref(frame, node) else { return };
        let error = error.to_owned();
        self.emit(frame, GraphEvent::NodeCancelled { node, error, started_at });
    }

    fn is_within(&self, mut frame: FrameId, outer: FrameId) -> bool {
        loop {
            if frame == outer {
                return true;
            }
            match self.state.frames.get(&frame).and_then(|it| it.parent) {
                Some(parent) => frame = parent.frame,
                None => return false,
            }
        }
    }
}

fn plain(outputs: &Outputs) -> Vec<(String, Value)> {
    outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect()
}

fn tagged(mut metadata: Metadata, tags: &crate::Object) -> Metadata {
    for (key, value) in tags {
        metadata.entries.entry(key.clone()).or_insert_with(|| value.clone());
    }
    metadata
}

fn failed_result(
    error: NodeError,
    started_at: DateTime<Utc>,
    tags: &crate::Object,
    retries: u32,
) -> NodeResult {
    NodeResult {
        started_at,
        inputs: error.inputs,
        process_data: error.process_data,
        outputs: error.outputs,
        metadata: tagged(error.metadata, tags),
        usage: error.usage.map(|usage| *usage),
        handle: None,
        retries,
    }
}
