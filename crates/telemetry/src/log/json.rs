//! One JSON object a line, with the reference's keys.

use chrono::SecondsFormat;
use serde_json::{Map, Value};
use tracing::Level;

use super::record::Record;

pub(crate) struct JsonFormat {
    service: String,
}

impl JsonFormat {
    pub(crate) fn new(service: &str) -> Self {
        Self { service: service.to_owned() }
    }

    pub(crate) fn write(&self, record: &Record, line: &mut String) {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("ts", record.time.to_rfc3339_opts(SecondsFormat::Millis, true).into());
        put("severity", severity(record.level).into());
        put("service", self.service.as_str().into());
        put("caller", format!("{}:{}", record.file_name(), record.line).into());
        put("message", record.message.as_str().into());
        let context = &record.context;
        for (key, id) in [("trace_id", &context.trace_id), ("span_id", &record.span_id)] {
            if !id.is_empty() {
                put(key, id.as_str().into());
            }
        }
        let identity: Map<String, Value> = [
            ("tenant_id", &context.tenant_id),
            ("user_id", &context.user_id),
            ("user_type", &context.user_type),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.as_str().into()))
        .collect();
        if !identity.is_empty() {
            put("identity", identity.into());
        }
        let mut attributes = record.attributes.clone();
        let stack_trace = attributes.remove("stack_trace");
        if !attributes.is_empty() {
            put("attributes", attributes.into());
        }
        if let Some(stack_trace) = stack_trace {
            put("stack_trace", stack_trace);
        }
        line.push_str(&Value::Object(object).to_string());
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}
