//! Arguments in the types of parameters.

use graph::{Object, Value};
use plugin::entity::{ParameterOption, ToolParameter};

use crate::ToolError;

/// Those of `given` that the tool has, each in the type of its parameter.
///
/// # Errors
/// [`ToolError::Invalid`] for a value that cannot be of that type.
pub fn cast(parameters: &[ToolParameter], given: &Object) -> Result<Object, ToolError> {
    let mut cast = Object::new();
    for parameter in parameters {
        if let Some(value) = given.get(&parameter.name) {
            cast.insert(parameter.name.clone(), one(&parameter.kind, value)?);
        }
    }
    Ok(cast)
}

fn one(kind: &str, value: &Value) -> Result<Value, ToolError> {
    let text = || match value {
        Value::Null => Value::string(""),
        Value::String(_) => value.clone(),
        other => Value::string(other.py_str()),
    };
    Ok(match kind {
        "string" | "secret-input" | "select" | "checkbox" | "dynamic-select" => text(),
        "boolean" => boolean(value),
        "number" => number(value)?,
        "system-files" | "files" => match value {
            Value::Array(_) => value.clone(),
            other => Value::array(vec![other.clone()]),
        },
        "file" => match value {
            Value::Array(items) => match items.as_slice() {
                [file] => file.clone(),
                _ => {
                    return Err(ToolError::invalid(
                        "This parameter only accepts one file but got multiple files while invoking.",
                    ));
                }
            },
            other => other.clone(),
        },
        "model-selector" | "app-selector" => match value {
            Value::Object(_) => value.clone(),
            _ => return Err(ToolError::invalid("The selector must be a dictionary.")),
        },
        "any" | "array[tools]" => value.clone(),
        "array" => match parsed(value) {
            list @ Value::Array(_) => list,
            other => Value::array(vec![other]),
        },
        "object" => match parsed(value) {
            object @ Value::Object(_) => object,
            _ => Value::object(Object::new()),
        },
        _ => text(),
    })
}

/// An argument as JSON.
pub(crate) fn plain(value: &Value) -> serde_json::Value {
    let mut one = Object::new();
    one.insert("value".to_owned(), value.clone());
    graph::value::object_to_json(&one, &graph::NoUrls).remove("value").unwrap_or_default()
}

/// A text that is JSON as what it holds.
fn parsed(value: &Value) -> Value {
    let text = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    text.map_or_else(|| value.clone(), Value::from_json)
}

fn boolean(value: &Value) -> Value {
    let flag = match value {
        Value::String(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => true,
            "false" | "no" | "n" | "0" | "" => false,
            _ => true,
        },
        other => other.is_truthy(),
    };
    Value::Bool(flag)
}

fn number(value: &Value) -> Result<Value, ToolError> {
    let Value::String(text) = value else { return Ok(value.clone()) };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let number = if text.contains('.') {
        text.trim().parse().ok().map(Value::Float)
    } else {
        text.trim().parse().ok().map(Value::Int)
    };
    number.ok_or_else(|| {
        ToolError::Invalid(format!(
            "The tool parameter value '{text}' is not in correct type of number."
        ))
    })
}

/// What a form says of a field.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// Whether it must be given.
    pub required: bool,
    /// Its value when nothing is given.
    pub default: Option<&'a serde_json::Value>,
    /// Its choices.
    pub options: &'a [ParameterOption],
}

impl<'a> From<&'a ToolParameter> for Field<'a> {
    fn from(it: &'a ToolParameter) -> Self {
        Self {
            name: &it.name,
            kind: &it.kind,
            required: it.required,
            default: it.default.as_ref(),
            options: &it.options,
        }
    }
}

/// The value of a parameter that a form holds without templates: the given one, or the default.
///
/// # Errors
/// [`ToolError::Invalid`] for one that must be given and is not, and for one that is no choice.
pub fn of_form(
    parameter: &ToolParameter,
    given: Option<&serde_json::Value>,
) -> Result<Value, ToolError> {
    of_field(parameter.into(), given.map(|given| Value::from_json(given.clone())))
}

/// The value of a field: the given one, or the default.
///
/// # Errors
/// [`ToolError::Invalid`] for one that must be given and is not, and for one that is no choice.
pub fn of_field(field: Field<'_>, given: Option<Value>) -> Result<Value, ToolError> {
    let Field { name, kind, required, default, options } = field;
    // Nought and false are values; an empty text or list is none.
    let is_given =
        |it: &Value| it.is_truthy() || it.as_number().is_some() || it.as_bool().is_some();
    let value = match given.filter(is_given) {
        Some(value) => value,
        None => match default {
            Some(default) if !default.is_null() => Value::from_json(default.clone()),
            _ if required => {
                return Err(ToolError::Invalid(format!(
                    "tool parameter {name} not found in tool config"
                )));
            }
            _ => return Ok(Value::Null),
        },
    };
    if kind == "select" {
        let choices: Vec<&str> = options.iter().map(|it| it.value.as_str()).collect();
        let text = value.py_str();
        if !choices.contains(&text.as_str()) {
            let shown: Vec<String> = choices.iter().map(|it| (*it).to_owned()).collect();
            return Err(ToolError::Invalid(format!(
                "tool parameter {name} value {text} not in options {}",
                graph::value::py_list_repr(&shown)
            )));
        }
    }
    one(kind, &value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: &str, given: serde_json::Value, expected: serde_json::Value) {
        let cast = one(kind, &Value::from_json(given.clone())).unwrap();
        assert_eq!(cast, Value::from_json(expected), "{kind} {given}");
    }

    #[test]
    fn values_take_the_type_of_their_parameter() {
        for (kind, given, expected) in [
            ("string", json!(null), json!("")),
            ("string", json!(5), json!("5")),
            ("select", json!(true), json!("True")),
            ("boolean", json!("no"), json!(false)),
            ("boolean", json!("yes"), json!(true)),
            ("boolean", json!(0), json!(false)),
            ("number", json!("1.5"), json!(1.5)),
            ("number", json!("7"), json!(7)),
            ("number", json!(""), json!(null)),
            ("array", json!("[1]"), json!([1])),
            ("array", json!("x"), json!(["x"])),
            ("object", json!("{\"a\": 1}"), json!({"a": 1})),
            ("object", json!("x"), json!({})),
            ("files", json!("f"), json!(["f"])),
            ("file", json!(["f"]), json!("f")),
        ] {
            check(kind, given, expected);
        }
        assert!(one("number", &Value::string("x")).is_err());
        assert!(one("file", &Value::from_json(json!([1, 2]))).is_err());
        assert!(one("app-selector", &Value::string("x")).is_err());
    }
}
