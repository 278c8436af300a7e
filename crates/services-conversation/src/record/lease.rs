//! Runs of processes that died.
//!
//! Every process says every few seconds that it lives; a run is marked with its process from the transaction that begins
//! it to the one that ends it. Whoever comes along ends the runs of processes that fell silent, and each process those
//! it lost itself ([`services_core::leases`]).

use boxed::boxed;
use std::time::Duration;

use db::running::Kind;
use services_core::{Ctx, Fault};

/// What people read who ask after such a message.
const ERROR: &str = "The server was interrupted while it answered. Please ask again.";

/// Most messages ended at once.
const BATCH: i64 = 500;

/// Most time between two attempts while the database is away.
const AGAIN: Duration = Duration::from_secs(2);

/// Says that this process lives and ends what dead ones left behind, until the server stops. Messages this process lost
/// are ended as soon as that is possible.
#[boxed]
pub async fn keep(ctx: Ctx) {
    let lease = Duration::from_secs(u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60));
    let mut lost = ctx.leases().subscribe();
    loop {
        lost.mark_unchanged();
        let pause = match tick(&ctx, lease).await {
            Ok(_) => lease / 4,
            Err(err) => {
                ctx.leases().database_was_away(lease);
                tracing::warn!(error = %err, "could not look after runs of dead processes; trying again");
                AGAIN.min(lease / 4)
            }
        };
        tokio::select! {
            () = ctx.shutdown().cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            _ = lost.changed() => {}
        }
    }
}

/// One round: a sign of life, then lost messages, then the dead processes' messages.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn tick(ctx: &Ctx, lease: Duration) -> Result<usize, Fault> {
    let mut conn = ctx.db.acquire().await?;
    db::running::heartbeat(&mut conn, ctx.process()).await?;
    drop(conn);
    let mut ended = 0;
    let lost = ctx.leases().lost_of(Kind::Message);
    if !lost.is_empty() {
        let mut tx = ctx.db.begin().await?;
        let left = db::running::lost(&mut tx, Kind::Message, ctx.process(), &lost).await?;
        end(ctx, tx, &left).await?;
        ctx.leases().found(Kind::Message, &left);
        ended += left.len();
    }
    while ctx.leases().may_judge() {
        let mut tx = ctx.db.begin().await?;
        let left = db::running::abandoned(&mut tx, Kind::Message, lease, BATCH).await?;
        if left.is_empty() {
            break;
        }
        end(ctx, tx, &left).await?;
        ended += left.len();
    }
    Ok(ended)
}

async fn end(ctx: &Ctx, mut tx: db::Tx, left: &[uuid::Uuid]) -> Result<(), Fault> {
    if left.is_empty() {
        return Ok(());
    }
    db::message::abandon(&mut tx, left, ERROR, ctx.now_naive()).await?;
    db::running::delete(&mut tx, Kind::Message, left).await?;
    tx.commit().await?;
    tracing::warn!(messages = left.len(), "ended messages that nobody answered");
    Ok(())
}
