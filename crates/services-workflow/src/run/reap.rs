//! Ends runs whose process died.

use std::time::Duration;

use db::running::{self, Kind};
use services_core::{Ctx, Fault};

/// Runs ended at a time.
const BATCH: i64 = 200;

/// What the rows of such runs say.
const LOST: &str = "The server that ran this workflow stopped before it had ended.";

/// Ends every run whose process was not seen for the lease's time; answers how many there were.
///
/// # Errors
/// The database's.
pub async fn reap(ctx: &Ctx) -> Result<u64, Fault> {
    let lease = Duration::from_secs(u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60));
    let mut ended = 0;
    loop {
        let mut tx = ctx.db.begin().await?;
        let lost = running::abandoned(&mut tx, Kind::WorkflowRun, lease, BATCH).await?;
        if lost.is_empty() {
            return Ok(ended);
        }
        ended += db::run_record::fail_abandoned(&mut tx, &lost, LOST, ctx.now_naive()).await?;
        running::delete(&mut tx, Kind::WorkflowRun, &lost).await?;
        tx.commit().await?;
        for run in lost {
            super::webhook::ended(ctx, run.into()).await;
        }
    }
}
