//! Lines of the report.

use crate::load::Measured;

/// The head of the table.
pub const HEADER: &str = "server  mode       clients  chats/s  first p50 ms  first p99 ms  total p50 ms  total p99 ms  failed  RSS MB  CPU %";

/// Memory and CPU time of a process.
#[derive(Clone, Copy, Default)]
pub struct Process {
    rss_mb: f64,
    cpu_seconds: f64,
    at: Option<std::time::Instant>,
}

impl Process {
    /// Reads `/proc`; zeros where there is no such process.
    pub fn read(pid: Option<u32>) -> Self {
        let Some(pid) = pid else { return Self::default() };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |index: usize| {
            fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
        };
        // In ticks of 10 ms and pages of 4 KiB, on every Linux this runs on.
        Self {
            rss_mb: number(21) * 4096.0 / 1e6,
            cpu_seconds: (number(11) + number(12)) / 100.0,
            at: Some(std::time::Instant::now()),
        }
    }

    /// Memory now, and CPU time since `before` in percent of one core.
    pub fn since(&self, before: &Self) -> Self {
        let passed = match (self.at, before.at) {
            (Some(now), Some(then)) => (now - then).as_secs_f64(),
            _ => 0.0,
        };
        let used = self.cpu_seconds - before.cpu_seconds;
        Self { cpu_seconds: if passed > 0.0 { 100.0 * used / passed } else { 0.0 }, ..*self }
    }
}

/// One measurement.
pub fn line(
    server: &str,
    is_streaming: bool,
    clients: usize,
    measured: &Measured,
    used: Option<&Process>,
) -> String {
    let mode = if is_streaming { "streaming" } else { "blocking" };
    let ms = |sorted: &[f64], part: f64| percentile(sorted, part) * 1000.0;
    let used = used.map_or_else(
        || "      -      -".to_owned(),
        |used| format!("{:7.1} {:6.0}", used.rss_mb, used.cpu_seconds),
    );
    format!(
        "{server:<7} {mode:<10} {clients:>7} {:>8.1} {:>13.2} {:>13.2} {:>13.2} {:>13.2} {:>7} {used}",
        rate(measured),
        ms(&measured.first, 0.5),
        ms(&measured.first, 0.99),
        ms(&measured.total, 0.5),
        ms(&measured.total, 0.99),
        measured.failed,
    )
}

/// How this server compares with the other.
pub fn ratio(this: &Measured, other: &Measured) -> String {
    let part = |a: f64, b: f64| if b > 0.0 { a / b } else { f64::NAN };
    format!(
        "ratio   this/other: chats/s {:.2}, first p50 {:.2}, total p99 {:.2}",
        part(rate(this), rate(other)),
        part(percentile(&this.first, 0.5), percentile(&other.first, 0.5)),
        part(percentile(&this.total, 0.99), percentile(&other.total, 0.99)),
    )
}

fn rate(measured: &Measured) -> f64 {
    if measured.seconds > 0.0 { measured.done as f64 / measured.seconds } else { 0.0 }
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    let index = ((sorted.len().saturating_sub(1)) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}
