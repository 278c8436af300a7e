//! Conditions of if-else nodes and of loops.

use serde::{Deserialize, Serialize};

use crate::{
    file::FileUrls,
    pool::{Selector, VariablePool},
    segment::SegmentType,
    value::{Object, Value, py_list_repr},
};

/// How the results of several conditions combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Logic {
    /// All hold.
    #[default]
    And,
    /// One holds.
    Or,
}

impl Logic {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }

    fn combine(self, results: &[bool]) -> bool {
        match self {
            Self::And => results.iter().all(|&it| it),
            Self::Or => results.iter().any(|&it| it),
        }
    }
}

/// A comparison of a variable with a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The variable.
    pub variable_selector: Selector,
    /// The comparison.
    pub comparison_operator: Operator,
    /// Text (a template), list of texts, boolean or nothing.
    #[serde(default)]
    pub value: Value,
    /// Conditions on the files of a list.
    #[serde(default)]
    pub sub_variable_condition: Option<SubConditions>,
}

/// Conditions on the files of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubConditions {
    /// How they combine.
    pub logical_operator: Logic,
    /// The conditions.
    #[serde(default)]
    pub conditions: Vec<SubCondition>,
}

/// A comparison of an attribute of files with a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubCondition {
    /// The attribute, see [`crate::File::attribute`].
    pub key: String,
    /// The comparison.
    pub comparison_operator: Operator,
    /// Text, list of texts or nothing.
    #[serde(default)]
    pub value: Value,
}

/// The comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Operator {
    Contains,
    NotContains,
    StartWith,
    EndWith,
    Is,
    IsNot,
    Empty,
    NotEmpty,
    In,
    NotIn,
    AllOf,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Null,
    NotNull,
    Exists,
    NotExists,
}

impl Operator {
    const ALL: [Self; 21] = [
        Self::Contains,
        Self::NotContains,
        Self::StartWith,
        Self::EndWith,
        Self::Is,
        Self::IsNot,
        Self::Empty,
        Self::NotEmpty,
        Self::In,
        Self::NotIn,
        Self::AllOf,
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::Less,
        Self::GreaterOrEqual,
        Self::LessOrEqual,
        Self::Null,
        Self::NotNull,
        Self::Exists,
        Self::NotExists,
    ];

    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::NotContains => "not contains",
            Self::StartWith => "start with",
            Self::EndWith => "end with",
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Empty => "empty",
            Self::NotEmpty => "not empty",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::AllOf => "all of",
            Self::Equal => "=",
            Self::NotEqual => "≠",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => "≥",
            Self::LessOrEqual => "≤",
            Self::Null => "null",
            Self::NotNull => "not null",
            Self::Exists => "exists",
            Self::NotExists => "not exists",
        }
    }
}

impl TryFrom<String> for Operator {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.as_str() == text)
            .ok_or_else(|| format!("unknown comparison_operator '{text}'"))
    }
}

impl From<Operator> for &'static str {
    fn from(operator: Operator) -> Self {
        operator.as_str()
    }
}

/// A condition that cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// The reference's text.
    pub message: String,
    /// Whether the reference raises a `ValueError`; loops ignore those before their first round.
    pub is_value_error: bool,
}

fn value_error(message: impl Into<String>) -> ConditionError {
    ConditionError { message: message.into(), is_value_error: true }
}

fn type_error(message: impl Into<String>) -> ConditionError {
    ConditionError { message: message.into(), is_value_error: false }
}

/// What came out of a list of conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// `actual_value`, `expected_value`, `comparison_operator` of the compared ones, for records.
    pub inputs: Vec<Value>,
    /// Results up to the one that decided.
    pub results: Vec<bool>,
    /// All together.
    pub holds: bool,
}

/// Evaluates `conditions` in order until the result is known.
///
/// # Errors
/// [`ConditionError`] when a variable is missing or of the wrong type.
pub fn evaluate(
    pool: &VariablePool,
    conditions: &[Condition],
    logic: Logic,
) -> Result<Evaluation, ConditionError> {
    let mut inputs = Vec::new();
    let mut results = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let holds = evaluate_one(pool, condition, &mut inputs)?;
        results.push(holds);
        if holds == (logic == Logic::Or) {
            return Ok(Evaluation { inputs, results, holds });
        }
    }
    let holds = logic.combine(&results);
    Ok(Evaluation { inputs, results, holds })
}

fn evaluate_one(
    pool: &VariablePool,
    condition: &Condition,
    inputs: &mut Vec<Value>,
) -> Result<bool, ConditionError> {
    use Operator as Op;
    let selector = &condition.variable_selector;
    let operator = condition.comparison_operator;
    let variable = pool
        .get(selector)
        .ok_or_else(|| value_error(format!("Variable {} not found", py_list_repr(selector))))?;

    let by_file = matches!(operator, Op::Contains | Op::NotContains | Op::AllOf);
    if variable.kind == SegmentType::ArrayFile && by_file {
        let sub = condition
            .sub_variable_condition
            .as_ref()
            .ok_or_else(|| value_error("Sub variable is required"))?;
        let files = variable.value.as_array().unwrap_or_default();
        return evaluate_files(files, sub, pool.urls());
    }
    if matches!(operator, Op::Exists | Op::NotExists) {
        return compare(operator, &variable.value, &Value::Null);
    }

    let mut expected = match &condition.value {
        Value::String(text) => Value::from(pool.render(text)),
        other => other.clone(),
    };
    if matches!(variable.kind, SegmentType::Boolean | SegmentType::ArrayBoolean)
        && !expected.is_null()
    {
        expected = match expected {
            Value::Array(items) => items.iter().map(to_bool).collect::<Result<Vec<_>, _>>()?.into(),
            other => to_bool(&other)?,
        };
    }
    let record = [
        ("actual_value", variable.value.clone()),
        ("expected_value", expected.clone()),
        ("comparison_operator", Value::from(operator.as_str())),
    ];
    inputs.push(Value::object(
        record.into_iter().map(|(key, it)| (key.to_owned(), it)).collect::<Object>(),
    ));
    compare(operator, &variable.value, &expected)
}

/// Booleans come as `true`, as 0 and 1, or as JSON text of either.
fn to_bool(value: &Value) -> Result<Value, ConditionError> {
    let unexpected = || {
        let (kind, text) = (value.py_type(), value.py_str());
        type_error(format!("unexpected value: type=<class '{kind}'>, value={text}"))
    };
    match value {
        Value::Bool(_) | Value::Int(_) => Ok(Value::Bool(value.is_truthy())),
        Value::String(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_))) => {
                match Value::from_json(json) {
                    Value::Float(_) => Err(unexpected()),
                    other => Ok(Value::Bool(other.is_truthy())),
                }
            }
            Ok(_) => Err(unexpected()),
            Err(_) => Err(value_error("Expecting value: line 1 column 1 (char 0)")),
        },
        _ => Err(unexpected()),
    }
}

fn evaluate_files(
    files: &[Value],
    sub: &SubConditions,
    urls: &dyn FileUrls,
) -> Result<bool, ConditionError> {
    let mut results = Vec::with_capacity(sub.conditions.len());
    for condition in &sub.conditions {
        let mut values = Vec::with_capacity(files.len());
        for file in files.iter().filter_map(Value::as_file) {
            let value = file.attribute(&condition.key, urls).ok_or_else(|| {
                value_error(format!("'{}' is not a valid FileAttribute", condition.key))
            })?;
            values.push(value);
        }
        let mut expected = condition.value.clone();
        if condition.key == "extension" {
            let text = expected.as_str().ok_or_else(|| {
                type_error("Expected value must be a string when key is FileAttribute.EXTENSION")
            })?;
            expected = Value::from(dotted(text));
            for value in &mut values {
                if let Some(text) = value.as_str() {
                    *value = Value::from(dotted(text));
                }
            }
        }
        let operator = condition.comparison_operator;
        let each = values
            .iter()
            .map(|value| compare(operator, value, &expected))
            .collect::<Result<Vec<_>, _>>()?;
        let all = operator.as_str().contains("not");
        results.push(if all { Logic::And.combine(&each) } else { Logic::Or.combine(&each) });
    }
    Ok(sub.logical_operator.combine(&results))
}

fn dotted(extension: &str) -> String {
    if extension.is_empty() || extension.starts_with('.') {
        extension.to_owned()
    } else {
        format!(".{extension}")
    }
}

/// Compares one value; `expected` is ready for comparison.
///
/// # Errors
/// [`ConditionError`] when the types do not fit the operator.
pub fn compare(
    operator: Operator,
    actual: &Value,
    expected: &Value,
) -> Result<bool, ConditionError> {
    use Operator as Op;
    Ok(match operator {
        Op::Contains => actual.is_truthy() && contains(actual, expected)?,
        Op::NotContains => !actual.is_truthy() || !contains(actual, expected)?,
        Op::StartWith if !actual.is_truthy() => false,
        Op::StartWith => {
            let (actual, expected) = texts(actual, expected, "startswith")?;
            actual.starts_with(expected)
        }
        Op::EndWith if !actual.is_truthy() => false,
        Op::EndWith => {
            let (actual, expected) = texts(actual, expected, "endswith")?;
            actual.ends_with(expected)
        }
        // Neither holds for nothing.
        Op::Is => !actual.is_null() && is(actual, expected)?,
        Op::IsNot => !actual.is_null() && !is(actual, expected)?,
        Op::Empty => !actual.is_truthy(),
        Op::NotEmpty => actual.is_truthy(),
        Op::Equal => !actual.is_null() && equal(actual, expected)?,
        Op::NotEqual => !actual.is_null() && !equal(actual, expected)?,
        Op::Greater => order(actual, expected)?.is_some_and(std::cmp::Ordering::is_gt),
        Op::Less => order(actual, expected)?.is_some_and(std::cmp::Ordering::is_lt),
        Op::GreaterOrEqual => order(actual, expected)?.is_some_and(std::cmp::Ordering::is_ge),
        Op::LessOrEqual => order(actual, expected)?.is_some_and(std::cmp::Ordering::is_le),
        Op::Null | Op::NotExists => actual.is_null(),
        Op::NotNull | Op::Exists => !actual.is_null(),
        Op::In => actual.is_truthy() && list(expected)?.iter().any(|it| it.py_eq(actual)),
        Op::NotIn => !actual.is_truthy() || !list(expected)?.iter().any(|it| it.py_eq(actual)),
        Op::AllOf => all_of(actual, expected)?,
    })
}

fn contains(actual: &Value, expected: &Value) -> Result<bool, ConditionError> {
    match actual {
        Value::String(text) => Ok(text.contains(&expected.py_str())),
        Value::Array(items) => Ok(items.iter().any(|item| item.py_eq(expected))),
        _ => Err(value_error("Invalid actual value type: string or array")),
    }
}

fn texts<'a>(
    actual: &'a Value,
    expected: &'a Value,
    function: &str,
) -> Result<(&'a str, &'a str), ConditionError> {
    let actual = actual.as_str().ok_or_else(|| value_error("Invalid actual value type: string"))?;
    let expected = expected
        .as_str()
        .ok_or_else(|| value_error(format!("Expected value must be a string for {function}")))?;
    Ok((actual, expected))
}

fn is(actual: &Value, expected: &Value) -> Result<bool, ConditionError> {
    match actual {
        Value::String(_) | Value::Bool(_) => Ok(actual.py_eq(expected)),
        _ => Err(value_error("Invalid actual value type: string or boolean")),
    }
}

fn list(expected: &Value) -> Result<&[Value], ConditionError> {
    expected.as_array().ok_or_else(|| value_error("Invalid expected value type: array"))
}

fn equal(actual: &Value, expected: &Value) -> Result<bool, ConditionError> {
    let cannot = |target: &str| {
        value_error(format!("Cannot convert <class '{}'> to {target}", expected.py_type()))
    };
    match actual {
        Value::Bool(actual) => match expected {
            Value::Bool(_) | Value::Int(_) | Value::String(_) => {
                Ok(*actual == expected.is_truthy())
            }
            _ => Err(cannot("bool")),
        },
        Value::Int(actual) => match expected {
            Value::Int(expected) => Ok(actual == expected),
            Value::Bool(expected) => Ok(*actual == i64::from(*expected)),
            Value::Float(expected) => {
                Ok(Value::Int(*actual).py_eq(&Value::Float(expected.trunc())))
            }
            Value::String(text) => {
                parse_int(text).map(|expected| *actual == expected).ok_or_else(|| {
                    let text = Value::from(&**text).py_repr();
                    value_error(format!("invalid literal for int() with base 10: {text}"))
                })
            }
            _ => Err(cannot("int")),
        },
        Value::Float(actual) => match expected {
            Value::Int(_) | Value::Bool(_) | Value::Float(_) => {
                Ok(expected.as_number() == Some(*actual))
            }
            Value::String(text) => {
                parse_float(text).map(|expected| *actual == expected).ok_or_else(|| {
                    let text = Value::from(&**text).py_repr();
                    value_error(format!("could not convert string to float: {text}"))
                })
            }
            _ => Err(cannot("float")),
        },
        _ => Err(value_error("Invalid actual value type: number or boolean")),
    }
}

/// `None` when nothing is ordered: no value, or not a number.
fn order(actual: &Value, expected: &Value) -> Result<Option<std::cmp::Ordering>, ConditionError> {
    if actual.is_null() {
        return Ok(None);
    }
    let number =
        actual.as_number().ok_or_else(|| value_error("Invalid actual value type: number"))?;
    let expected = match expected {
        Value::String(text) => {
            let parsed = parse_float(text)
                .ok_or_else(|| value_error(format!("Cannot convert '{text}' to number")))?;
            // Whole numbers compare as integers, which large ones need.
            match (actual, parse_int(text)) {
                (Value::Int(actual), Some(expected)) => return Ok(Some(actual.cmp(&expected))),
                _ => parsed,
            }
        }
        Value::Int(expected) => match actual {
            Value::Int(actual) => return Ok(Some(actual.cmp(expected))),
            #[expect(clippy::cast_precision_loss, reason = "as close as Python's comparison gets")]
            _ => *expected as f64,
        },
        Value::Float(expected) => *expected,
        Value::Bool(expected) => f64::from(u8::from(*expected)),
        other => {
            return Err(value_error(format!(
                "Cannot convert <class '{}'> to number",
                other.py_type()
            )));
        }
    };
    Ok(number.partial_cmp(&expected))
}

fn all_of(actual: &Value, expected: &Value) -> Result<bool, ConditionError> {
    let Some(expected) = expected.as_array() else {
        return Err(value_error("Unsupported operator: all of"));
    };
    let strings = expected.iter().all(|it| it.as_str().is_some());
    if !strings && !expected.iter().all(|it| it.as_bool().is_some()) {
        return Err(value_error("all of operator expects homogeneous list of strings or booleans"));
    }
    if !actual.is_truthy() {
        return Ok(false);
    }
    Ok(match actual {
        Value::Array(items) => expected.iter().all(|it| items.iter().any(|item| item.py_eq(it))),
        Value::String(text) if strings => {
            expected.iter().filter_map(Value::as_str).all(|it| text.contains(it))
        }
        _ => false,
    })
}

/// Python's `int(text)`.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Python's `float(text)`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}
