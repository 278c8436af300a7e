//! JSON values seen the way the reference sees them.

use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Python's `bool(value)`.
#[must_use]
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Whether `key` is there and truthy.
#[must_use]
pub fn has(map: &Object, key: &str) -> bool {
    map.get(key).is_some_and(truthy)
}

/// The text at `key`, if it is text.
#[must_use]
pub fn text<'v>(map: &'v Object, key: &str) -> Option<&'v str> {
    map.get(key).and_then(Value::as_str)
}

/// Puts `default` at `key` unless something truthy is there.
pub fn or_default<'m>(map: &'m mut Object, key: &str, default: Value) -> &'m mut Value {
    let slot = map.entry(key).or_insert(Value::Null);
    if !truthy(slot) {
        *slot = default;
    }
    slot
}

/// The name of the value's type in pydantic's messages.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// `json.dumps(value)`.
#[must_use]
pub fn dumps(value: &Value) -> String {
    // A JSON value always serialises.
    types::pyjson::dumps(value).unwrap_or_default()
}

/// Faults of several fields in pydantic's layout: `N validation errors for Model`, then path and message of each.
#[must_use]
pub fn validation_text(model: &str, faults: &[(String, String)]) -> String {
    let count = faults.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = format!("{count} validation error{plural} for {model}");
    for (path, message) in faults {
        if !path.is_empty() {
            text.push('\n');
            text.push_str(path);
        }
        text.push_str("\n  ");
        text.push_str(message);
    }
    text
}
