//! Texts of faults in the layout clients know from the reference's validation.

use serde_json::Value;

use crate::WorkflowError;

/// `1 validation error for Model`, the field, and what is wrong with it.
#[must_use]
pub fn fault(model: &str, field: &str, message: &str, kind: &str, given: &Value) -> WorkflowError {
    WorkflowError::invalid(fault_text(model, field, message, kind, given))
}

/// The text of [`fault`].
#[must_use]
pub fn fault_text(model: &str, field: &str, message: &str, kind: &str, given: &Value) -> String {
    let input = python_type(given);
    let field = if field.is_empty() { String::new() } else { format!("\n{field}") };
    format!("1 validation error for {model}{field}\n  {message} [type={kind}, input_type={input}]")
}

/// What Python's `str` shows of a JSON value.
#[must_use]
pub fn display(value: &Value) -> String {
    graph::Value::from_json(value.clone()).py_str()
}

/// The name of a JSON value's type in Python.
#[must_use]
pub fn python_type(value: &Value) -> &'static str {
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
