//! Stopping runs by task id, on whichever node they run.

use std::time::Duration;

use app_engine::RunKey;
use db::app::App;
use futures::StreamExt;
use services_core::{Ctx, Fault};
use uuid::Uuid;

use super::{Runner, Runs};

/// Where nodes are told to stop a run.
const CHANNEL: &str = "dify_rs:run:stop";

/// How long a task is known to belong to somebody; the reference's time.
const BELONGS: Duration = Duration::from_secs(1800);

/// How long a stop is remembered; the reference's time.
const STOPPED: Duration = Duration::from_secs(600);

/// Notes whose task it is, so that nobody else stops it.
pub(super) async fn claim(ctx: &Ctx, app: &App, runner: &Runner, task: Uuid) {
    if let Err(err) = ctx.redis.set_ex(&belong_key(task), owner(app, runner), BELONGS).await {
        tracing::warn!(error = %err, "a run cannot be stopped by its user");
    }
}

/// Stops a task if it is this user's. As in the reference there is no telling whether it was.
pub async fn stop(runs: &Runs, app: &App, runner: &Runner, task_id: &str) {
    let Ok(task) = task_id.parse::<Uuid>() else { return };
    if let Err(err) = try_stop(runs, app, runner, task).await {
        tracing::warn!(error = %err, "a run could not be stopped");
    }
}

async fn try_stop(runs: &Runs, app: &App, runner: &Runner, task: Uuid) -> Result<(), Fault> {
    let redis = &runs.ctx.redis;
    let belongs = redis.get_string(&belong_key(task)).await?;
    // Turns of chatflows are noted as all chats are.
    let is_owner = belongs.is_some_and(|it| {
        it == owner(app, runner) || (app.mode == "advanced-chat" && it == user(runner))
    });
    if !is_owner {
        return Ok(());
    }
    redis.set_ex(&format!("generate_task_stopped:{task}"), b"1", STOPPED).await?;
    stop_here(runs, task);
    redis.publish(CHANNEL, task.to_string()).await?;
    Ok(())
}

fn stop_here(runs: &Runs, task: Uuid) {
    if let Some(run) = runs.hub.find(RunKey::Task(task)) {
        run.stop();
    }
}

/// Stops what other nodes ask this one to stop, until the server ends.
///
/// # Errors
/// If the channel cannot be listened to.
pub async fn listen(runs: Runs) -> Result<(), Fault> {
    let mut asked = runs.ctx.redis.subscribe(CHANNEL).await?;
    while let Some(task) = asked.next().await {
        if let Ok(task) = String::from_utf8_lossy(&task).parse() {
            stop_here(&runs, task);
        }
    }
    Ok(())
}

fn belong_key(task: Uuid) -> String {
    format!("generate_task_belong:{task}")
}

/// The reference names only the user; the app makes sure that a key of one app stops nothing of another.
fn owner(app: &App, runner: &Runner) -> String {
    format!("{}:{}", user(runner), app.id)
}

fn user(runner: &Runner) -> String {
    match runner {
        Runner::Account { id, .. } => format!("account-{id}"),
        Runner::EndUser { id, .. } => format!("end-user-{id}"),
    }
}
