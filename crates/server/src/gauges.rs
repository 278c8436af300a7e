//! Gauges that are read when somebody asks for the metrics, and how far the replica is behind.

use std::time::Duration;

use services_core::Ctx;

/// How often the replica is asked how far it is behind.
const LAG_EVERY: Duration = Duration::from_secs(2);
/// A queue or a cluster that takes longer is left out of the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Brings the gauges of pools, queues and the Redis cluster up to date.
pub async fn refresh(ctx: &Ctx) {
    let pool = ctx.db.stats();
    telemetry::metrics::db_pool("primary", pool.size, pool.idle, pool.waiting);
    if let Some(pool) = ctx.db.replica_stats() {
        telemetry::metrics::db_pool("replica", pool.size, pool.idle, pool.waiting);
    }
    // Redis away: no figures rather than old ones that look fresh, and no waiting.
    let _ = tokio::time::timeout(PATIENCE, queues(ctx)).await;
    let whole = tokio::time::timeout(PATIENCE, ctx.redis.cluster_is_whole()).await;
    match whole {
        Ok(None) => {}
        Ok(Some(whole)) => telemetry::metrics::redis_cluster(whole.unwrap_or(false)),
        Err(_) => telemetry::metrics::redis_cluster(false),
    }
}

async fn queues(ctx: &Ctx) {
    for queue in ctx.config.worker_queues() {
        let Ok(depth) = ctx.jobs.depth(&queue).await else { return };
        telemetry::metrics::job_queue(&queue, depth.ready, depth.oldest.unwrap_or_default());
    }
}

/// Asks the replica how far it is behind, so that readers can be kept from one that is too far; until the server stops.
/// Ends at once where there is none.
pub async fn watch_replica(ctx: Ctx) {
    let mut tick = tokio::time::interval(LAG_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut answered = true;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = ctx.shutdown().cancelled() => return,
        }
        match ctx.db.measure_replica().await {
            None => return,
            Some(Ok(lag)) => {
                answered = true;
                telemetry::metrics::replication_lag(lag);
            }
            Some(Err(err)) => {
                if answered {
                    tracing::warn!(error = %err, "the replica does not answer; everything is read from the primary");
                }
                answered = false;
            }
        }
    }
}
