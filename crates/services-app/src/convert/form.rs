//! The form of a basic app as variables of a start node.

use serde_json::{Value, json};

use crate::json::{Object, text};

/// Variables of the start node, from the fields of the form that are no external data.
pub(super) fn variables(config: &Object) -> Vec<Value> {
    let form = config.get("user_input_form").and_then(Value::as_array);
    form.into_iter()
        .flatten()
        .filter_map(|entry| entry.as_object()?.iter().next())
        .filter(|(kind, _)| {
            ["text-input", "paragraph", "number", "select", "checkbox"].contains(&kind.as_str())
        })
        .filter_map(|(kind, field)| Some(variable(kind, field.as_object()?)))
        .collect()
}

fn variable(kind: &str, field: &Object) -> Value {
    let pick = |key: &str, default: Value| match field.get(key) {
        None | Some(Value::Null) => default,
        Some(value) => value.clone(),
    };
    json!({
        "variable": text(field, "variable").unwrap_or_default(),
        "label": text(field, "label").unwrap_or_default(),
        "description": text(field, "description").unwrap_or_default(),
        "type": kind,
        "required": pick("required", json!(false)),
        "hide": false,
        "default": null,
        "max_length": pick("max_length", Value::Null),
        "options": pick("options", json!([])),
        "allowed_file_types": [],
        "allowed_file_extensions": [],
        "allowed_file_upload_methods": [],
        "json_schema": null,
    })
}
