//! Endpoints for operators: `/health`, `/livez`, `/readyz`, `/metrics`, `/db-pool-stat`.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use http_core::AppState;
use serde::Serialize;

/// A probe that takes longer has failed.
const PROBE: Duration = Duration::from_secs(2);

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(health))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render_metrics))
        .route("/db-pool-stat", get(pool))
}

#[derive(Serialize)]
struct Health {
    pid: u32,
    status: &'static str,
    version: &'static str,
}

async fn health() -> Json<Health> {
    Json(Health { pid: std::process::id(), status: "ok", version: types::DIFY_VERSION })
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    database: &'static str,
    redis: &'static str,
}

/// Ready: not stopping, and the database answers. Redis may be away: what needs none is served.
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let ctx = &state.ctx;
    let database =
        tokio::time::timeout(PROBE, ctx.db.ping()).await.is_ok_and(|answer| answer.is_ok());
    let redis =
        tokio::time::timeout(PROBE, ctx.redis.ping()).await.is_ok_and(|answer| answer.is_ok());
    let ready = database && !ctx.shutdown().is_cancelled();
    let word = |up: bool| if up { "up" } else { "down" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database: word(database), redis: word(redis) }))
}

async fn render_metrics(State(state): State<AppState>) -> Response {
    let Some(handle) = state.part::<telemetry::metrics::Handle>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    crate::gauges::refresh(&state.ctx).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response()
}

#[derive(Serialize)]
struct Pool {
    pid: u32,
    pool_size: u32,
    checked_in_connections: u32,
    checked_out_connections: u32,
    overflow_connections: i64,
    connection_timeout: u64,
    recycle_time: i64,
}

async fn pool(State(state): State<AppState>) -> Json<Pool> {
    let stats = state.ctx.db.stats();
    let settings = &state.ctx.config.middleware;
    Json(Pool {
        pid: std::process::id(),
        pool_size: stats.max,
        checked_in_connections: stats.idle,
        checked_out_connections: stats.in_use,
        overflow_connections: i64::from(stats.size) - i64::from(stats.max),
        connection_timeout: u64::try_from(settings.sqlalchemy_pool_timeout).unwrap_or(30),
        recycle_time: settings.sqlalchemy_pool_recycle,
    })
}
