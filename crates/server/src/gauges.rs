//! Gauges that are read when somebody asks for the metrics.

use services_core::Ctx;

/// Brings the gauges of pools up to date.
pub fn refresh(ctx: &Ctx) {
    let pool = ctx.db.stats();
    telemetry::metrics::db_pool("primary", pool.size, pool.idle);
    if let Some(pool) = ctx.db.replica_stats() {
        telemetry::metrics::db_pool("replica", pool.size, pool.idle);
    }
}
