//! Stopping runs, on whichever node they are.
//!
//! The flags are the reference's, so a Python server in the same deployment stops our runs and we stop its. Among us a
//! message on a channel says it at once; flags are looked at once a second, in one call for all runs.

use boxed::boxed;
use std::time::Duration;

use app_engine::{RunHub, RunKey, basic::Caller};
use futures::StreamExt;
use services_core::Ctx;
use uuid::Uuid;

/// Says on which tasks to end.
const CHANNEL: &str = "dify_rs:stop";

/// How long it is known whose task it is.
const OWNER_LIFE: Duration = Duration::from_secs(1800);

/// How long a stop waits for its task.
const FLAG_LIFE: Duration = Duration::from_secs(600);

/// How often flags are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Most flags of a call.
const FLAGS: usize = 500;

/// Notes whose task it is.
#[boxed]
pub async fn note_owner(ctx: &Ctx, task: Uuid, caller: Caller) {
    let key = owner_key(&task.to_string());
    if let Err(err) = ctx.redis.set_ex(&key, caller.task_owner(), OWNER_LIFE).await {
        // The run itself does not depend on it.
        tracing::warn!(error = %err, "could not note whose run it is; it cannot be stopped");
    }
}

/// Whether the task is the caller's. `false` as well when nobody knows.
#[boxed]
pub async fn is_owner(ctx: &Ctx, hub: &RunHub, task: &str, caller: Caller) -> bool {
    let here = task.parse().ok().and_then(|id| hub.find(RunKey::Task(id)));
    if let Some(owner) = here.as_ref().and_then(|run| run.owner.get()) {
        return *owner == caller;
    }
    match ctx.redis.get_string(&owner_key(task)).await {
        Ok(owner) => owner.is_some_and(|owner| owner == caller.task_owner()),
        Err(err) => {
            tracing::warn!(error = %err, "could not ask whose run it is");
            false
        }
    }
}

/// Ends a task of the caller's; nothing happens to one that is somebody else's or over. `task` is what the client sent.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn stop(ctx: &Ctx, hub: &RunHub, task: &str, caller: Caller) {
    if is_owner(ctx, hub, task, caller).await {
        set_flag(ctx, hub, task).await;
    }
}

/// Ends a task, whosever it is.
#[boxed]
pub async fn set_flag(ctx: &Ctx, hub: &RunHub, task: &str) {
    let id = task.parse::<Uuid>().ok();
    if let Some(run) = id.and_then(|id| hub.find(RunKey::Task(id))) {
        run.stop();
        return;
    }
    let flagged = ctx.redis.set_ex(&flag_key(task), b"1", FLAG_LIFE).await;
    let announced = ctx.redis.publish(CHANNEL, task.as_bytes()).await;
    if let Err(err) = flagged.and(announced.map(drop)) {
        tracing::warn!(error = %err, "could not tell other nodes to stop a run");
    }
}

/// Ends runs of this process that other nodes say are to end.
pub(crate) async fn listen(ctx: Ctx, hub: RunHub) {
    let shutdown = ctx.shutdown().clone();
    let mut tasks = loop {
        match ctx.redis.subscribe(CHANNEL).await {
            Ok(tasks) => break tasks,
            Err(err) => {
                tracing::warn!(error = %err, "cannot hear of stops of other nodes; trying again");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
    };
    loop {
        let task = tokio::select! {
            () = shutdown.cancelled() => return,
            task = tasks.next() => task,
        };
        let Some(task) = task else { return };
        let task = std::str::from_utf8(&task).ok().and_then(|task| task.parse().ok());
        if let Some(run) = task.and_then(|task| hub.find(RunKey::Task(task))) {
            run.stop();
        }
    }
}

/// Ends runs of this process whose flag is set.
pub(crate) async fn poll(ctx: Ctx, hub: RunHub) {
    loop {
        tokio::select! {
            () = ctx.shutdown().cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        for runs in hub.running().chunks(FLAGS) {
            let keys: Vec<String> =
                runs.iter().map(|run| flag_key(&run.task.to_string())).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            match ctx.redis.mget(&keys).await {
                Ok(flags) => {
                    let stopped = runs.iter().zip(flags).filter(|(_, flag)| flag.is_some());
                    stopped.for_each(|(run, _)| run.stop());
                }
                Err(err) => tracing::debug!(error = %err, "could not look for stop flags"),
            }
        }
    }
}

fn owner_key(task: &str) -> String {
    format!("generate_task_belong:{task}")
}

fn flag_key(task: &str) -> String {
    format!("generate_task_stopped:{task}")
}
