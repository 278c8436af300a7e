//! What happened in a run so far, in the short form.

use app_engine::wire::Prefix;
use db::{workflow_node_execution::NodeExecution, workflow_run::WorkflowRun};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Event, Place};
use crate::run::Runner;

/// The only event of a run that has ended.
pub(super) fn ended(
    row: &WorkflowRun,
    finished_at: chrono::NaiveDateTime,
    runner: &Runner,
) -> Event {
    let outputs: Value = row
        .outputs
        .as_deref()
        .and_then(|it| serde_json::from_str(it).ok())
        .unwrap_or_else(|| json!({}));
    let data = json!({
        "id": row.id,
        "workflow_id": row.workflow_id,
        "status": row.status,
        "files": files(&outputs),
        "outputs": outputs,
        "error": row.error,
        "elapsed_time": row.elapsed_time,
        "total_tokens": row.total_tokens,
        "total_steps": row.total_steps,
        "created_by": runner.shown(),
        "created_at": row.created_at.and_utc().timestamp(),
        "finished_at": finished_at.and_utc().timestamp(),
        "exceptions_count": row.exceptions_count,
    });
    let mut event = Event::new();
    event.insert("event".to_owned(), "workflow_finished".into());
    event.insert("task_id".to_owned(), row.id.to_string().into());
    event.insert("workflow_run_id".to_owned(), row.id.to_string().into());
    event.insert("data".to_owned(), data);
    event
}

/// Files at the top of outputs and in lists there.
fn files(outputs: &Value) -> Vec<Value> {
    let values = outputs.as_object().into_iter().flat_map(Map::values);
    let items = values.flat_map(|value| match value.as_array() {
        Some(items) => items.as_slice(),
        None => std::slice::from_ref(value),
    });
    items.filter(|it| it.get("dify_model_identity").is_some()).cloned().collect()
}

/// What happened so far, in the short form.
pub(super) fn so_far(
    row: &WorkflowRun,
    nodes: &[NodeExecution],
    place: &Place,
    task: Uuid,
    paused: Option<Value>,
) -> Vec<Event> {
    let (task, run) = (task.to_string(), row.id.to_string());
    let frame = |name: &str, data: Value| {
        let mut event = Event::new();
        event.insert("event".to_owned(), name.into());
        event.insert("task_id".to_owned(), task.as_str().into());
        event.insert("workflow_run_id".to_owned(), run.as_str().into());
        event.insert("data".to_owned(), data);
        event
    };
    let inputs: Value =
        row.inputs.as_deref().and_then(|it| serde_json::from_str(it).ok()).unwrap_or(json!({}));
    let mut events = vec![frame(
        "workflow_started",
        json!({
            "id": row.id,
            "workflow_id": row.workflow_id,
            "inputs": inputs,
            "created_at": row.created_at.and_utc().timestamp(),
            "reason": "initial",
        }),
    )];
    if place.prefix.is_some() {
        let mut event = Event::new();
        event.insert("event".to_owned(), "message_replace".into());
        event.insert("task_id".to_owned(), task.as_str().into());
        event.insert("answer".to_owned(), place.answer.as_str().into());
        event.insert("reason".to_owned(), "".into());
        events.push(event);
    }
    for node in nodes {
        events.push(frame("node_started", started(node)));
        if node.status != "running" {
            events.push(frame("node_finished", finished(node)));
        }
    }
    events.extend(paused.map(|data| frame("workflow_paused", data)));
    if let Some(Prefix::Chat { conversation_id, message_id, created_at }) = &place.prefix {
        for event in &mut events {
            event.insert("conversation_id".to_owned(), conversation_id.as_str().into());
            event.insert("message_id".to_owned(), message_id.as_str().into());
            event.insert("created_at".to_owned(), (*created_at).into());
        }
    }
    events
}

pub(super) fn execution_id(node: &NodeExecution) -> String {
    node.node_execution_id.clone().unwrap_or_else(|| node.id.to_string())
}

fn started(node: &NodeExecution) -> Value {
    let within = within(node);
    json!({
        "id": execution_id(node),
        "node_id": node.node_id,
        "node_type": node.node_type,
        "title": node.title,
        "index": node.index,
        "predecessor_node_id": null,
        "inputs": null,
        "created_at": node.created_at.and_utc().timestamp(),
        "extras": {},
        "iteration_id": within.0,
        "loop_id": within.1,
    })
}

fn finished(node: &NodeExecution) -> Value {
    let within = within(node);
    let finished_at = node.finished_at.unwrap_or(node.created_at);
    json!({
        "id": execution_id(node),
        "node_id": node.node_id,
        "node_type": node.node_type,
        "title": node.title,
        "index": node.index,
        "predecessor_node_id": null,
        "inputs": null,
        "process_data": null,
        "outputs": null,
        "status": node.status,
        "error": null,
        "elapsed_time": node.elapsed_time,
        "execution_metadata": null,
        "created_at": node.created_at.and_utc().timestamp(),
        "finished_at": finished_at.and_utc().timestamp(),
        "files": [],
        "iteration_id": within.0,
        "loop_id": within.1,
    })
}

/// The iteration and the loop a node is in.
fn within(node: &NodeExecution) -> (Value, Value) {
    let metadata: Value = node
        .execution_metadata
        .as_deref()
        .and_then(|it| serde_json::from_str(it).ok())
        .unwrap_or_default();
    let id = |key: &str| metadata.get(key).cloned().unwrap_or_default();
    (id("iteration_id"), id("loop_id"))
}
