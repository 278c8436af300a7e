//! Ends workflow runs of processes that died, and stops runs that other nodes ask this one to stop. (The heartbeat of
//! this process is the chat engine's.)

use std::time::Duration;

use services_core::Ctx;
use services_workflow::run::{self, Runs};

/// Looks for abandoned runs several times a lease, until the server stops.
pub async fn reap(ctx: Ctx) {
    let lease = u64::try_from(ctx.config.own.run_lease_seconds).unwrap_or(60).max(1);
    let mut tick = tokio::time::interval(Duration::from_secs(lease).div_f64(4.0));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = ctx.shutdown().cancelled() => return,
        }
        match run::reap::reap(&ctx).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "ended runs whose process had died"),
            Err(err) => tracing::warn!(error = %err, "could not look for abandoned runs"),
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

/// Shows runs of this process to clients of other nodes.
pub async fn listen_for_watchers(runs: Runs) {
    if let Err(err) = run::watch::listen(runs).await {
        tracing::warn!(error = %err, "clients of other nodes do not see runs of this one");
    }
}

/// Stops runs of this process that other nodes ask for.
pub async fn listen_for_stops(runs: Runs) {
    if let Err(err) = run::stop::listen(runs).await {
        tracing::warn!(error = %err, "stops that other nodes ask for are not heard");
    }
}
