//! Prometheus metrics: the recorder, and one function a measurement.
//!
//! Without [`install`] every function here does nothing.

use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
const STREAMS: &str = "open_streams";
const POOL_IN_USE: &str = "db_pool_in_use";
const POOL_IDLE: &str = "db_pool_idle";
const POOL_SIZE: &str = "db_pool_size";
const POOL_WAITING: &str = "db_pool_waiting";
const QUEUE_DEPTH: &str = "job_queue_depth";
const QUEUE_AGE: &str = "job_queue_oldest_age_seconds";
const MEMORY: &str = "process_resident_memory_bytes";
const BUILD: &str = "build_info";
const LAG: &str = "pg_replication_lag";
const CLUSTER: &str = "redis_cluster_state";

/// Upper bounds in seconds: from a cached read to a long run.
const BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// How often samples are folded into buckets when nobody scrapes, so that they do not pile up.
const UPKEEP: Duration = Duration::from_secs(30);

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
#[error("cannot collect metrics")]
pub struct InstallError(#[from] BuildError);

/// The collected metrics.
#[derive(Clone)]
pub struct Handle(PrometheusHandle);

impl Handle {
    /// The metrics in Prometheus's text format (`text/plain; version=0.0.4`).
    #[must_use]
    pub fn render(&self) -> String {
        if let Some(bytes) = resident_memory() {
            gauge!(MEMORY).set(bytes);
        }
        self.0.render()
    }
}

/// Starts collecting, once in the process. `version` and `commit` name this build.
///
/// # Errors
/// [`InstallError`] if another recorder is installed.
pub fn install(version: &str, commit: &str) -> Result<Handle, InstallError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), BUCKETS)?
        .install_recorder()?;
    describe();
    gauge!(
        BUILD,
        "version" => version.to_owned(),
        "commit" => commit.to_owned(),
        "dify_version" => types::DIFY_VERSION,
    )
    .set(1.0);
    // There from the start, and not only once there is one.
    gauge!(STREAMS).set(0.0);
    let upkeep = handle.clone();
    let thread = std::thread::Builder::new().name("metrics".into()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            upkeep.run_upkeep();
        }
    });
    if let Err(why) = thread {
        tracing::warn!(error = %why, "metrics are folded only when they are scraped");
    }
    Ok(Handle(handle))
}

fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by method, route pattern and status");
    describe_histogram!(DURATION, Unit::Seconds, "Time to the end of the answer, streams included");
    describe_gauge!(STREAMS, "Event streams open");
    describe_gauge!(POOL_IN_USE, "Database connections in use, by pool");
    describe_gauge!(POOL_IDLE, "Database connections idle, by pool");
    describe_gauge!(POOL_SIZE, "Database connections open, by pool");
    describe_gauge!(POOL_WAITING, "Callers waiting for a database connection, by pool");
    describe_gauge!(QUEUE_DEPTH, "Tasks waiting, by queue");
    describe_gauge!(QUEUE_AGE, Unit::Seconds, "Age of the oldest waiting task, by queue");
    describe_gauge!(MEMORY, Unit::Bytes, "Resident memory of the process");
    describe_gauge!(BUILD, "Always 1; the labels name the build");
    describe_gauge!(LAG, Unit::Seconds, "Replication lag in seconds of the read replica");
    describe_gauge!(CLUSTER, "1 if the Redis cluster serves all slots, else 0");
}

/// Counts an answered request. `route` is the pattern, never the path; `None` is an unknown path.
pub fn request(method: &str, route: Option<&str>, status: u16, took: Duration) {
    // Clients may send any word as the method; each would be a series for ever.
    let method = match method {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    };
    let route: Arc<str> = route.unwrap_or("unmatched").into();
    counter!(REQUESTS, "method" => method, "route" => Arc::clone(&route), "status" => status.to_string())
        .increment(1);
    histogram!(DURATION, "method" => method, "route" => route).record(took.as_secs_f64());
}

/// Counts an event stream while it lives.
#[must_use = "the stream counts as closed when this is dropped"]
pub struct OpenStream(metrics::Gauge);

/// Counts a stream until the guard is dropped.
pub fn open_stream() -> OpenStream {
    let gauge = gauge!(STREAMS);
    gauge.increment(1.0);
    OpenStream(gauge)
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Connections of a pool (`primary`, `replica`).
pub fn db_pool(pool: &'static str, size: u32, idle: u32, waiting: u64) {
    gauge!(POOL_SIZE, "pool" => pool).set(f64::from(size));
    gauge!(POOL_IDLE, "pool" => pool).set(f64::from(idle));
    gauge!(POOL_IN_USE, "pool" => pool).set(f64::from(size.saturating_sub(idle)));
    #[expect(clippy::cast_precision_loss, reason = "no 2^52 callers wait")]
    gauge!(POOL_WAITING, "pool" => pool).set(waiting as f64);
}

/// Tasks waiting in a queue and the age of the oldest, zero for an empty queue.
pub fn job_queue(queue: &str, depth: u64, oldest: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "no queue is 2^52 tasks long")]
    gauge!(QUEUE_DEPTH, "queue" => queue.to_owned()).set(depth as f64);
    gauge!(QUEUE_AGE, "queue" => queue.to_owned()).set(oldest.as_secs_f64());
}

/// Lag of the read replica.
pub fn replication_lag(lag: Duration) {
    gauge!(LAG).set(lag.as_secs_f64());
}

/// Whether the Redis cluster serves all slots.
pub fn redis_cluster(is_ok: bool) {
    gauge!(CLUSTER).set(if is_ok { 1.0 } else { 0.0 });
}

/// From the kernel, in bytes; `None` where there is no /proc.
fn resident_memory() -> Option<f64> {
    // `status` and not `statm`: the latter counts pages, whose size only libc knows.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_are_rendered() {
        let handle = install("0.1.0", "abc").unwrap();
        request("GET", Some("/v1/messages"), 200, Duration::from_millis(30));
        request("BREW", None, 404, Duration::ZERO);
        let stream = open_stream();
        db_pool("primary", 5, 2, 7);
        job_queue("mail", 3, Duration::from_secs(9));
        replication_lag(Duration::from_millis(1500));
        redis_cluster(true);
        let text = handle.render();
        for line in [
            r#"http_requests_total{method="GET",route="/v1/messages",status="200"} 1"#,
            r#"http_requests_total{method="OTHER",route="unmatched",status="404"} 1"#,
            r#"http_request_duration_seconds_bucket{method="GET",route="/v1/messages",le="0.05"} 1"#,
            "open_streams 1",
            r#"db_pool_in_use{pool="primary"} 3"#,
            r#"db_pool_waiting{pool="primary"} 7"#,
            r#"job_queue_depth{queue="mail"} 3"#,
            r#"job_queue_oldest_age_seconds{queue="mail"} 9"#,
            "pg_replication_lag 1.5",
            "redis_cluster_state 1",
            r#"build_info{version="0.1.0",commit="abc",dify_version="1.13.2"} 1"#,
            "# TYPE process_resident_memory_bytes gauge",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        drop(stream);
        assert!(handle.render().contains("open_streams 0"));
    }
}
