//! What code returned, held against what the node declares.

use graph::{NodeError, Object, Value};
use indexmap::IndexMap;
use serde::Deserialize;
use types::pyjson::float_repr;

/// What code may return (`CODE_*`).
#[derive(Debug, Clone)]
pub struct CodeLimits {
    /// `CODE_MAX_STRING_LENGTH`, characters.
    pub max_string_length: usize,
    /// `CODE_MAX_NUMBER`.
    pub max_number: i64,
    /// `CODE_MIN_NUMBER`.
    pub min_number: i64,
    /// `CODE_MAX_PRECISION`, digits after the point.
    pub max_precision: usize,
    /// `CODE_MAX_DEPTH`.
    pub max_depth: usize,
    /// `CODE_MAX_NUMBER_ARRAY_LENGTH`.
    pub max_number_array_length: usize,
    /// `CODE_MAX_STRING_ARRAY_LENGTH`.
    pub max_string_array_length: usize,
    /// `CODE_MAX_OBJECT_ARRAY_LENGTH`.
    pub max_object_array_length: usize,
}

impl Default for CodeLimits {
    fn default() -> Self {
        Self {
            max_string_length: 400_000,
            max_number: i64::MAX,
            min_number: -i64::MAX,
            max_precision: 20,
            max_depth: 5,
            max_number_array_length: 1000,
            max_string_array_length: 30,
            max_object_array_length: 30,
        }
    }
}

/// A declared output.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Output {
    r#type: Kind,
    #[serde(default)]
    children: Option<IndexMap<String, Output>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    #[serde(rename = "string")]
    String,
    #[serde(rename = "number")]
    Number,
    #[serde(rename = "object")]
    Object,
    #[serde(rename = "boolean")]
    Boolean,
    #[serde(rename = "array[string]")]
    Strings,
    #[serde(rename = "array[number]")]
    Numbers,
    #[serde(rename = "array[object]")]
    Objects,
    #[serde(rename = "array[boolean]")]
    Booleans,
}

/// What is wrong with a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Invalid {
    message: String,
    class: &'static str,
}

impl Invalid {
    fn output(message: String) -> Self {
        Self { message, class: "OutputValidationError" }
    }

    pub(super) fn into_error(self) -> NodeError {
        NodeError::new(self.message, self.class)
    }
}

/// The declared outputs of `result`.
pub(super) fn checked(
    result: Object,
    outputs: &IndexMap<String, Output>,
    limits: &CodeLimits,
) -> Result<Object, Invalid> {
    Checker { limits }.declared(&result, outputs, "", 1)
}

struct Checker<'a> {
    limits: &'a CodeLimits,
}

impl Checker<'_> {
    fn depth(&self, depth: usize) -> Result<(), Invalid> {
        if depth <= self.limits.max_depth {
            return Ok(());
        }
        let limit = self.limits.max_depth;
        let message = format!("Depth limit {limit} reached, object too deep.");
        Err(Invalid { message, class: "DepthLimitError" })
    }

    fn declared(
        &self,
        result: &Object,
        outputs: &IndexMap<String, Output>,
        prefix: &str,
        depth: usize,
    ) -> Result<Object, Invalid> {
        self.depth(depth)?;
        let mut checked = Object::new();
        for (name, output) in outputs {
            let dot = if prefix.is_empty() { "" } else { "." };
            let path = format!("{prefix}{dot}{name}");
            let Some(value) = result.get(name) else {
                return Err(Invalid::output(format!("Output {path} is missing.")));
            };
            // The prefix of objects begins with a point even at the top, as in the reference.
            let inner = format!("{prefix}.{name}");
            checked.insert(name.clone(), self.output(value, output, &path, &inner, depth)?);
        }
        if outputs.len() != result.len() {
            let message = "Not all output parameters are validated.".to_owned();
            return Err(Invalid { message, class: "CodeNodeError" });
        }
        Ok(checked)
    }

    fn output(
        &self,
        value: &Value,
        output: &Output,
        path: &str,
        inner: &str,
        depth: usize,
    ) -> Result<Value, Invalid> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let class = value.py_type();
        let items = || {
            value.as_array().ok_or_else(|| {
                let message =
                    format!("Output {path} is not an array, got <class '{class}'> instead.");
                Invalid::output(message)
            })
        };
        Ok(match output.r#type {
            Kind::String => match value.as_str() {
                Some(text) => self.string(text, path)?,
                None => {
                    let message = format!("Output {path} must be a string, got {class} instead");
                    return Err(Invalid::output(message));
                }
            },
            Kind::Number => {
                if value.as_number().is_none() {
                    let message =
                        format!("Output {path} is not a number, got <class '{class}'> instead.");
                    return Err(Invalid::output(message));
                }
                self.number(value, path)?;
                as_number(value)
            }
            // As in the reference, anything passes for a boolean.
            Kind::Boolean => value.clone(),
            Kind::Object => match value.as_object() {
                Some(object) => self.object(object, output, inner, depth)?,
                None => {
                    let message =
                        format!("Output {path} is not an object, got <class '{class}'> instead.");
                    return Err(Invalid::output(message));
                }
            },
            Kind::Numbers => {
                let items = items()?;
                length(items, self.limits.max_number_array_length, path)?;
                for (index, item) in items.iter().enumerate() {
                    if item.as_number().is_none() {
                        return Err(Invalid::output(format!(
                            "The element at index {index} of output variable `{path}` must be a number."
                        )));
                    }
                    self.number(item, &format!("{path}[{index}]"))?;
                }
                items.iter().map(as_number).collect()
            }
            Kind::Strings => {
                let items = items()?;
                length(items, self.limits.max_string_array_length, path)?;
                let mut checked = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    checked.push(match item {
                        Value::Null => Value::Null,
                        Value::String(text) => self.string(text, &format!("{path}[{index}]"))?,
                        other => return Err(without_length(other)),
                    });
                }
                Value::array(checked)
            }
            Kind::Objects => {
                let items = items()?;
                length(items, self.limits.max_object_array_length, path)?;
                self.objects(items, output, path, depth)?
            }
            Kind::Booleans => {
                let items = items()?;
                for (index, item) in items.iter().enumerate() {
                    if !item.is_null() && item.as_bool().is_none() {
                        let class = item.py_type();
                        return Err(Invalid::output(format!(
                            "Output {path}[{index}] is not a boolean, got <class '{class}'> instead."
                        )));
                    }
                }
                value.clone()
            }
        })
    }

    fn objects(
        &self,
        items: &[Value],
        output: &Output,
        path: &str,
        depth: usize,
    ) -> Result<Value, Invalid> {
        for (index, item) in items.iter().enumerate() {
            if !item.is_null() && item.as_object().is_none() {
                let class = item.py_type();
                return Err(Invalid::output(format!(
                    "Output {path}[{index}] is not an object, got <class '{class}'> instead at index {index}."
                )));
            }
        }
        let mut checked = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            checked.push(match item.as_object() {
                Some(object) => self.object(object, output, &format!("{path}[{index}]"), depth)?,
                None => Value::Null,
            });
        }
        Ok(Value::array(checked))
    }

    fn object(
        &self,
        object: &Object,
        output: &Output,
        prefix: &str,
        depth: usize,
    ) -> Result<Value, Invalid> {
        match &output.children {
            Some(children) => self.declared(object, children, prefix, depth + 1).map(Value::object),
            None => {
                self.undeclared(object, prefix, depth + 1)?;
                Ok(Value::object(object.clone()))
            }
        }
    }

    /// Checks sizes and depth of an object whose entries are not declared.
    fn undeclared(&self, object: &Object, prefix: &str, depth: usize) -> Result<(), Invalid> {
        self.depth(depth)?;
        for (name, value) in object {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Object(inner) => self.undeclared(inner, &path, depth + 1)?,
                Value::Int(_) | Value::Float(_) => self.number(value, &path)?,
                Value::String(text) => {
                    self.string(text, &path)?;
                }
                Value::Array(items) => self.undeclared_items(items, prefix, name, &path, depth)?,
                Value::Null | Value::Bool(_) | Value::File(_) => {}
            }
        }
        Ok(())
    }

    fn undeclared_items(
        &self,
        items: &[Value],
        prefix: &str,
        name: &str,
        path: &str,
        depth: usize,
    ) -> Result<(), Invalid> {
        let Some(first) = items.first().filter(|first| !first.is_null()) else { return Ok(()) };
        let all = |fits: fn(&Value) -> bool| items.iter().all(|item| item.is_null() || fits(item));
        let is_number = |value: &Value| value.as_number().is_some();
        let is_text = |value: &Value| value.as_str().is_some();
        let is_object = |value: &Value| value.as_object().is_some();
        let is_list = |value: &Value| value.as_array().is_some();
        let present = items.iter().enumerate().filter(|(_, item)| !item.is_null());
        if is_number(first) && all(is_number) {
            for (index, item) in present {
                self.number(item, &format!("{path}[{index}]"))?;
            }
        } else if is_text(first) && all(is_text) {
            for (index, item) in present {
                self.string(item.as_str().unwrap_or_default(), &format!("{path}[{index}]"))?;
            }
        } else if is_object(first) && all(is_object) {
            for (index, item) in present {
                let Some(object) = item.as_object() else { continue };
                self.undeclared(object, &format!("{path}[{index}]"), depth + 1)?;
            }
        } else if is_list(first) && all(is_list) {
            // The reference stumbles over lists in lists.
            let message = "'list' object has no attribute 'items'".to_owned();
            return Err(Invalid { message, class: "WorkflowNodeError" });
        } else {
            return Err(Invalid::output(format!(
                "Output {prefix}.{name} is not a valid array. make sure all elements are of the same type."
            )));
        }
        Ok(())
    }

    fn string(&self, text: &str, path: &str) -> Result<Value, Invalid> {
        let limit = self.limits.max_string_length;
        if text.len() > limit && text.chars().count() > limit {
            return Err(Invalid::output(format!(
                "The length of output variable `{path}` must be less than {limit} characters"
            )));
        }
        Ok(Value::from(text.replace('\0', "")))
    }

    fn number(&self, value: &Value, path: &str) -> Result<(), Invalid> {
        let (min, max) = (self.limits.min_number, self.limits.max_number);
        #[expect(clippy::cast_precision_loss, reason = "Python compares with floats as well")]
        let is_outside = match value {
            Value::Int(number) => *number > max || *number < min,
            Value::Float(number) => *number > max as f64 || *number < min as f64,
            _ => false,
        };
        if is_outside {
            return Err(Invalid::output(format!(
                "Output variable `{path}` is out of range, it must be between {min} and {max}."
            )));
        }
        if let Value::Float(number) = value
            && number.is_finite()
            && digits(*number) > self.limits.max_precision
        {
            let limit = self.limits.max_precision;
            return Err(Invalid::output(format!(
                "Output variable `{path}` has too high precision, it must be less than {limit} digits."
            )));
        }
        Ok(())
    }
}

/// Digits after the point, as Python's shortest form of the number has them.
fn digits(number: f64) -> usize {
    let text = float_repr(number);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let fraction = mantissa.split_once('.').map_or("", |(_, it)| it).trim_end_matches('0').len();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = i64::try_from(fraction).unwrap_or(i64::MAX).saturating_sub(exponent);
    usize::try_from(digits).unwrap_or(0)
}

/// Booleans are numbers in Python.
fn as_number(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::Int(i64::from(*value)),
        other => other.clone(),
    }
}

fn length(items: &[Value], limit: usize, path: &str) -> Result<(), Invalid> {
    if items.len() <= limit {
        return Ok(());
    }
    Err(Invalid::output(format!(
        "The length of output variable `{path}` must be less than {limit} elements."
    )))
}

/// What the reference says of an element of a list of texts that is none.
fn without_length(value: &Value) -> Invalid {
    let class = value.py_type();
    let message = match value {
        Value::Array(_) | Value::Object(_) => {
            format!("'{class}' object has no attribute 'replace'")
        }
        _ => format!("object of type '{class}' has no len()"),
    };
    Invalid { message, class: "WorkflowNodeError" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(result: serde_json::Value, outputs: serde_json::Value) -> Result<Value, String> {
        let Value::Object(result) = Value::from_json(result) else { panic!("an object") };
        let outputs = serde_json::from_value(outputs).unwrap();
        checked((*result).clone(), &outputs, &CodeLimits::default())
            .map(Value::object)
            .map_err(|err| err.message)
    }

    #[test]
    fn results_are_held_against_the_declaration() {
        let cases = [
            (json!({"a": "x\u{0}y"}), json!({"a": {"type": "string"}}), Ok(json!({"a": "xy"}))),
            (json!({"a": true}), json!({"a": {"type": "number"}}), Ok(json!({"a": 1}))),
            (json!({"a": null}), json!({"a": {"type": "object"}}), Ok(json!({"a": null}))),
            (
                json!({"a": [true, 1]}),
                json!({"a": {"type": "array[number]"}}),
                Ok(json!({"a": [1, 1]})),
            ),
            (json!({}), json!({"a": {"type": "string"}}), Err("Output a is missing.")),
            (
                json!({"a": 1}),
                json!({"a": {"type": "string"}}),
                Err("Output a must be a string, got int instead"),
            ),
            (
                json!({"a": {"b": 1}}),
                json!({"a": {"type": "object", "children": {"c": {"type": "string"}}}}),
                Err("Output .a.c is missing."),
            ),
            (
                json!({"a": [1, {}]}),
                json!({"a": {"type": "array[object]"}}),
                Err("Output a[0] is not an object, got <class 'int'> instead at index 0."),
            ),
            (
                json!({"a": {"b": {"c": {"d": {"e": {}}}}}}),
                json!({"a": {"type": "object"}}),
                Err("Depth limit 5 reached, object too deep."),
            ),
            (
                json!({"a": 1e-25}),
                json!({"a": {"type": "number"}}),
                Err("Output variable `a` has too high precision, it must be less than 20 digits."),
            ),
            (
                json!({"a": "x", "b": 1}),
                json!({"a": {"type": "string"}}),
                Err("Not all output parameters are validated."),
            ),
        ];
        for (result, outputs, expected) in cases {
            let expected = expected.map(Value::from_json).map_err(str::to_owned);
            assert_eq!(check(result, outputs), expected);
        }
    }
}
