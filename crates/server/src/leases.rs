//! Ends workflow runs of processes that died, and lets runs go on that wait for somebody. (The heartbeat of this process
//! is the chat engine's.)

use std::time::Duration;

use services_core::Ctx;
use services_workflow::run::{self, Runs};

/// Most time between two attempts while the database is away.
const AGAIN: Duration = Duration::from_secs(2);

/// Looks for abandoned runs several times a lease, and for lost ones at once, until the server stops.
pub async fn reap(ctx: Ctx) {
    let lease = u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60).max(1);
    let lease = Duration::from_secs(lease);
    let mut lost = ctx.leases().subscribe();
    loop {
        lost.mark_unchanged();
        let pause = match run::reap::reap(&ctx).await {
            Ok(0) => lease / 4,
            Ok(count) => {
                tracing::warn!(count, "ended runs that nobody followed");
                lease / 4
            }
            Err(err) => {
                ctx.leases().database_was_away(lease);
                tracing::warn!(error = %err, "could not look for abandoned runs");
                AGAIN.min(lease / 4)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = lost.changed() => {}
            () = ctx.shutdown().cancelled() => return,
        }
    }
}

/// Lets runs go on whose forms were filled in while nobody took notice, until the server stops.
pub async fn resume(runs: Runs) {
    let mut tick = tokio::time::interval(Duration::from_secs(60));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = runs.ctx.shutdown().cancelled() => return,
        }
        match run::pause::resume_forgotten(&runs, 100).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "runs go on that had been forgotten"),
            Err(err) => tracing::warn!(error = %err, "could not look for forgotten runs"),
        }
        if let Err(err) = run::webhook::sweep(&runs.ctx).await {
            tracing::warn!(error = %err, "could not look for messages about runs");
        }
    }
}

/// Shows runs of this process to clients of other nodes. Redis may be away at the start.
pub async fn listen_for_watchers(runs: Runs) {
    while let Err(err) = run::watch::listen(runs.clone()).await {
        tracing::warn!(error = %err, "clients of other nodes do not see runs of this one; trying again");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}
