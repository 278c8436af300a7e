//! `assigner`, version 2: a list of operations on variables.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    assigner::{UPDATED, updated},
    selector_mapping,
};
use crate::{
    error::GraphError,
    node::{Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Outcome},
    pool::{CONVERSATION, Selector, VariablePool},
    segment::{Segment, SegmentType},
    value::{Object, Value, py_list_repr},
};

pub(super) struct Assigner {
    items: Vec<Item>,
    /// The node's settings, recorded as its inputs.
    record: Object,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    variable_selector: Selector,
    input_type: InputType,
    operation: Operation,
    #[serde(default)]
    value: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum InputType {
    Variable,
    Constant,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Operation {
    #[serde(rename = "over-write")]
    OverWrite,
    #[serde(rename = "clear")]
    Clear,
    #[serde(rename = "append")]
    Append,
    #[serde(rename = "extend")]
    Extend,
    #[serde(rename = "set")]
    Set,
    #[serde(rename = "+=")]
    Add,
    #[serde(rename = "-=")]
    Subtract,
    #[serde(rename = "*=")]
    Multiply,
    #[serde(rename = "/=")]
    Divide,
    #[serde(rename = "remove-first")]
    RemoveFirst,
    #[serde(rename = "remove-last")]
    RemoveLast,
}

/// The node's `retry_config` with everything it leaves out.
fn retry_config(config: &NodeConfig) -> Json {
    let given = config.data.get("retry_config");
    let entry = |key: &str, default: Json| {
        let value = given.and_then(|it| it.get(key)).cloned();
        (key.to_owned(), value.filter(|it| !it.is_null()).unwrap_or(default))
    };
    let entries = [
        entry("max_retries", Json::from(0)),
        entry("retry_interval", Json::from(0)),
        entry("retry_enabled", Json::from(false)),
    ];
    Json::Object(entries.into_iter().collect())
}

/// Failures the node reports, or that escape it.
enum Failure {
    Reported(String),
    Escaped(String),
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::OverWrite => "over-write",
            Self::Clear => "clear",
            Self::Append => "append",
            Self::Extend => "extend",
            Self::Set => "set",
            Self::Add => "+=",
            Self::Subtract => "-=",
            Self::Multiply => "*=",
            Self::Divide => "/=",
            Self::RemoveFirst => "remove-first",
            Self::RemoveLast => "remove-last",
        }
    }

    fn is_arithmetic(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide)
    }

    fn needs_value(self) -> bool {
        !matches!(self, Self::Clear | Self::RemoveFirst | Self::RemoveLast)
    }

    fn supports(self, kind: SegmentType) -> bool {
        match self {
            Self::OverWrite | Self::Clear => true,
            Self::Set => {
                kind.is_number()
                    || matches!(
                        kind,
                        SegmentType::Object | SegmentType::String | SegmentType::Boolean
                    )
            }
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide => kind.is_number(),
            Self::Append | Self::Extend | Self::RemoveFirst | Self::RemoveLast => kind.is_array(),
        }
    }

    fn takes_variable(self) -> bool {
        self != Self::Set && !self.is_arithmetic()
    }

    fn takes_constant(self, kind: SegmentType) -> bool {
        let set = matches!(self, Self::OverWrite | Self::Set);
        match kind {
            SegmentType::String | SegmentType::Object | SegmentType::Boolean => set,
            kind if kind.is_number() => set || self.is_arithmetic(),
            _ => false,
        }
    }

    fn accepts(self, kind: SegmentType, value: &Value) -> bool {
        if !self.needs_value() {
            return true;
        }
        let any = |it: &Value| {
            matches!(
                it,
                Value::String(_)
                    | Value::Int(_)
                    | Value::Float(_)
                    | Value::Bool(_)
                    | Value::Object(_)
            )
        };
        match kind {
            SegmentType::String | SegmentType::Boolean | SegmentType::Object => kind.accepts(value),
            kind if kind.is_number() => {
                value.as_number().is_some_and(|number| self != Self::Divide || number != 0.0)
            }
            SegmentType::ArrayFile => false,
            kind => {
                let element = |it: &Value| kind.element().map_or(any(it), |kind| kind.accepts(it));
                match self {
                    Self::Append => element(value),
                    Self::Extend | Self::OverWrite => {
                        value.as_array().is_some_and(|items| items.iter().all(element))
                    }
                    _ => false,
                }
            }
        }
    }
}

impl Assigner {
    pub(super) fn new(config: &NodeConfig) -> Result<Self, GraphError> {
        let Settings { items } = config.parse()?;
        let mut record = serde_json::Map::new();
        record.insert("type".to_owned(), Json::from(&*config.node_type));
        record.insert("title".to_owned(), Json::from(&*config.title));
        for key in ["desc", "error_strategy", "default_value"] {
            let value = config.data.get(key).cloned().unwrap_or_default();
            record.insert(key.to_owned(), value);
        }
        record.insert("version".to_owned(), Json::from(&*config.version));
        record.insert("retry_config".to_owned(), retry_config(config));
        record.insert("items".to_owned(), serde_json::to_value(&items).unwrap_or_default());
        let record = record.into_iter().map(|(key, it)| (key, Value::from_json(it))).collect();
        Ok(Self { items, record })
    }

    /// Applies the operations to `pool`; the variables they changed, each once.
    fn apply(&self, pool: &mut VariablePool) -> Result<Vec<Selector>, Failure> {
        let mut changed: Vec<Selector> = Vec::new();
        for item in &self.items {
            if let Some(segment) = apply_item(pool, item)? {
                pool.set_selector(&item.variable_selector, segment);
                if !changed.contains(&item.variable_selector) {
                    changed.push(item.variable_selector.clone());
                }
            }
        }
        Ok(changed)
    }
}

/// What the variable of an item becomes; nothing if it stays.
fn apply_item(pool: &VariablePool, item: &Item) -> Result<Option<Segment>, Failure> {
    let not_found = |selector: String| Failure::Reported(format!("Variable {selector} not found"));
    let variable = match item.variable_selector.as_slice() {
        [node, name] => pool.variable(node, name),
        _ => None,
    };
    let variable = variable.ok_or_else(|| not_found(py_list_repr(&item.variable_selector)))?;
    let (kind, operation) = (variable.kind, item.operation);
    let name = operation.as_str();
    if !operation.supports(kind) {
        let message = format!("Operation {name} is not supported for type {kind}");
        return Err(Failure::Reported(message));
    }
    let unsupported = |input: &str| {
        let message = format!("Input type {input} is not supported for operation {name}");
        Err(Failure::Reported(message))
    };
    if item.input_type == InputType::Variable && !operation.takes_variable() {
        return unsupported("variable");
    }
    if item.input_type == InputType::Constant && !operation.takes_constant(kind) {
        return unsupported("constant");
    }
    let mut value = item.value.clone();
    let by_reference = item.input_type == InputType::Variable;
    if by_reference && operation.needs_value() && !value.is_null() {
        let selector: Option<Selector> = value
            .as_array()
            .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        let source = selector.and_then(|selector| pool.get(&selector));
        let source = source.ok_or_else(|| not_found(value.py_str()))?;
        if source.kind == SegmentType::None {
            return Ok(None);
        }
        value = source.value;
    }
    let invalid =
        |value: &Value| Failure::Reported(format!("Invalid input value {}", value.py_str()));
    if operation == Operation::Set
        && kind == SegmentType::Object
        && let Value::String(text) = &value
    {
        value = serde_json::from_str(text).map(Value::from_json).map_err(|_| invalid(&value))?;
    }
    if !operation.accepts(kind, &value) {
        return Err(invalid(&value));
    }
    let result = operate(variable, operation, value).map_err(Failure::Escaped)?;
    Ok(Some(Segment::new(kind, result)))
}

fn operate(variable: &Segment, operation: Operation, value: Value) -> Result<Value, String> {
    let current = || variable.value.as_array().unwrap_or_default();
    Ok(match operation {
        Operation::OverWrite | Operation::Set => value,
        Operation::Clear => {
            let kind = variable.kind;
            kind.zero().ok_or(format!("unsupported variable type: {kind}"))?.value
        }
        Operation::Append => current().iter().cloned().chain([value]).collect(),
        Operation::Extend => {
            let added = value.as_array().unwrap_or_default();
            current().iter().chain(added).cloned().collect()
        }
        Operation::Add | Operation::Subtract | Operation::Multiply | Operation::Divide => {
            calculate(&variable.value, operation, &value)
        }
        Operation::RemoveFirst => current().iter().skip(1).cloned().collect(),
        Operation::RemoveLast => {
            let kept = current().len().saturating_sub(1);
            current().iter().take(kept).cloned().collect()
        }
    })
}

/// Python's arithmetic: division gives floats, integers stay integers otherwise.
fn calculate(left: &Value, operation: Operation, right: &Value) -> Value {
    let integer = |it: &Value| match it {
        Value::Bool(value) => Some(i64::from(*value)),
        other => other.as_int(),
    };
    if let (Some(left), Some(right)) = (integer(left), integer(right)) {
        let exact = match operation {
            Operation::Add => left.checked_add(right),
            Operation::Subtract => left.checked_sub(right),
            Operation::Multiply => left.checked_mul(right),
            _ => None,
        };
        if let Some(exact) = exact {
            return Value::Int(exact);
        }
    }
    let left = left.as_number().unwrap_or_default();
    let right = right.as_number().unwrap_or_default();
    Value::Float(match operation {
        Operation::Add => left + right,
        Operation::Subtract => left - right,
        Operation::Multiply => left * right,
        _ => left / right,
    })
}

#[async_trait]
impl Node for Assigner {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        // Later operations see what earlier ones did.
        let mut pool = (*ctx.pool).clone();
        let changed = self.apply(&mut pool).map_err(|failure| match failure {
            Failure::Reported(message) => {
                NodeError::new(message, "").with_inputs(self.record.clone())
            }
            Failure::Escaped(message) => NodeError::uncaught(message),
        })?;
        let mut process_data = Object::new();
        let (mut entries, mut writes) = (Vec::new(), Vec::new());
        for selector in changed {
            let Some(segment) = pool.get(&selector) else { continue };
            if let Some(name) = selector.get(1) {
                process_data.insert(name.clone(), segment.value.clone());
            }
            entries.push(updated(&selector, &segment));
            writes.push((selector, segment));
        }
        process_data.insert(UPDATED.to_owned(), Value::array(entries));
        Ok(NodeOutput {
            inputs: self.record.clone(),
            process_data,
            writes,
            ..NodeOutput::default()
        }
        .into())
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn writes(&self, selectors: &[Selector]) -> bool {
        self.items.iter().any(|item| selectors.contains(&item.variable_selector))
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        for item in &self.items {
            let target = &item.variable_selector;
            if target.first().is_some_and(|first| first == CONVERSATION) {
                mapping.extend([selector_mapping(node_id, target.clone())]);
            }
            let source: Option<Selector> = item.value.as_array().and_then(|items| {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            });
            if let Some(source) = source.filter(|it| it.len() >= 2)
                && item.input_type == InputType::Variable
            {
                mapping.extend([selector_mapping(node_id, source)]);
            }
        }
        mapping
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(variable: Json, item: Json) -> Result<String, String> {
        let mut pool = VariablePool::default();
        pool.set("conversation", "v", variable);
        pool.set("n", "x", json!([1, 2]));
        pool.set("n", "none", json!(null));
        let mut item = item;
        item["variable_selector"] = json!(["conversation", "v"]);
        let item: Item = serde_json::from_value(item).unwrap();
        match apply_item(&pool, &item) {
            Ok(Some(segment)) => Ok(segment.value.py_json(false)),
            Ok(None) => Ok("unchanged".to_owned()),
            Err(Failure::Reported(message) | Failure::Escaped(message)) => Err(message),
        }
    }

    #[test]
    fn operations() {
        let constant = |operation: &str, value: Json| json!({"input_type": "constant", "operation": operation, "value": value});
        let variable = |operation: &str, value: Json| json!({"input_type": "variable", "operation": operation, "value": value});
        let ok = [
            (json!(1), constant("+=", json!(2)), "3"),
            (json!(1), constant("+=", json!(0.5)), "1.5"),
            (json!(4), constant("/=", json!(2)), "2.0"),
            (json!(i64::MAX), constant("+=", json!(1)), "9.223372036854776e+18"),
            (json!("a"), constant("set", json!("b")), "\"b\""),
            (json!({}), constant("set", json!("{\"a\": 1}")), "{\"a\": 1}"),
            (json!("a"), variable("clear", json!(null)), "\"\""),
            (json!([1]), variable("extend", json!(["n", "x"])), "[1, 1, 2]"),
            (json!([1, 2, 3]), variable("remove-first", json!(null)), "[2, 3]"),
            (json!([1, 2, 3]), variable("remove-last", json!(null)), "[1, 2]"),
            (json!([1]), variable("append", json!(["n", "none"])), "unchanged"),
        ];
        for (start, item, expected) in ok {
            assert_eq!(check(start, item.clone()).as_deref(), Ok(expected), "{item}");
        }
        let failures = [
            (json!("a"), constant("+=", json!(1)), "Operation += is not supported for type string"),
            (
                json!(1),
                variable("+=", json!(["n", "x"])),
                "Input type variable is not supported for operation +=",
            ),
            (
                json!([1]),
                constant("clear", json!(null)),
                "Input type constant is not supported for operation clear",
            ),
            (json!(1), constant("/=", json!(0)), "Invalid input value 0"),
            (json!([1]), variable("append", json!(["n", "y"])), "Variable ['n', 'y'] not found"),
            (json!([1]), variable("append", json!(["n", "x"])), "Invalid input value [1, 2]"),
        ];
        for (start, item, expected) in failures {
            assert_eq!(check(start, item.clone()), Err(expected.to_owned()), "{item}");
        }
    }
}
