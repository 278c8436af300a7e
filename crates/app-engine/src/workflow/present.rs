//! The engine's events as clients see them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use graph::{
    EngineEvent, GraphEvent, NodeRef, NodeResult, Outputs, RunStats, StartInfo,
    event::Container,
    node::Metadata,
    pause::PauseReason,
    value::{Object, object_to_json},
};
use serde_json::{Map, Value, json};

use super::{RunFacts, elapsed, seconds};
use crate::event::{AppEvent, Chunk, ChunkKind, WorkflowEvent};

/// What a reader of the log gets of one engine event.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// A piece of text.
    Text(Chunk, String),
    /// An event.
    Event(AppEvent),
}

/// Turns the events of one run into what clients see. The caller stores the rows of a run's end
/// before it asks what to show of it.
pub struct Presenter {
    facts: RunFacts,
    /// Moments at which executions of nodes started.
    started: HashMap<Arc<str>, DateTime<Utc>>,
    lookup: Arc<dyn Lookup>,
}

/// What clients are shown beside what the engine tells.
pub trait Lookup: Send + Sync {
    /// `extras` of `node_started`: icons of tools.
    fn extras(&self, info: &StartInfo) -> Map<String, Value>;
}

impl Presenter {
    /// A presenter of one run.
    #[must_use]
    pub fn new(facts: RunFacts, lookup: Arc<dyn Lookup>) -> Self {
        Self { facts, started: HashMap::new(), lookup }
    }

    /// What clients see of an event.
    pub fn present(&mut self, event: &EngineEvent) -> Vec<Shown> {
        let at = event.at;
        let shown = match &event.event {
            GraphEvent::RunStarted { reason } => Some((
                "workflow_started",
                json!({
                    "id": self.facts.run_id,
                    "workflow_id": self.facts.workflow_id,
                    "inputs": self.facts.inputs,
                    "created_at": seconds(at),
                    "reason": reason.as_str(),
                }),
                None,
            )),
            GraphEvent::NodeStarted { node, attempt, info, .. } => {
                if *attempt == 0 {
                    self.started.insert(Arc::clone(&node.execution_id), at);
                }
                (*attempt == 0 && is_shown(node)).then(|| self.node_started(node, info, at))
            }
            GraphEvent::NodeSucceeded { node, result } => {
                self.node_finished(node, result, at, "succeeded", None)
            }
            GraphEvent::NodeFailed { node, result, error, .. } => {
                self.node_finished(node, result, at, "failed", Some(error))
            }
            GraphEvent::NodeException { node, result, .. } => {
                // The reference does not pass the text on here; the row keeps it.
                self.node_finished(node, result, at, "exception", Some("Unknown error"))
            }
            GraphEvent::NodeRetry { node, result, error, retry_index } => {
                is_shown(node).then(|| self.node_retry(node, result, error, *retry_index, at))
            }
            GraphEvent::Chunk { selector, text, .. } => {
                let chunk = Chunk { kind: ChunkKind::Answer, selector: Some(selector.clone()) };
                return vec![Shown::Text(chunk, text.clone())];
            }
            GraphEvent::AgentLog { node, log } => Some((
                "agent_log",
                json!({
                    "node_execution_id": log.node_execution_id,
                    "id": log.message_id,
                    "label": log.label,
                    "parent_id": log.parent_id,
                    "error": log.error,
                    "status": log.status,
                    "data": log.data,
                    "metadata": log.metadata,
                    "node_id": &*node.node_id,
                }),
                None,
            )),
            GraphEvent::FormFilled { node, rendered_content, action_id, action_text } => Some((
                "human_input_form_filled",
                json!({
                    "node_id": &*node.node_id,
                    "node_title": &*node.title,
                    "rendered_content": rendered_content,
                    "action_id": action_id,
                    "action_text": action_text,
                }),
                None,
            )),
            GraphEvent::FormTimeout { node, expiration_time } => Some((
                "human_input_form_timeout",
                json!({
                    "node_id": &*node.node_id,
                    "node_title": &*node.title,
                    "expiration_time": seconds(*expiration_time),
                }),
                None,
            )),
            GraphEvent::ContainerStarted { node, container, inputs, length } => {
                Some(self.container_started(node, *container, inputs, *length, at))
            }
            GraphEvent::ContainerNext { node, container, index } => {
                Some(container_next(node, *container, *index, at))
            }
            GraphEvent::ContainerFinished {
                node,
                container,
                started_at,
                inputs,
                outputs,
                metadata,
                steps,
                error,
            } => {
                let end = ContainerEnd {
                    started_at: *started_at,
                    inputs,
                    outputs,
                    metadata,
                    steps: *steps,
                    failed: error.is_some(),
                };
                Some(self.container_finished(node, *container, &end, at))
            }
            GraphEvent::RunSucceeded { outputs, stats } => {
                Some(self.finished("succeeded", outputs, None, stats, at))
            }
            GraphEvent::RunPartialSucceeded { outputs, stats } => {
                Some(self.finished("partial-succeeded", outputs, None, stats, at))
            }
            GraphEvent::RunFailed { error, outputs, stats } => {
                Some(self.finished("failed", outputs, Some(error), stats, at))
            }
            GraphEvent::RunAborted { reason, outputs, stats } => {
                let (status, error) = aborted(reason);
                Some(self.finished(status, outputs, Some(&error), stats, at))
            }
            GraphEvent::RunPaused { reasons, paused_nodes, outputs, stats, .. } => {
                return self.paused(reasons, paused_nodes, outputs, stats, at);
            }
            GraphEvent::NodePaused { .. }
            | GraphEvent::NodeCancelled { .. }
            | GraphEvent::RetrieverResources { .. } => None,
        };
        shown.into_iter().map(|(name, full, simple)| self.event(name, full, simple)).collect()
    }

    fn event(&self, name: &'static str, full: Value, simple: Option<Value>) -> Shown {
        Shown::Event(AppEvent::Workflow(Arc::new(WorkflowEvent {
            name,
            // Steps of agents do not say whose run they are part of.
            workflow_run_id: (name != "agent_log").then(|| self.facts.run_id.clone()),
            full,
            simple: simple.filter(|_| self.facts.is_simple),
        })))
    }

    fn node_started(&self, node: &NodeRef, info: &StartInfo, at: DateTime<Utc>) -> Parts {
        let simple = json!({
            "id": &*node.execution_id,
            "node_id": &*node.node_id,
            "node_type": &*node.node_type,
            "title": &*node.title,
            "index": 1,
            "predecessor_node_id": null,
            "inputs": null,
            "created_at": seconds(at),
            "extras": if self.facts.is_simple { Map::new() } else { self.lookup.extras(info) },
            "iteration_id": node.in_iteration_id.as_deref(),
            "loop_id": node.in_loop_id.as_deref(),
        });
        let mut full = simple.clone();
        if let Value::Object(full) = &mut full {
            full.insert("inputs_truncated".into(), json!(false));
            full.insert("agent_strategy".into(), json!(info.agent_strategy));
        }
        ("node_started", full, Some(simple))
    }

    fn node_finished(
        &mut self,
        node: &NodeRef,
        result: &NodeResult,
        at: DateTime<Utc>,
        status: &str,
        error: Option<&str>,
    ) -> Option<Parts> {
        let started = self.started.remove(&node.execution_id).unwrap_or(result.started_at);
        if !is_shown(node) {
            return None;
        }
        let simple = json!({
            "id": &*node.execution_id,
            "node_id": &*node.node_id,
            "node_type": &*node.node_type,
            "title": &*node.title,
            "index": 1,
            "predecessor_node_id": null,
            "inputs": null,
            "process_data": null,
            "outputs": null,
            "status": status,
            "error": null,
            "elapsed_time": elapsed(started, at),
            "execution_metadata": null,
            "created_at": seconds(started),
            "finished_at": seconds(at),
            "files": [],
            "iteration_id": node.in_iteration_id.as_deref(),
            "loop_id": node.in_loop_id.as_deref(),
        });
        if self.facts.is_simple {
            return Some(("node_finished", simple.clone(), Some(simple)));
        }
        let mut full = simple;
        if let Value::Object(full) = &mut full {
            self.put_values(full, result);
            full.insert("error".into(), json!(error));
            full.insert("execution_metadata".into(), self.metadata(&result.metadata));
            full.insert("files".into(), self.files(&result.outputs));
        }
        Some(("node_finished", full, None))
    }

    fn node_retry(
        &self,
        node: &NodeRef,
        result: &NodeResult,
        error: &str,
        retry_index: u32,
        at: DateTime<Utc>,
    ) -> Parts {
        let mut full = json!({
            "id": &*node.execution_id,
            "node_id": &*node.node_id,
            "node_type": &*node.node_type,
            "title": &*node.title,
            "index": 1,
            "predecessor_node_id": null,
            "status": "retry",
            "error": error,
            "elapsed_time": elapsed(result.started_at, at),
            "execution_metadata": self.metadata(&result.metadata),
            "created_at": seconds(result.started_at),
            "finished_at": seconds(at),
            "files": [],
            "iteration_id": node.in_iteration_id.as_deref(),
            "loop_id": node.in_loop_id.as_deref(),
            "retry_index": retry_index,
        });
        if let Value::Object(full) = &mut full {
            self.put_values(full, result);
        }
        ("node_retry", full, None)
    }

    fn put_values(&self, into: &mut Map<String, Value>, result: &NodeResult) {
        let outputs: Object =
            result.outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect();
        for (name, values) in [
            ("inputs", &result.inputs),
            ("process_data", &result.process_data),
            ("outputs", &outputs),
        ] {
            let (values, is_cut) = self.cut(values);
            into.insert(name.into(), values);
            into.insert(format!("{name}_truncated"), json!(is_cut));
        }
    }

    /// Values as clients see them, and whether they see less than there is.
    fn cut(&self, values: &Object) -> (Value, bool) {
        let urls = &*self.facts.urls;
        match self.facts.shown_limits.filter(|limits| !limits.is_small(values)) {
            None => (Value::Object(object_to_json(values, urls)), false),
            Some(limits) => {
                let (part, is_cut) = limits.mapping(values);
                (Value::Object(object_to_json(&part, urls)), is_cut)
            }
        }
    }

    fn metadata(&self, metadata: &Metadata) -> Value {
        if metadata.is_empty() {
            Value::Null
        } else {
            Value::Object(metadata.to_json(&*self.facts.urls))
        }
    }

    /// Files at the top of outputs and in lists there.
    fn files(&self, outputs: &Outputs) -> Value {
        let urls = &*self.facts.urls;
        let mut files = Vec::new();
        for segment in outputs.values() {
            let items = segment.value.as_array().unwrap_or(std::slice::from_ref(&segment.value));
            files.extend(
                items
                    .iter()
                    .filter_map(graph::Value::as_file)
                    .map(|file| Value::Object(file.to_json(urls))),
            );
        }
        Value::Array(files)
    }

    fn container_started(
        &self,
        node: &NodeRef,
        container: Container,
        inputs: &Object,
        length: usize,
        at: DateTime<Utc>,
    ) -> Parts {
        let (name, measure) = match container {
            Container::Iteration => ("iteration_started", "iteration_length"),
            Container::Loop => ("loop_started", "loop_length"),
        };
        let (inputs, inputs_cut) = self.cut(inputs);
        let data = json!({
            "id": &*node.node_id,
            "node_id": &*node.node_id,
            "node_type": &*node.node_type,
            "title": &*node.title,
            "created_at": seconds(at),
            "extras": {},
            "metadata": {measure: length},
            "inputs": inputs,
            "inputs_truncated": inputs_cut,
        });
        (name, data, None)
    }

    fn container_finished(
        &self,
        node: &NodeRef,
        container: Container,
        end: &ContainerEnd<'_>,
        at: DateTime<Utc>,
    ) -> Parts {
        let name = match container {
            Container::Iteration => "iteration_completed",
            Container::Loop => "loop_completed",
        };
        let metadata = end.metadata.to_json(&*self.facts.urls);
        let (inputs, inputs_cut) = self.cut(end.inputs);
        let (outputs, outputs_cut) = self.cut(end.outputs);
        let data = json!({
            "id": &*node.node_id,
            "node_id": &*node.node_id,
            "node_type": &*node.node_type,
            "title": &*node.title,
            "outputs": outputs,
            "outputs_truncated": outputs_cut,
            "created_at": seconds(end.started_at),
            "extras": {},
            "inputs": inputs,
            "inputs_truncated": inputs_cut,
            "status": if end.failed { "failed" } else { "succeeded" },
            "error": null,
            "elapsed_time": elapsed(end.started_at, at),
            "total_tokens": end.metadata.total_tokens.unwrap_or(0),
            "execution_metadata": metadata,
            "finished_at": seconds(at),
            "steps": end.steps,
        });
        (name, data, None)
    }

    fn finished(
        &self,
        status: &str,
        outputs: &Object,
        error: Option<&str>,
        stats: &RunStats,
        at: DateTime<Utc>,
    ) -> Parts {
        let urls = &*self.facts.urls;
        let mut files = Vec::new();
        for value in outputs.values() {
            let items = value.as_array().unwrap_or(std::slice::from_ref(value));
            files.extend(
                items
                    .iter()
                    .filter_map(graph::Value::as_file)
                    .map(|file| Value::Object(file.to_json(urls))),
            );
        }
        let data = json!({
            "id": self.facts.run_id,
            "workflow_id": self.facts.workflow_id,
            "status": status,
            "outputs": object_to_json(outputs, urls),
            "error": error,
            "elapsed_time": elapsed(self.facts.created_at, at),
            "total_tokens": stats.total_tokens,
            "total_steps": stats.steps,
            "created_by": self.facts.created_by,
            "created_at": seconds(self.facts.created_at),
            "finished_at": seconds(at),
            "exceptions_count": stats.exceptions_count,
            "files": files,
        });
        ("workflow_finished", data, None)
    }

    fn paused(
        &self,
        reasons: &[PauseReason],
        nodes: &[String],
        outputs: &Object,
        stats: &RunStats,
        at: DateTime<Utc>,
    ) -> Vec<Shown> {
        let mut shown = Vec::new();
        for reason in reasons {
            let PauseReason::HumanInputRequired(form) = reason else { continue };
            let data = json!({
                "form_id": form.form_id,
                "node_id": form.node_id,
                "node_title": form.node_title,
                "form_content": form.form_content,
                "inputs": form.inputs,
                "actions": form.actions,
                "display_in_ui": form.display_in_ui,
                "form_token": form.form_token,
                "resolved_default_values": object_to_json(&form.resolved_default_values, &*self.facts.urls),
                "expiration_time": form.expiration_time.map(seconds),
            });
            shown.push(self.event("human_input_required", data, None));
        }
        let outputs = object_to_json(outputs, &*self.facts.urls);
        let data = json!({
            "workflow_run_id": self.facts.run_id,
            "paused_nodes": nodes,
            "outputs": outputs,
            "reasons": reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "status": "paused",
            "created_at": seconds(self.facts.created_at),
            "elapsed_time": elapsed(self.facts.created_at, at),
            "total_tokens": stats.total_tokens,
            "total_steps": stats.steps,
        });
        shown.push(self.event("workflow_paused", data, None));
        shown
    }
}

/// Event name, `data`, and `data` for clients that see less.
type Parts = (&'static str, Value, Option<Value>);

struct ContainerEnd<'a> {
    started_at: DateTime<Utc>,
    inputs: &'a Object,
    outputs: &'a Object,
    metadata: &'a Metadata,
    steps: usize,
    failed: bool,
}

fn container_next(node: &NodeRef, container: Container, index: usize, at: DateTime<Utc>) -> Parts {
    let mut data = json!({
        "id": &*node.node_id,
        "node_id": &*node.node_id,
        "node_type": &*node.node_type,
        "title": &*node.title,
        "index": index,
        "created_at": seconds(at),
        "extras": {},
    });
    let name = match container {
        Container::Iteration => "iteration_next",
        Container::Loop => {
            if let Value::Object(data) = &mut data {
                data.insert("pre_loop_output".into(), json!({}));
            }
            "loop_next"
        }
    };
    (name, data, None)
}

fn reason_json(reason: &PauseReason) -> Value {
    serde_json::to_value(reason).unwrap_or_default()
}

/// Containers tell of themselves by events of their own, and the nodes they begin with tell nothing.
fn is_shown(node: &NodeRef) -> bool {
    !matches!(&*node.node_type, "iteration" | "loop" | "iteration-start" | "loop-start")
}

/// The reason a run is aborted with when a user stops it.
pub const STOPPED_BY_USER: &str = "Stopped by user.";

/// The reason a run is aborted with when moderation has replaced its answer.
pub const STOPPED_BY_MODERATION: &str = "Stopped by output moderation.";

/// Status and error of an aborted run: a user's stop is `stopped`, a limit is `failed`.
#[must_use]
pub fn aborted(reason: &str) -> (&'static str, String) {
    let stopped = [STOPPED_BY_USER, STOPPED_BY_MODERATION];
    match stopped.into_iter().find(|stopped| reason.ends_with(stopped)) {
        Some(stopped) => ("stopped", stopped.to_owned()),
        None => ("failed", reason.to_owned()),
    }
}
