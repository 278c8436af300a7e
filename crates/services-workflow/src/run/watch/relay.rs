//! Events of runs from process to process.

use boxed::boxed;
use std::{sync::Arc, time::Duration};

use app_engine::{
    AppEvent, Item, Run, RunKey,
    wire::{Detail, Prefix, Writer},
};
use async_stream::stream;
use futures::{Stream, StreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_core::Fault;
use types::WorkflowRunId;
use uuid::Uuid;

use super::Event;
use crate::run::Runs;

/// Where processes are asked for the events of a run.
const CHANNEL: &str = "dify_rs:run:watch";

/// How long a stream stays open without an event; the reference's time.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Serialize, Deserialize)]
struct Asked {
    run: Uuid,
    /// The channel the events go to.
    to: Uuid,
}

/// What happens in a run, from the first event of its present part on.
pub(super) async fn live(
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

/// Sends the events of runs of this process to who asks for them, until the server ends.
///
/// # Errors
/// If the channel cannot be listened to.
#[boxed]
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
pub(in crate::run) async fn welcome(runs: &Runs, run: WorkflowRunId) {
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
