//! Jobs of workflows.

use boxed::boxed;
use jobs::{Job, tasks};
use serde_json::json;
use services_core::{Ctx, Fault};
use types::WorkflowRunId;
use uuid::Uuid;

/// Lets a worker go on with a run that waits.
///
/// # Errors
/// Faults of the queue.
#[boxed]
pub async fn resume(ctx: &Ctx, run: WorkflowRunId) -> Result<(), Fault> {
    let job = Job::new(tasks::RESUME_APP_EXECUTION).set("payload", json!({"workflow_run_id": run}));
    enqueue(ctx, job).await
}

/// Lets a worker fire a schedule whose time `tick` (Unix seconds) has come. The job is named after both, so that one that
/// is queued twice is known as the same.
///
/// # Errors
/// Faults of the queue.
#[boxed]
pub async fn schedule(ctx: &Ctx, plan: Uuid, tick: i64) -> Result<(), Fault> {
    let mut job = Job::new(tasks::RUN_SCHEDULE_TRIGGER).set("schedule_id", plan);
    job.id = Uuid::new_v5(&plan, &tick.to_be_bytes()).to_string();
    enqueue(ctx, job).await
}

/// Lets a worker send a form by mail.
///
/// # Errors
/// Faults of the queue.
#[boxed]
pub async fn mail_form(ctx: &Ctx, form: Uuid, node_title: &str) -> Result<(), Fault> {
    let job = Job::new(tasks::MAIL_HUMAN_INPUT).set("form_id", form).set("node_title", node_title);
    enqueue(ctx, job).await
}

async fn enqueue(ctx: &Ctx, job: Job) -> Result<(), Fault> {
    match ctx.jobs.enqueue(job).await {
        Ok(_) => Ok(()),
        Err(err) => Err(Fault::caused("a job could not be queued", err)),
    }
}
