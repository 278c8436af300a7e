//! What triggers start, and what is due because time went by: schedules, forms nobody filled in, old runs.

use std::time::Duration;

use jobs::{Job, JobContext, JobFailure, Registry, RetryPolicy, tasks};
use serde::Deserialize;
use services_core::Ctx;
use services_workflow::{
    form,
    run::{Runs, retention},
    trigger::{dispatch, schedule},
};
use uuid::Uuid;

use crate::failure;

/// Forms ended at once unless the job says otherwise; the reference's number.
const FORMS: i64 = 100;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx, runs: &Runs) -> Registry {
    let registry = [
        tasks::EXECUTE_WORKFLOW_PROFESSIONAL,
        tasks::EXECUTE_WORKFLOW_TEAM,
        tasks::EXECUTE_WORKFLOW_SANDBOX,
    ]
    .into_iter()
    .fold(registry, |registry, task| {
        let runs = runs.clone();
        registry.on_with(task, patient(), move |job, _| {
            let runs = runs.clone();
            async move { execute(&runs, &job).await }
        })
    });
    let poll = ctx.clone();
    let registry = registry.on_with(tasks::POLL_WORKFLOW_SCHEDULES, RetryPolicy::none(), {
        move |_, _| {
            let ctx = poll.clone();
            async move {
                schedule::fire_due(&ctx, ctx.now_naive()).await.map_err(failure::of_fault)?;
                Ok(())
            }
        }
    });
    let fire = ctx.clone();
    let registry = registry.on(tasks::RUN_SCHEDULE_TRIGGER, move |job, _| {
        let ctx = fire.clone();
        async move {
            let plan: Uuid = job.get("schedule_id")?;
            dispatch::schedule_due(&ctx, plan, &job.id).await.map_err(failure::of_service)?;
            Ok(())
        }
    });
    let forms = ctx.clone();
    let registry = registry.on_with(tasks::HUMAN_INPUT_TIMEOUT, RetryPolicy::none(), {
        move |job, context| {
            let ctx = forms.clone();
            async move { sweep(&ctx, &job, &context).await }
        }
    });
    let letters = ctx.clone();
    let registry = registry.on(tasks::MAIL_HUMAN_INPUT, move |job, _| {
        let ctx = letters.clone();
        async move { mail(&ctx, &job).await }
    });
    let retained = ctx.clone();
    let registry = registry.on_with(tasks::CLEAN_WORKFLOW_RUNLOGS_PRECISE, RetryPolicy::none(), {
        move |_, context| {
            let ctx = retained.clone();
            async move {
                retention::clean_logs(&ctx, ctx.now_naive(), &context.stop)
                    .await
                    .map_err(failure::of_fault)?;
                Ok(())
            }
        }
    });
    let retained = ctx.clone();
    registry.on_with(tasks::CLEAN_WORKFLOW_RUNS, RetryPolicy::none(), move |_, context| {
        let ctx = retained.clone();
        async move {
            retention::clean_runs(&ctx, ctx.now_naive(), &context.stop)
                .await
                .map_err(failure::of_fault)?;
            Ok(())
        }
    })
}

/// A run that another process began is looked at again until the lease of that process is over.
fn patient() -> RetryPolicy {
    RetryPolicy {
        max_retries: 6,
        first_pause: Duration::from_secs(10),
        longest_pause: Duration::from_secs(120),
        ..RetryPolicy::default()
    }
}

#[derive(Deserialize)]
struct Execution {
    workflow_trigger_log_id: Uuid,
}

async fn execute(runs: &Runs, job: &Job) -> Result<(), JobFailure> {
    let execution: Execution = job.get("task_data_dict")?;
    let again = 0 < job.redeliveries + job.retries;
    dispatch::run(runs, execution.workflow_trigger_log_id, again).await.map_err(failure::of_fault)
}

/// Ends forms until none is left that waits too long.
async fn sweep(ctx: &Ctx, job: &Job, context: &JobContext) -> Result<(), JobFailure> {
    let limit = job.find("limit")?.unwrap_or(FORMS).max(1);
    while !context.stop.is_cancelled() {
        let ended = form::sweep(ctx, ctx.now_naive(), limit).await.map_err(failure::of_fault)?;
        if i64::try_from(ended).unwrap_or(0) < limit {
            break;
        }
    }
    Ok(())
}

async fn mail(ctx: &Ctx, job: &Job) -> Result<(), JobFailure> {
    if !ctx.mail.is_enabled() {
        return Ok(());
    }
    let form: Uuid = job.get("form_id")?;
    let letters = form::letter::of_form(ctx, form).await.map_err(failure::of_fault)?;
    for letter in letters {
        // A letter that was sent before a later one failed is not sent again.
        let mark = format!("dify_rs:form_mailed:{}", letter.recipient);
        let day = Duration::from_secs(24 * 3600);
        if !ctx.redis.set_nx_ex(&mark, "1", day).await.map_err(failure::of_fault)? {
            continue;
        }
        let sent = ctx.mail.send(&letter.to, &letter.message).await;
        if let Err(err) = sent {
            ctx.redis.del(&[&mark]).await.map_err(failure::of_fault)?;
            return Err(crate::mail::refused(err));
        }
    }
    Ok(())
}
