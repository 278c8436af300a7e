//! Clients that come back to a run: what happened so far, then what happens, wherever the run is.
//!
//! A run's events are in the log of the process that runs it. Another process asks for them by a message, and gets them
//! from the first one on over a channel of its own; nothing is published for runs that nobody watches. Who comes back to
//! a run that waits leaves its channel's name for the process that will go on with it.

mod relay;
mod snapshot;

use boxed::boxed;
use std::collections::HashSet;

use app_engine::{RunKey, wire::Prefix};
use async_stream::stream;
use db::workflow_run::WorkflowRun;
use futures::{StreamExt, stream::BoxStream};
use serde_json::{Map, Value};
use services_core::Fault;
use types::{AppId, TenantId, WorkflowRunId};

pub use self::relay::listen;
pub(super) use self::relay::welcome;
use self::{
    relay::live,
    snapshot::{ended, execution_id, so_far},
};
use super::{RunFailure, Runner, Runs, pause};

/// An event as it goes to a client.
pub type Event = Map<String, Value>;

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
#[boxed]
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
