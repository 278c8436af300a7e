//! Lines of the report.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::load::{Job, Measured};

/// The head of the table.
pub const HEADER: &str = "server work      mode      clients   done/s  events/s  first p50  first p99  total p50  total p99  failed  RSS MB  CPU %\n\
                                                                      ms         ms         ms         ms            peak";

/// Watches memory and CPU time of a process.
pub struct Watch {
    pid: Option<u32>,
    peak: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
    at: Instant,
    cpu: f64,
}

/// What a process used.
#[derive(Clone, Copy)]
pub struct Used {
    /// The most memory it had, in 10⁶ bytes.
    pub peak_mb: f64,
    /// CPU time, in percent of one core.
    pub cpu: f64,
}

impl Watch {
    /// Watches from now on.
    pub fn start(pid: Option<u32>) -> Self {
        let peak = Arc::new(AtomicU64::new(rss(pid)));
        let seen = Arc::clone(&peak);
        let task = tokio::spawn(async move {
            loop {
                seen.fetch_max(rss(pid), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        Self { pid, peak, task, at: Instant::now(), cpu: cpu_seconds(pid) }
    }

    /// What was used since. Nothing where there is no process to watch.
    pub fn stop(self) -> Option<Used> {
        self.task.abort();
        self.pid?;
        let peak = self.peak.load(Ordering::Relaxed).max(rss(self.pid));
        let passed = self.at.elapsed().as_secs_f64();
        let cpu = 100.0 * (cpu_seconds(self.pid) - self.cpu) / passed;
        Some(Used { peak_mb: peak as f64 / 1e6, cpu })
    }
}

/// Bytes of memory a process has; 0 where there is no such process.
pub fn rss(pid: Option<u32>) -> u64 {
    // In pages of 4 KiB on every Linux this runs on.
    stat(pid, 21) as u64 * 4096
}

fn cpu_seconds(pid: Option<u32>) -> f64 {
    // In ticks of 10 ms.
    (stat(pid, 11) + stat(pid, 12)) / 100.0
}

/// A number of `/proc/…/stat`, counted behind the name.
fn stat(pid: Option<u32>, index: usize) -> f64 {
    let Some(pid) = pid else { return 0.0 };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    fields.into_iter().nth(index).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// One measurement.
pub fn line(
    server: &str,
    job: Job<'_>,
    clients: usize,
    it: &Measured,
    used: Option<Used>,
) -> String {
    let mode = if job.is_streaming { "streaming" } else { "blocking" };
    let ms = |sorted: &[f64], part: f64| percentile(sorted, part) * 1000.0;
    let used = used.map_or_else(
        || "      -      -".to_owned(),
        |used| format!("{:7.1} {:6.0}", used.peak_mb, used.cpu),
    );
    let failure = it.failure.as_ref().map(|err| format!("\n  first failure: {err}"));
    format!(
        "{server:<6} {:<9} {mode:<9} {clients:>7} {:>8.1} {:>9.0} {:>10.2} {:>10.2} {:>10.2} {:>10.2} {:>7} {used}{}",
        job.work,
        rate(it),
        if it.seconds > 0.0 { it.events as f64 / it.seconds } else { 0.0 },
        ms(&it.first, 0.5),
        ms(&it.first, 0.99),
        ms(&it.total, 0.5),
        ms(&it.total, 0.99),
        it.failed,
        failure.unwrap_or_default(),
    )
}

/// How this server compares with the other.
pub fn ratio(this: &Measured, other: &Measured) -> String {
    let part = |a: f64, b: f64| if b > 0.0 { a / b } else { f64::NAN };
    format!(
        "ratio  this/other: done/s {:.2}, first p50 {:.2}, total p50 {:.2}, total p99 {:.2}",
        part(rate(this), rate(other)),
        part(percentile(&this.first, 0.5), percentile(&other.first, 0.5)),
        part(percentile(&this.total, 0.5), percentile(&other.total, 0.5)),
        part(percentile(&this.total, 0.99), percentile(&other.total, 0.99)),
    )
}

/// Answers a second.
pub fn rate(measured: &Measured) -> f64 {
    if measured.seconds > 0.0 { measured.done as f64 / measured.seconds } else { 0.0 }
}

/// A percentile of sorted values.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}
