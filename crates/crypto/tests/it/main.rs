//! The formats against what the reference wrote.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod file_links;
mod passwords;
mod tenant_secrets;
mod tokens;
mod total;

use serde_json::Value;

pub(crate) fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {path}"))
}

pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {path}"))
}

/// The list under the first key that begins with `prefix`.
pub(crate) fn starting_with<'a>(value: &'a Value, prefix: &str) -> &'a [Value] {
    let object = value.as_object().unwrap();
    let (_, found) = object.iter().find(|(key, _)| key.starts_with(prefix)).unwrap();
    found.as_array().unwrap()
}

pub(crate) fn private_pem(value: &Value) -> String {
    let lines: Vec<&str> =
        starting_with(value, "private_").iter().map(|line| line.as_str().unwrap()).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", lines.join("\n"))
}

pub(crate) fn vectors_secret(value: &Value) -> String {
    starting_with(value, "secret").iter().map(|part| part.as_str().unwrap()).collect()
}
