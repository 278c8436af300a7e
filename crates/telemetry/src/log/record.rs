//! One event with everything a line may say of it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::request::Context;

pub(crate) struct Record {
    pub(crate) time: DateTime<Utc>,
    pub(crate) level: Level,
    pub(crate) target: String,
    /// Path of the source file, as the compiler saw it.
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) message: String,
    /// The event's other fields.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) context: Context,
    /// Only with exported traces.
    pub(crate) span_id: String,
}

impl Record {
    pub(crate) fn of(event: &Event<'_>, time: DateTime<Utc>) -> Self {
        let about = event.metadata();
        let mut record = Self {
            time,
            level: *about.level(),
            target: about.target().to_owned(),
            file: about.file().unwrap_or_default().to_owned(),
            line: about.line().unwrap_or_default(),
            message: String::new(),
            attributes: Map::new(),
            context: Context::default(),
            span_id: String::new(),
        };
        event.record(&mut record);
        record
    }

    /// The source file without its directory.
    pub(crate) fn file_name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    fn set(&mut self, field: &Field, value: Value) {
        // Lines of libraries that use the `log` crate say in fields where they come from.
        match (field.name(), &value) {
            ("message", Value::String(text)) => self.message.clone_from(text),
            ("message", other) => self.message = other.to_string(),
            ("log.target", Value::String(text)) => self.target.clone_from(text),
            ("log.file", Value::String(text)) => self.file.clone_from(text),
            ("log.line", Value::Number(line)) => {
                self.line = line.as_u64().and_then(|line| line.try_into().ok()).unwrap_or_default();
            }
            ("log.module_path", _) => {}
            (name, _) => {
                self.attributes.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Record {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        self.set(field, chain.into());
    }
}

/// Takes the fields of a request span.
pub(crate) struct ContextVisitor<'a>(pub(crate) &'a mut Context);

impl Visit for ContextVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(slot) = self.0.slot(field.name()) {
            *slot = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(slot) = self.0.slot(field.name()) {
            value.clone_into(slot);
        }
    }
}
