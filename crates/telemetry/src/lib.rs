//! Logs, traces and metrics of the process.
//!
//! [`init`] once in `main`, inside the runtime; keep the [`Telemetry`] it returns until the end. A log
//! line takes the ids of the request it belongs to from the enclosing [`request`] span, so nothing passes
//! them along by hand. Traces are exported only with `ENABLE_OTEL`, metrics only exist after
//! [`metrics::install`]: what is off costs nothing.
//!
//! Invariant: telemetry never fails or delays the work it watches.

mod log;
pub mod metrics;
mod otlp;
pub mod propagation;
pub mod request;

use config::Config;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Why telemetry cannot start: a setting that says nothing, or a file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// `LOG_LEVEL` is no level.
    #[error("LOG_LEVEL \"{0}\" is none of DEBUG, INFO, WARNING, ERROR, CRITICAL")]
    Level(String),
    /// `RUST_LOG` is no filter.
    #[error("RUST_LOG is no filter")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// `LOG_TZ` is no time zone.
    #[error("LOG_TZ \"{0}\" is no time zone")]
    TimeZone(String),
    /// `LOG_DATEFORMAT` is no pattern for dates.
    #[error("LOG_DATEFORMAT \"{0}\" is no date pattern")]
    DateFormat(String),
    /// `LOG_FILE` cannot be opened.
    #[error("cannot write the log file {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The exporter cannot be made.
    #[error("cannot export traces")]
    Export(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another part of the process logs already.
    #[error("logging is set up already")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Holds what must be written out at the end.
#[must_use = "traces are lost when this is dropped at once"]
pub struct Telemetry {
    exporter: Option<otlp::Exporter>,
}

impl Telemetry {
    /// Sends the spans that wait; at most a few seconds. Blocks: `spawn_blocking`, or after the runtime's work.
    pub fn shutdown(self) {
        if let Some(exporter) = self.exporter {
            exporter.shutdown();
        }
    }
}

/// Libraries whose lines below warning say nothing about our work.
const QUIET: &[&str] = &[
    "sqlx",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    "reqwest",
    "tower",
    "tower_http",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
    "opendal",
    "rmcp",
    "html5ever",
];

/// Starts logging to standard output and `LOG_FILE`, and, with `ENABLE_OTEL`, exporting traces.
///
/// # Errors
/// [`InitError`]; nothing is left half started.
pub fn init(config: &Config) -> Result<Telemetry, InitError> {
    let exporter = if config.observability.enable_otel { otlp::exporter(config)? } else { None };
    let lines = log::LogLayer::new(config, exporter.is_some())?.with_filter(filter(config)?);
    let spans = exporter.as_ref().map(otlp::Exporter::layer);
    tracing_subscriber::registry().with(spans).with(lines).try_init().map_err(InitError::Twice)?;
    if config.observability.enable_otel {
        otlp::report(config, exporter.is_some());
    }
    Ok(Telemetry { exporter })
}

fn filter(config: &Config) -> Result<EnvFilter, InitError> {
    let directives = match &config.own.rust_log {
        Some(own) => own.clone(),
        None => {
            let level = level(&config.feature.log_level)?;
            let quiet: String = QUIET.iter().map(|library| format!(",{library}=warn")).collect();
            format!("{level}{}", if level == "error" || level == "off" { "" } else { &quiet })
        }
    };
    // Request spans carry the ids of every line below them, so they stand whatever the level.
    EnvFilter::builder()
        .parse(format!("{directives},{}=error", request::TARGET))
        .map_err(InitError::Filter)
}

/// Python's level names as ours.
fn level(name: &str) -> Result<&'static str, InitError> {
    match name.trim().to_ascii_uppercase().as_str() {
        "DEBUG" => Ok("debug"),
        "INFO" => Ok("info"),
        "WARNING" | "WARN" => Ok("warn"),
        "ERROR" | "CRITICAL" | "FATAL" => Ok("error"),
        "NOTSET" => Ok("trace"),
        _ => Err(InitError::Level(name.to_owned())),
    }
}

#[cfg(test)]
mod tests;
