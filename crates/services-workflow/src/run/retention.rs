//! Deletes runs that are older than the operator keeps them, in small batches.

use boxed::boxed;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use db::run_retention::{self, Left, Which};
use services_core::{Ctx, Fault};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Between batches, so that the database serves others too.
const PAUSE: Duration = Duration::from_millis(50);

/// Deletes logs older than `WORKFLOW_LOG_RETENTION_DAYS` with their messages; answers how many runs went.
///
/// # Errors
/// Faults of the database. What is deleted until then stays deleted.
#[boxed]
pub async fn clean_logs(
    ctx: &Ctx,
    now: NaiveDateTime,
    stop: &CancellationToken,
) -> Result<u64, Fault> {
    let settings = &ctx.config.feature;
    let named = settings.workflow_log_cleanup_specific_workflow_ids.split(',').map(str::trim);
    let named: Vec<&str> = named.filter(|id| !id.is_empty()).collect();
    let workflows: Vec<Uuid> = named.iter().filter_map(|id| id.parse().ok()).collect();
    if workflows.len() < named.len() {
        tracing::warn!("WORKFLOW_LOG_CLEANUP_SPECIFIC_WORKFLOW_IDS names something that is no id");
    }
    let plan = Plan {
        before: days_before(now, settings.workflow_log_retention_days),
        workflows: (!named.is_empty()).then_some(workflows),
        batch: settings.workflow_log_cleanup_batch_size,
        with_messages: true,
    };
    clean(ctx, &plan, stop).await
}

/// Deletes runs older than `SANDBOX_EXPIRED_RECORDS_RETENTION_DAYS`. Where workspaces have plans nothing goes: which of
/// them pay is for the billing service to say.
///
/// # Errors
/// As [`clean_logs`].
#[boxed]
pub async fn clean_runs(
    ctx: &Ctx,
    now: NaiveDateTime,
    stop: &CancellationToken,
) -> Result<u64, Fault> {
    let settings = &ctx.config.feature;
    if settings.billing_enabled {
        tracing::info!("with billing on, old runs are not deleted here");
        return Ok(0);
    }
    let life = Duration::from_secs(
        u64::try_from(settings.sandbox_expired_records_clean_task_lock_ttl).unwrap_or(90_000),
    );
    let lock = ctx.redis.lock("retention:clean_workflow_runs_task", life);
    let Some(guard) = lock.try_acquire().await? else { return Ok(0) };
    let plan = Plan {
        before: days_before(now, settings.sandbox_expired_records_retention_days),
        workflows: None,
        batch: settings.sandbox_expired_records_clean_batch_size,
        with_messages: false,
    };
    let cleaned = clean(ctx, &plan, stop).await;
    guard.release().await?;
    cleaned
}

struct Plan {
    before: NaiveDateTime,
    workflows: Option<Vec<Uuid>>,
    batch: i64,
    with_messages: bool,
}

fn days_before(now: NaiveDateTime, days: i64) -> NaiveDateTime {
    let span = TimeDelta::try_days(days.max(0));
    span.and_then(|span| now.checked_sub_signed(span)).unwrap_or(NaiveDateTime::MIN)
}

async fn clean(ctx: &Ctx, plan: &Plan, stop: &CancellationToken) -> Result<u64, Fault> {
    let mut after = None;
    let mut deleted = 0;
    while !stop.is_cancelled() {
        let old = {
            let which = Which {
                before: plan.before,
                after,
                workflows: plan.workflows.as_deref(),
                limit: plan.batch.max(1),
            };
            let mut conn = ctx.db.acquire().await?;
            run_retention::list(&mut conn, which).await?
        };
        let Some(last) = old.last() else { break };
        after = Some(*last);
        let ids: Vec<Uuid> = old.iter().map(|run| run.id.0).collect();
        let left = delete(ctx, &ids, plan.with_messages).await?;
        deleted += left.runs;
        for key in left.objects {
            if let Err(err) = ctx.storage.delete(&key).await {
                tracing::warn!(error = %err, key, "an object of a deleted run is left in the storage");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => {}
        }
    }
    if deleted > 0 {
        tracing::info!(runs = deleted, "old runs are deleted");
    }
    Ok(deleted)
}

async fn delete(ctx: &Ctx, runs: &[Uuid], with_messages: bool) -> Result<Left, Fault> {
    let mut tx = ctx.db.begin().await?;
    if with_messages {
        run_retention::delete_messages(&mut tx, runs).await?;
    }
    let left = run_retention::delete(&mut tx, runs).await?;
    tx.commit().await?;
    Ok(left)
}
