//! The engine's events as rows. Nothing else makes rows of runs.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, NaiveDateTime, Utc};
use graph::{
    EngineEvent, FileUrls, GraphEvent, NodeRef, NodeResult, RunStats, StartReason, Truncator,
    value::{Object, object_to_json},
};
use serde_json::Value;

use super::{RunFacts, elapsed, present::aborted};

/// A row of `workflow_node_executions`.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// The execution.
    pub id: String,
    /// Running number in the run.
    pub index: i32,
    /// Id in the graph.
    pub node_id: String,
    /// `llm` …
    pub node_type: String,
    /// Title.
    pub title: String,
    /// JSON.
    pub inputs: Option<String>,
    /// JSON.
    pub process_data: Option<String>,
    /// JSON.
    pub outputs: Option<String>,
    /// `running`, `succeeded`, `failed`, `exception`, `retry`, `paused`.
    pub status: &'static str,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds.
    pub elapsed_time: f64,
    /// JSON.
    pub execution_metadata: Option<String>,
    /// When it started.
    pub created_at: NaiveDateTime,
    /// When it ended.
    pub finished_at: Option<NaiveDateTime>,
    /// The whole JSON of columns (`inputs`, `process_data`, `outputs`) of which the row has only a part.
    pub whole: Vec<(&'static str, String)>,
}

impl NodeRow {
    /// Takes over what a node read and answered. Nothing is written where there is nothing, except with `empty`.
    fn put(&mut self, result: &NodeResult, limits: Truncator, urls: &dyn FileUrls, empty: bool) {
        let outputs: Object =
            result.outputs.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect();
        let mut column = |name: &'static str, values: &Object| {
            if values.is_empty() && !empty {
                return None;
            }
            if limits.is_small(values) {
                return json_text(values, urls);
            }
            let (part, is_cut) = limits.mapping(values);
            if !is_cut {
                return json_text(values, urls);
            }
            self.whole.extend(json_text(values, urls).map(|whole| (name, whole)));
            json_text(&part, urls)
        };
        let inputs = column("inputs", &result.inputs);
        let process_data = column("process_data", &result.process_data);
        let outputs = column("outputs", &outputs);
        self.inputs = inputs;
        self.process_data = process_data;
        self.outputs = outputs;
    }
}

/// A node that ran alone.
pub struct Single<'a> {
    /// The execution.
    pub id: String,
    /// Id in the graph.
    pub node_id: &'a str,
    /// `llm` …
    pub node_type: &'a str,
    /// Title.
    pub title: &'a str,
    /// How it ended.
    pub result: &'a NodeResult,
    /// Why it failed.
    pub failure: Option<&'a str>,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Makes URLs of files in values.
    pub urls: &'a dyn FileUrls,
    /// How much rows keep.
    pub limits: Truncator,
}

/// The row of a node that ran alone.
#[must_use]
pub fn single_row(single: &Single<'_>) -> NodeRow {
    let result = single.result;
    let is_exception = result.metadata.entries.contains_key("error_strategy");
    let status = match single.failure {
        None => "succeeded",
        Some(_) if is_exception => "exception",
        Some(_) => "failed",
    };
    let metadata = result.metadata.to_json(single.urls);
    let mut row = NodeRow {
        id: single.id.clone(),
        index: 1,
        node_id: single.node_id.to_owned(),
        node_type: single.node_type.to_owned(),
        title: single.title.to_owned(),
        inputs: None,
        process_data: None,
        outputs: None,
        status,
        error: single.failure.map(str::to_owned),
        elapsed_time: elapsed(result.started_at, single.at),
        execution_metadata: if metadata.is_empty() {
            None
        } else {
            types::pyjson::dumps(&Value::Object(metadata)).ok()
        },
        created_at: single.at.naive_utc(),
        finished_at: Some(single.at.naive_utc()),
        whole: Vec::new(),
    };
    row.put(result, single.limits, single.urls, false);
    if single.failure.is_none() && row.outputs.is_none() {
        row.outputs = Some("{}".to_owned());
    }
    row
}

/// What `workflow_runs` holds of a run that ended or paused.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// `succeeded`, `partial-succeeded`, `failed`, `stopped`, `paused`.
    pub status: &'static str,
    /// JSON; `None` where there are none.
    pub outputs: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Seconds.
    pub elapsed_time: f64,
    /// Tokens of all nodes.
    pub total_tokens: i64,
    /// Executions of nodes.
    pub total_steps: i32,
    /// Failed attempts.
    pub exceptions_count: i32,
    /// `None` while paused.
    pub finished_at: Option<NaiveDateTime>,
}

/// Collects the rows of one run.
pub struct Recorder {
    facts: RunFacts,
    open: HashMap<Arc<str>, NodeRow>,
    ready: Vec<NodeRow>,
    /// Rows handed out by the last [`Recorder::snapshot`].
    lent: Vec<NodeRow>,
    /// In a part that follows a pause: the number before its first execution, once that is known.
    counts_from: Option<Option<u32>>,
}

impl Recorder {
    /// A recorder of one run.
    #[must_use]
    pub fn new(facts: RunFacts) -> Self {
        Self { facts, open: HashMap::new(), ready: Vec::new(), lent: Vec::new(), counts_from: None }
    }

    /// Takes note of an event. Answers how the run ended if the event is its last.
    pub fn record(&mut self, event: &EngineEvent) -> Option<RunEnd> {
        let at = event.at;
        match &event.event {
            GraphEvent::RunStarted { reason: StartReason::Resumption } => {
                // As in the reference, a part of a run counts its own executions.
                self.counts_from = Some(None);
                None
            }
            GraphEvent::NodeStarted { node, index, .. } => {
                let index = self.number(*index);
                match self.open.get_mut(&node.execution_id) {
                    // A further attempt counts as a step of its own.
                    Some(row) => row.index = index,
                    None => {
                        self.open.insert(Arc::clone(&node.execution_id), new_row(node, index, at));
                    }
                }
                None
            }
            GraphEvent::NodeSucceeded { node, result } => {
                self.close(node, Some(result), at, "succeeded", None);
                None
            }
            GraphEvent::NodeFailed { node, result, error, .. } => {
                self.close(node, Some(result), at, "failed", Some(error));
                None
            }
            GraphEvent::NodeException { node, result, error } => {
                self.close(node, Some(result), at, "exception", Some(error));
                None
            }
            GraphEvent::NodePaused { node, .. } => {
                self.close(node, None, at, "paused", None);
                None
            }
            GraphEvent::NodeCancelled { node, error, .. } => {
                self.close(node, None, at, "failed", Some(error));
                None
            }
            GraphEvent::RunSucceeded { outputs, stats } => {
                Some(self.end("succeeded", outputs, None, stats, at))
            }
            GraphEvent::RunPartialSucceeded { outputs, stats } => {
                Some(self.end("partial-succeeded", outputs, None, stats, at))
            }
            GraphEvent::RunFailed { error, outputs, stats } => {
                Some(self.end("failed", outputs, Some(error.clone()), stats, at))
            }
            GraphEvent::RunAborted { reason, outputs, stats } => {
                let (_, error) = aborted(reason);
                Some(self.end("stopped", outputs, Some(error), stats, at))
            }
            GraphEvent::RunPaused { outputs, stats, .. } => {
                let mut end = self.end("paused", outputs, None, stats, at);
                end.finished_at = None;
                Some(end)
            }
            _ => None,
        }
    }

    fn number(&mut self, index: u32) -> i32 {
        let before = match &mut self.counts_from {
            None => 0,
            Some(first) => *first.get_or_insert(index.saturating_sub(1)),
        };
        i32::try_from(index.saturating_sub(before)).unwrap_or(i32::MAX)
    }

    /// Rows of executions that ended since the last call. With `all`, also those that still run.
    pub fn take(&mut self, all: bool) -> Vec<NodeRow> {
        let mut rows = std::mem::take(&mut self.ready);
        if all {
            rows.extend(self.open.drain().map(|(_, row)| row));
        }
        rows
    }

    /// Rows of executions that ended since the last call, and of those that run at the moment.
    pub fn snapshot(&mut self) -> Vec<NodeRow> {
        self.lent = std::mem::take(&mut self.ready);
        self.lent.iter().chain(self.open.values()).cloned().collect()
    }

    /// The rows of the last [`Recorder::snapshot`] could not be stored: they come again.
    pub fn keep_all(&mut self) {
        let mut rows = std::mem::take(&mut self.lent);
        rows.append(&mut self.ready);
        self.ready = rows;
    }

    fn close(
        &mut self,
        node: &NodeRef,
        result: Option<&NodeResult>,
        at: DateTime<Utc>,
        status: &'static str,
        error: Option<&str>,
    ) {
        let mut row = self.open.remove(&node.execution_id).unwrap_or_else(|| new_row(node, 0, at));
        row.status = status;
        row.error = error.map(str::to_owned);
        row.finished_at = Some(at.naive_utc());
        row.elapsed_time = elapsed(row.created_at.and_utc(), at);
        if let Some(result) = result {
            let urls = &*self.facts.urls;
            row.put(result, self.facts.row_limits, urls, true);
            let metadata = result.metadata.to_json(urls);
            row.execution_metadata = types::pyjson::dumps(&Value::Object(metadata)).ok();
        } else {
            row.execution_metadata = Some("{}".to_owned());
        }
        self.ready.push(row);
    }

    fn end(
        &self,
        status: &'static str,
        outputs: &Object,
        error: Option<String>,
        stats: &RunStats,
        at: DateTime<Utc>,
    ) -> RunEnd {
        RunEnd {
            status,
            outputs: if outputs.is_empty() { None } else { json_text(outputs, &*self.facts.urls) },
            error,
            elapsed_time: elapsed(self.facts.created_at, at),
            total_tokens: stats.total_tokens,
            total_steps: i32::try_from(stats.steps).unwrap_or(i32::MAX),
            exceptions_count: i32::try_from(stats.exceptions_count).unwrap_or(i32::MAX),
            finished_at: Some(at.naive_utc()),
        }
    }
}

fn new_row(node: &NodeRef, index: i32, at: DateTime<Utc>) -> NodeRow {
    NodeRow {
        id: node.execution_id.to_string(),
        index,
        node_id: node.node_id.to_string(),
        node_type: node.node_type.to_string(),
        title: node.title.to_string(),
        inputs: None,
        process_data: None,
        outputs: None,
        status: "running",
        error: None,
        elapsed_time: 0.0,
        execution_metadata: Some(r#"{"iteration_id": null, "loop_id": null}"#.to_owned()),
        created_at: at.naive_utc(),
        finished_at: None,
        whole: Vec::new(),
    }
}

/// JSON as the reference writes it.
fn json_text(object: &Object, urls: &dyn FileUrls) -> Option<String> {
    types::pyjson::dumps(&Value::Object(object_to_json(object, urls))).ok()
}
