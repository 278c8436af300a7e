//! Ends runs whose process died, or lost them.

use boxed::boxed;
use std::time::Duration;

use db::running::{self, Kind};
use services_core::{Ctx, Fault};
use uuid::Uuid;

/// Runs ended at a time.
const BATCH: i64 = 200;

/// What the rows of such runs say.
const LOST: &str = "The server that ran this workflow stopped before it had ended.";

/// What the rows of runs say whose end could not be stored.
const UNTOLD: &str = "How this workflow ended could not be stored.";

/// Ends every run this process lost, and every run whose process was not seen for the lease's time; answers how many
/// there were.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn reap(ctx: &Ctx) -> Result<u64, Fault> {
    let mut ended = 0;
    let lost = ctx.leases().lost_of(Kind::WorkflowRun);
    if !lost.is_empty() {
        let mut tx = ctx.db.begin().await?;
        let left = running::lost(&mut tx, Kind::WorkflowRun, ctx.process(), &lost).await?;
        ended += end(ctx, tx, &left, UNTOLD).await?;
        ctx.leases().found(Kind::WorkflowRun, &left);
    }
    let lease = Duration::from_secs(u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60));
    while ctx.leases().may_judge() {
        let mut tx = ctx.db.begin().await?;
        let left = running::abandoned(&mut tx, Kind::WorkflowRun, lease, BATCH).await?;
        if left.is_empty() {
            break;
        }
        ended += end(ctx, tx, &left, LOST).await?;
    }
    Ok(ended)
}

async fn end(ctx: &Ctx, mut tx: db::Tx, left: &[Uuid], why: &str) -> Result<u64, Fault> {
    if left.is_empty() {
        return Ok(0);
    }
    let ended = db::run_record::fail_abandoned(&mut tx, left, why, ctx.now_naive()).await?;
    running::delete(&mut tx, Kind::WorkflowRun, left).await?;
    tx.commit().await?;
    for run in left {
        super::webhook::ended(ctx, (*run).into()).await;
    }
    Ok(ended)
}
