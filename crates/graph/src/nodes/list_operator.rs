//! `list-operator`: filters, picks, sorts and shortens a list.

use std::cmp::Ordering;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;

use super::{object, selector_mapping};
use crate::{
    condition::{Operator, parse_float, parse_int},
    file::File,
    node::{Node, NodeCtx, NodeError, NodeOutput, Outcome, Outputs},
    pool::Selector,
    segment::{Segment, SegmentType},
    value::{Value, py_list_repr},
};

#[derive(Deserialize)]
pub(super) struct ListOperator {
    #[serde(default)]
    variable: Selector,
    filter_by: FilterBy,
    order_by: OrderBy,
    limit: Limit,
    #[serde(default)]
    extract_by: Extract,
}

#[derive(Deserialize)]
struct FilterBy {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    conditions: Vec<Filter>,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    key: String,
    #[serde(default = "contains")]
    comparison_operator: Operator,
    #[serde(default = "empty")]
    value: Value,
}

#[derive(Deserialize)]
struct OrderBy {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Order,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Asc,
    Desc,
}

#[derive(Deserialize)]
struct Limit {
    #[serde(default)]
    enabled: bool,
    #[serde(default = "minus_one")]
    size: i64,
}

#[derive(Default, Deserialize)]
struct Extract {
    #[serde(default)]
    enabled: bool,
    #[serde(default = "one")]
    serial: String,
}

fn contains() -> Operator {
    Operator::Contains
}

fn empty() -> Value {
    Value::from("")
}

fn minus_one() -> i64 {
    -1
}

fn one() -> String {
    "1".to_owned()
}

/// Failures the node reports, or that escape it.
#[derive(Debug, PartialEq)]
enum Failure {
    Reported(String),
    Escaped(String),
}

impl ListOperator {
    fn apply(&self, ctx: &NodeCtx, list: &Segment) -> Result<Segment, Failure> {
        let kind = list.kind;
        let mut items = list.value.as_array().unwrap_or_default().to_vec();
        if self.filter_by.enabled {
            for filter in &self.filter_by.conditions {
                items = apply_filter(ctx, filter, kind, items)?;
            }
        }
        if self.extract_by.enabled {
            items = vec![extract(&ctx.pool.render(&self.extract_by.serial), &items)?];
        }
        if self.order_by.enabled {
            sort(&self.order_by, kind, &mut items)?;
        }
        if self.limit.enabled {
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            // A negative size counts from the end, as in Python's slices.
            let size = if self.limit.size < 0 { length + self.limit.size } else { self.limit.size };
            items.truncate(usize::try_from(size).unwrap_or_default());
        }
        Ok(Segment::new(kind, Value::array(items)))
    }
}

fn extract(serial: &str, items: &[Value]) -> Result<Value, Failure> {
    let serial = parse_int(serial).ok_or_else(|| {
        let text = Value::from(serial).py_repr();
        Failure::Escaped(format!("invalid literal for int() with base 10: {text}"))
    })?;
    if serial < 1 {
        let message = format!("Invalid serial index: must be >= 1, got {serial}");
        return Err(Failure::Escaped(message));
    }
    let index = usize::try_from(serial - 1).unwrap_or(usize::MAX);
    items.get(index).cloned().ok_or_else(|| {
        let length = items.len();
        Failure::Reported(format!("Invalid serial index: must be <= {length}, got {serial}"))
    })
}

fn apply_filter(
    ctx: &NodeCtx,
    filter: &Filter,
    kind: SegmentType,
    items: Vec<Value>,
) -> Result<Vec<Value>, Failure> {
    let operator = filter.comparison_operator;
    let render = |value: &Value| value.as_str().map(|text| ctx.pool.render(text));
    let invalid_value =
        || Failure::Reported(format!("Invalid filter value: {}", filter.value.py_str()));
    let number = |text: &str| {
        let quoted = Value::from(text).py_repr();
        parse_float(text)
            .ok_or(Failure::Escaped(format!("could not convert string to float: {quoted}")))
    };
    let class = filter.value.py_type();
    match kind {
        SegmentType::ArrayString => {
            let value = render(&filter.value).ok_or_else(invalid_value)?;
            keep(items, |item| string_matches(operator, &item.py_str(), &value))
        }
        SegmentType::ArrayNumber => {
            let value = number(&render(&filter.value).ok_or_else(invalid_value)?)?;
            keep(items, |item| {
                number_matches(operator, item.as_number().unwrap_or_default(), value)
            })
        }
        SegmentType::ArrayFile => {
            if filter.value.as_bool().is_some() {
                let message = format!("File filter expects a string value, got <class '{class}'>");
                return Err(Failure::Escaped(message));
            }
            let value = render(&filter.value).map_or_else(|| filter.value.clone(), Value::from);
            let key = filter.key.as_str();
            keep(items, |item| {
                let Some(file) = item.as_file() else { return Ok(false) };
                match (key, value.as_str()) {
                    ("name" | "extension" | "mime_type" | "url" | "related_id", Some(value)) => {
                        string_matches(operator, &text_of(file, key)?, value)
                    }
                    ("type" | "transfer_method", _) => {
                        sequence_matches(operator, &text_of(file, key)?, &value)
                    }
                    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
                    ("size", Some(value)) => {
                        number_matches(operator, file.size as f64, number(value)?)
                    }
                    _ => Err(Failure::Reported(format!("Invalid key: {key}"))),
                }
            })
        }
        _ => {
            let Some(value) = filter.value.as_bool() else {
                let message =
                    format!("Boolean filter expects a boolean value, got <class '{class}'>");
                return Err(Failure::Escaped(message));
            };
            keep(items, |item| match operator {
                Operator::Is => Ok(item.as_bool() == Some(value)),
                Operator::IsNot => Ok(item.as_bool() != Some(value)),
                other => Err(invalid_condition(other)),
            })
        }
    }
}

fn keep(
    items: Vec<Value>,
    matches: impl Fn(&Value) -> Result<bool, Failure>,
) -> Result<Vec<Value>, Failure> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if matches(&item)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn invalid_condition(operator: Operator) -> Failure {
    Failure::Reported(format!("Invalid condition: {}", operator.as_str()))
}

fn string_matches(operator: Operator, item: &str, value: &str) -> Result<bool, Failure> {
    Ok(match operator {
        Operator::Contains => item.contains(value),
        Operator::NotContains => !item.contains(value),
        Operator::StartWith => item.starts_with(value),
        Operator::EndWith => item.ends_with(value),
        Operator::Is => item == value,
        Operator::IsNot => item != value,
        Operator::In => value.contains(item),
        Operator::NotIn => !value.contains(item),
        Operator::Empty => item.is_empty(),
        Operator::NotEmpty => !item.is_empty(),
        other => return Err(invalid_condition(other)),
    })
}

fn sequence_matches(operator: Operator, item: &str, value: &Value) -> Result<bool, Failure> {
    let found = match value {
        Value::Array(items) => items.iter().any(|it| it.as_str() == Some(item)),
        other => other.py_str().contains(item),
    };
    match operator {
        Operator::In => Ok(found),
        Operator::NotIn => Ok(!found),
        other => Err(invalid_condition(other)),
    }
}

fn number_matches(operator: Operator, item: f64, value: f64) -> Result<bool, Failure> {
    Ok(match operator {
        Operator::Equal => item == value,
        Operator::NotEqual => item != value,
        Operator::Less => item < value,
        Operator::LessOrEqual => item <= value,
        Operator::Greater => item > value,
        Operator::GreaterOrEqual => item >= value,
        other => return Err(invalid_condition(other)),
    })
}

/// An attribute of a file as text. `url` is the URL the file came from, not a signed one.
fn text_of(file: &File, key: &str) -> Result<String, Failure> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(match key {
        "name" => text(&file.filename),
        "type" => file.r#type.as_str().to_owned(),
        "extension" => text(&file.extension),
        "mime_type" => text(&file.mime_type),
        "transfer_method" => file.transfer_method.as_str().to_owned(),
        "url" => text(&file.remote_url),
        "related_id" => text(&file.related_id),
        _ => return Err(Failure::Reported(format!("Invalid order key: {key}"))),
    })
}

fn sort(order_by: &OrderBy, kind: SegmentType, items: &mut [Value]) -> Result<(), Failure> {
    let directed = |ordering: Ordering| match order_by.value {
        Order::Asc => ordering,
        Order::Desc => ordering.reverse(),
    };
    match kind {
        SegmentType::ArrayString => items.sort_by(|a, b| directed(a.as_str().cmp(&b.as_str()))),
        SegmentType::ArrayFile if order_by.key == "size" => {
            items.sort_by_key(|it| it.as_file().map(|file| file.size));
            if order_by.value == Order::Desc {
                items.sort_by(|a, b| {
                    let size = |it: &Value| it.as_file().map(|file| file.size);
                    size(b).cmp(&size(a))
                });
            }
        }
        SegmentType::ArrayFile => {
            let mut failure = None;
            let mut key = |it: &Value| match it.as_file().map(|file| text_of(file, &order_by.key)) {
                Some(Ok(text)) => text,
                Some(Err(err)) => {
                    failure = Some(err);
                    String::new()
                }
                None => String::new(),
            };
            items.sort_by(|a, b| directed(key(a).cmp(&key(b))));
            // A single file is never compared.
            if let Some(first) = items.first() {
                key(first);
            }
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        _ => items.sort_by(|a, b| {
            directed(a.as_number().partial_cmp(&b.as_number()).unwrap_or(Ordering::Equal))
        }),
    }
    Ok(())
}

/// The Python class that a value of the pool has: error texts name it.
fn class_name(segment: &Segment, is_variable: bool) -> String {
    let name = match segment.kind {
        SegmentType::None => "None",
        SegmentType::String => "String",
        SegmentType::Secret => "Secret",
        SegmentType::Integer | SegmentType::Number => "Integer",
        SegmentType::Float => "Float",
        SegmentType::Boolean => "Boolean",
        SegmentType::Object => "Object",
        SegmentType::File => "File",
        SegmentType::ArrayString => "ArrayString",
        SegmentType::ArrayNumber => "ArrayNumber",
        SegmentType::ArrayObject => "ArrayObject",
        SegmentType::ArrayFile => "ArrayFile",
        SegmentType::ArrayBoolean => "ArrayBoolean",
        SegmentType::ArrayAny | SegmentType::Group => "ArrayAny",
    };
    let (module, suffix) =
        if is_variable { ("variables", "Variable") } else { ("segments", "Segment") };
    format!("<class 'dify_graph.variables.{module}.{name}{suffix}'>")
}

#[async_trait]
impl Node for ListOperator {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let name = py_list_repr(&self.variable);
        let Some(variable) = ctx.pool.get(&self.variable) else {
            return Err(NodeError::new(format!("Variable not found for selector: {name}"), ""));
        };
        if !variable.value.is_truthy() {
            let kind = if variable.kind.is_array() { variable.kind } else { SegmentType::ArrayAny };
            let record = object([("variable", Value::array(Vec::new()))]);
            let result = Segment::new(kind, Value::array(Vec::new()));
            return Ok(output(record, result));
        }
        let supported = matches!(
            variable.kind,
            SegmentType::ArrayFile
                | SegmentType::ArrayNumber
                | SegmentType::ArrayString
                | SegmentType::ArrayBoolean
        );
        if !supported {
            let class = class_name(&variable, self.variable.len() == 2);
            let message = format!("Variable {name} is not an array type, actual type: {class}");
            return Err(NodeError::new(message, ""));
        }
        let shown = match variable.kind {
            SegmentType::ArrayFile => Value::from_json(variable.value.to_json(ctx.pool.urls())),
            _ => variable.value.clone(),
        };
        let record = object([("variable", shown)]);
        match self.apply(ctx, &variable) {
            Ok(result) => Ok(output(record, result)),
            Err(Failure::Reported(message)) => Err(NodeError::new(message, "")
                .with_inputs(record.clone())
                .with_process_data(record)),
            Err(Failure::Escaped(message)) => Err(NodeError::uncaught(message)),
        }
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        IndexMap::from([selector_mapping(node_id, self.variable.clone())])
    }
}

fn output(record: crate::Object, result: Segment) -> Outcome {
    let items = result.value.as_array().unwrap_or_default();
    let (first, last) = (items.first().cloned(), items.last().cloned());
    let mut outputs = Outputs::new();
    outputs.insert("result".to_owned(), result);
    outputs.insert("first_record".to_owned(), Value::from(first).into());
    outputs.insert("last_record".to_owned(), Value::from(last).into());
    NodeOutput { inputs: record.clone(), process_data: record, outputs, ..NodeOutput::default() }
        .into()
}
