//! Runs of processes that died.
//!
//! Every process says every few seconds that it lives; a run is marked with its process from the transaction that begins
//! it to the one that ends it. Whoever comes along ends the runs of processes that fell silent.

use std::time::Duration;

use db::running::Kind;
use services_core::{Ctx, Fault};

/// What people read who ask after such a message.
const ERROR: &str = "The server was interrupted while it answered. Please ask again.";

/// Most messages ended at once.
const BATCH: i64 = 500;

/// Says that this process lives and ends what dead ones left behind, until the server stops.
pub async fn keep(ctx: Ctx) {
    let lease = Duration::from_secs(u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60));
    loop {
        if let Err(err) = tick(&ctx, lease).await {
            tracing::warn!(error = %err, "could not look after runs of dead processes; trying again");
        }
        tokio::select! {
            () = ctx.shutdown().cancelled() => return,
            () = tokio::time::sleep(lease / 4) => {}
        }
    }
}

/// One round: a sign of life, then the dead processes' messages.
///
/// # Errors
/// The database's.
pub async fn tick(ctx: &Ctx, lease: Duration) -> Result<usize, Fault> {
    let mut conn = ctx.db.acquire().await?;
    db::running::heartbeat(&mut conn, ctx.process()).await?;
    drop(conn);
    let mut ended = 0;
    loop {
        let mut tx = ctx.db.begin().await?;
        let left = db::running::abandoned(&mut tx, Kind::Message, lease, BATCH).await?;
        if left.is_empty() {
            return Ok(ended);
        }
        db::message::abandon(&mut tx, &left, ERROR, ctx.now_naive()).await?;
        db::running::delete(&mut tx, Kind::Message, &left).await?;
        tx.commit().await?;
        ended += left.len();
        tracing::warn!(messages = left.len(), "ended messages whose process is gone");
    }
}
