//! Lines in the pattern of `LOG_FORMAT`, with the attributes Python's records have.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Timelike as _, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use tracing::Level;

use super::pattern::{self, Layout, Piece};
use super::record::Record;
use crate::InitError;

/// Python's when no date pattern is given; it then adds a comma and the milliseconds.
const DATE: &str = "%Y-%m-%d %H:%M:%S";

pub(crate) struct TextFormat {
    pieces: Vec<Piece>,
    date: String,
    milliseconds: bool,
    zone: Tz,
}

impl TextFormat {
    pub(crate) fn new(
        pattern: &str,
        date: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Self, InitError> {
        let zone_name = zone.unwrap_or("UTC");
        let zone = zone_name.parse().map_err(|_| InitError::TimeZone(zone_name.to_owned()))?;
        if let Some(date) = date
            && StrftimeItems::new(date).any(|item| matches!(item, Item::Error))
        {
            return Err(InitError::DateFormat(date.to_owned()));
        }
        Ok(Self {
            pieces: pattern::parse(pattern),
            date: date.unwrap_or(DATE).to_owned(),
            milliseconds: date.is_none(),
            zone,
        })
    }

    pub(crate) fn write(&self, record: &Record, line: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => line.push_str(text),
                Piece::Value { name, layout } => self.value(name, *layout, record, line),
            }
        }
        for (name, value) in &record.attributes {
            line.push(' ');
            line.push_str(name);
            line.push('=');
            match value {
                Value::String(text) => line.push_str(text),
                other => line.push_str(&other.to_string()),
            }
        }
    }

    fn value(&self, name: &str, layout: Layout, record: &Record, line: &mut String) {
        let context = &record.context;
        let thread = std::thread::current();
        match name {
            "asctime" => layout.text(&self.time(record.time), line),
            "message" => layout.text(&record.message, line),
            "levelname" => layout.text(level_name(record.level), line),
            "name" => layout.text(&record.target, line),
            "filename" => layout.text(record.file_name(), line),
            "module" => layout.text(record.file_name().trim_end_matches(".rs"), line),
            "pathname" => layout.text(&record.file, line),
            "threadName" => layout.text(thread.name().unwrap_or_default(), line),
            "processName" => layout.text("MainProcess", line),
            "req_id" => layout.text(&context.req_id, line),
            "trace_id" => layout.text(&context.trace_id, line),
            "span_id" => layout.text(&record.span_id, line),
            "tenant_id" => layout.text(&context.tenant_id, line),
            "user_id" => layout.text(&context.user_id, line),
            "user_type" => layout.text(&context.user_type, line),
            "lineno" => layout.number(f64::from(record.line), line),
            "levelno" => layout.number(level_number(record.level), line),
            "process" => layout.number(f64::from(std::process::id()), line),
            "msecs" => layout.number(f64::from(record.time.timestamp_subsec_millis()), line),
            #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
            "created" => layout.number(record.time.timestamp_micros() as f64 / 1e6, line),
            // `funcName`, `thread`, `taskName` and unknown names: nothing we could say.
            _ => layout.text("", line),
        }
    }

    fn time(&self, time: DateTime<Utc>) -> String {
        let local = time.with_timezone(&self.zone);
        let mut text = local.format(&self.date).to_string();
        if self.milliseconds {
            text.push_str(&format!(",{:03}", local.nanosecond() / 1_000_000 % 1000));
        }
        text
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

fn level_number(level: Level) -> f64 {
    match level {
        Level::ERROR => 40.0,
        Level::WARN => 30.0,
        Level::INFO => 20.0,
        Level::DEBUG | Level::TRACE => 10.0,
    }
}
