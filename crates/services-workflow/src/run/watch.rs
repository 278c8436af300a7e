//! Clients that come back to a run: what happened so far, then what happens, wherever the run is.
//!
//! A run's events are in the log of the process that runs it. Another process asks for them by a message, and gets them
//! from the first one on over a channel of its own; nothing is published for runs that nobody watches. Who comes back to
//! a run that waits leaves its channel's name for the process that will go on with it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use app_engine::{
    AppEvent, Item, Run, RunKey,
    wire::{Detail, Prefix, Writer},
};
use async_stream::stream;
use db::{workflow_node_execution::NodeExecution, workflow_run::WorkflowRun};
use futures::{Stream, StreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use services_core::Fault;
use types::{AppId, TenantId, WorkflowRunId};
use uuid::Uuid;

use super::{RunFailure, Runner, Runs, pause};

/// Where processes are asked for the events of a run.
const CHANNEL: &str = "dify_rs:run:watch";

/// How long a stream stays open without an event; the reference's time.
const PATIENCE: Duration = Duration::from_secs(300);

/// An event as it goes to a client.
pub type Event = Map<String, Value>;

#[derive(Serialize, Deserialize)]
struct Asked {
    run: Uuid,
    /// The channel the events go to.
    to: Uuid,
}

/// The message a run answers, as its events name it.
#[derive(Debug, Clone, Default)]
struct Place {
    /// What events begin with.
    prefix: Option<Prefix>,
    /// What was said before a pause.
    answer: String,
}

/// What somebody wants to see of a run.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app the run has to be of; any of the workspace without.
    pub app: Option<AppId>,
    /// The run, as the client named it.
    pub run: &'a str,
    /// Who asks: the run has to be theirs.
    pub runner: &'a Runner,
    /// Whether they want to see what happened so far.
    pub snapshot: bool,
}

/// The events of somebody's run, in whichever process it is.
///
/// # Errors
/// [`RunFailure::NotFound`] in the reference's words.
pub async fn events(runs: &Runs, wish: &Wish<'_>) -> Result<BoxStream<'static, Event>, RunFailure> {
    let id = wish.run;
    let missing = || RunFailure::NotFound(format!("WorkflowRun not found, id={id}"));
    let run: WorkflowRunId = id.parse().map_err(|_| missing())?;
    let mut conn = runs.ctx.db.acquire().await?;
    let row = db::workflow_run::find_of_tenant(&mut conn, wish.tenant, run).await?;
    let row = row.filter(|row| wish.app.is_none_or(|app| app == row.app_id));
    let row = row.ok_or_else(missing)?;
    let who = match wish.runner {
        Runner::Account { .. } => "account",
        Runner::EndUser { .. } => "end user",
    };
    if row.created_by_role != wish.runner.role() {
        let why = format!("WorkflowRun not created by {who}, id={id}");
        return Err(RunFailure::NotFound(why));
    }
    if row.created_by != wish.runner.id() {
        let why = format!("WorkflowRun not created by the current {who}, id={id}");
        return Err(RunFailure::NotFound(why));
    }
    if let Some(finished_at) = row.finished_at {
        let end = ended(&row, finished_at, wish.runner);
        return Ok(futures::stream::once(async { end }).boxed());
    }
    let mut place = Place::default();
    if row.r#type == "chat" {
        let messages = db::workflow_run::messages(&mut conn, row.app_id, &[run.0]).await?;
        if let Some(message) = messages.first().map(|it| it.message)
            && let Some(said) = db::chatflow::said(&mut conn, row.app_id, message).await?
        {
            place.answer = said.answer;
            place.prefix = Some(Prefix::Chat {
                conversation_id: said.conversation_id.to_string(),
                message_id: message.to_string(),
                created_at: said.created_at.and_utc().timestamp(),
            });
        }
    }
    drop(conn);
    Ok(attach(runs, &row, place, wish.snapshot).await?)
}

/// The only event of a run that has ended.
fn ended(row: &WorkflowRun, finished_at: chrono::NaiveDateTime, runner: &Runner) -> Event {
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

/// The events of a run that has not ended: with `snapshot` those so far in short, then what happens. A stream that
/// begins with a snapshot ends there if the run waits, as the reference's does.
async fn attach(
    runs: &Runs,
    row: &WorkflowRun,
    place: Place,
    snapshot: bool,
) -> Result<BoxStream<'static, Event>, Fault> {
    let run = row.id;
    let live = live(runs, run, place.prefix.clone()).await?;
    if !snapshot {
        return Ok(live.boxed());
    }
    // Read behind the subscription: what happens in between is seen twice, and told once.
    let (nodes, seen) = {
        let mut conn = runs.ctx.db.acquire().await?;
        let nodes =
            db::workflow_node_execution::list(&mut conn, row.tenant_id, row.app_id, run).await?;
        let pause = match row.status.as_str() {
            "paused" => db::workflow_pause::find(&mut conn, row.tenant_id, run).await?,
            _ => None,
        };
        drop(conn);
        let seen = match pause {
            Some(pause) => pause::seen(&runs.ctx, &pause.state_object_key).await,
            None => None,
        };
        (nodes, seen)
    };
    let local = runs.hub.find(RunKey::WorkflowRun(run.0)).map(|run| run.task);
    let task = seen.as_ref().map(|seen| seen.task).or(local).unwrap_or(run.0);
    let told = so_far(row, &nodes, &place, task, seen.map(|seen| seen.shown));
    let known: HashSet<(String, bool)> = nodes
        .iter()
        .flat_map(|node| {
            let id = execution_id(node);
            [Some((id.clone(), false)), (node.status != "running").then_some((id, true))]
        })
        .flatten()
        .collect();
    let waits = row.status == "paused";
    Ok(stream! {
        for event in told {
            yield event;
        }
        if waits {
            return;
        }
        let mut live = Box::pin(live);
        while let Some(event) = live.next().await {
            if !is_told(&event, &known) {
                yield event;
            }
        }
    }
    .boxed())
}

/// Whether a snapshot said this already.
fn is_told(event: &Event, known: &HashSet<(String, bool)>) -> bool {
    let id = || event.get("data")?.get("id")?.as_str().map(str::to_owned);
    match event.get("event").and_then(Value::as_str) {
        Some("workflow_started") => true,
        Some("node_started") => id().is_some_and(|id| known.contains(&(id, false))),
        Some("node_finished") => id().is_some_and(|id| known.contains(&(id, true))),
        _ => false,
    }
}

/// What happens in a run, from the first event of its present part on.
async fn live(
    runs: &Runs,
    run: WorkflowRunId,
    prefix: Option<Prefix>,
) -> Result<BoxStream<'static, Event>, Fault> {
    if let Some(here) = open(runs, run) {
        return Ok(of_log(here, run, prefix).boxed());
    }
    let redis = runs.ctx.redis.clone();
    let to = Uuid::new_v4();
    let mut heard = redis.subscribe(&events_of(to)).await?;
    let watchers = watchers_of(run.0);
    redis.sadd(&watchers, &[to.to_string().as_bytes()]).await?;
    redis.expire(&watchers, PATIENCE * 2).await?;
    let asked = serde_json::to_vec(&Asked { run: run.0, to })
        .map_err(|err| Fault::caused("a question does not serialise", err))?;
    redis.publish(CHANNEL, asked).await?;
    Ok(stream! {
        while let Ok(Some(event)) = tokio::time::timeout(PATIENCE, heard.next()).await {
            let Ok(event) = serde_json::from_slice::<Event>(&event) else { continue };
            if event.is_empty() {
                break;
            }
            let ends = ends(&event);
            yield event;
            if ends {
                break;
            }
        }
        if let Err(err) = redis.srem(&watchers, &[to.to_string().as_bytes()]).await {
            tracing::debug!(error = %err, "a watcher is not forgotten before its time");
        }
    }
    .boxed())
}

/// The run of this process, while it goes on.
fn open(runs: &Runs, run: WorkflowRunId) -> Option<Arc<Run>> {
    runs.hub.find(RunKey::WorkflowRun(run.0)).filter(|run| !run.log.is_closed())
}

fn of_log(
    here: Arc<Run>,
    run: WorkflowRunId,
    prefix: Option<Prefix>,
) -> impl Stream<Item = Event> + Send {
    let prefix = here
        .prefix
        .get()
        .cloned()
        .or(prefix)
        .unwrap_or(Prefix::Workflow { workflow_run_id: run.to_string() });
    // Who comes back sees what who started it saw.
    let detail = here.detail.get().copied().unwrap_or(Detail::Simple);
    let writer = Writer { prefix, task_id: here.task.to_string(), detail };
    stream! {
        let mut reader = here.log.reader(0);
        while let Some((_, item)) = reader.next().await {
            let ends = is_last(&item);
            yield writer.event(&item);
            if ends {
                break;
            }
        }
    }
}

fn is_last(item: &Item) -> bool {
    match item {
        Item::Event(event) => {
            matches!(&**event, AppEvent::Workflow(event) if event.is_terminal())
        }
        Item::Text(..) => false,
    }
}

fn ends(event: &Event) -> bool {
    let name = event.get("event").and_then(Value::as_str);
    matches!(name, Some("workflow_finished" | "workflow_paused"))
}

/// What happened so far, in the short form.
fn so_far(
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

fn execution_id(node: &NodeExecution) -> String {
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

/// Sends the events of runs of this process to who asks for them, until the server ends.
///
/// # Errors
/// If the channel cannot be listened to.
pub async fn listen(runs: Runs) -> Result<(), Fault> {
    let mut asked = runs.ctx.redis.subscribe(CHANNEL).await?;
    while let Some(asked) = asked.next().await {
        let Ok(Asked { run, to }) = serde_json::from_slice(&asked) else { continue };
        let run = WorkflowRunId(run);
        if let Some(here) = open(&runs, run) {
            forward(&runs, here, run, to);
        }
    }
    Ok(())
}

/// Sends the events of a run that goes on to who waited for it.
pub(super) async fn welcome(runs: &Runs, run: WorkflowRunId) {
    let watchers = match runs.ctx.redis.smembers(&watchers_of(run.0)).await {
        Ok(watchers) => watchers,
        Err(err) => {
            tracing::warn!(error = %err, run.id = %run, "who waits for a run does not hear of it");
            return;
        }
    };
    let Some(here) = runs.hub.find(RunKey::WorkflowRun(run.0)) else { return };
    for to in watchers {
        let to = std::str::from_utf8(&to).ok().and_then(|to| to.parse().ok());
        if let Some(to) = to {
            forward(runs, Arc::clone(&here), run, to);
        }
    }
}

fn forward(runs: &Runs, here: Arc<Run>, run: WorkflowRunId, to: Uuid) {
    let redis = runs.ctx.redis.clone();
    runs.ctx.spawn(async move {
        let channel = events_of(to);
        let mut events = Box::pin(of_log(here, run, None));
        while let Some(event) = events.next().await {
            let Ok(event) = serde_json::to_vec(&event) else { continue };
            match redis.publish(&channel, event).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(err) => {
                    tracing::warn!(error = %err, "a watcher misses the rest of a run");
                    return;
                }
            }
        }
        // An empty event: nothing follows.
        let _ = redis.publish(&channel, b"{}").await;
    });
}

fn events_of(watcher: Uuid) -> String {
    format!("dify_rs:run:events:{watcher}")
}

fn watchers_of(run: Uuid) -> String {
    format!("dify_rs:run:watchers:{run}")
}
