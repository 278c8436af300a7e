//! `assigner`, version 1: writes one variable.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;

use super::{object, selector_mapping};
use crate::{
    node::{Node, NodeCtx, NodeError, NodeOutput, Outcome},
    pool::{CONVERSATION, Selector},
    segment::Segment,
    value::{Object, Value},
};

#[derive(Deserialize)]
pub(super) struct Assigner {
    assigned_variable_selector: Selector,
    write_mode: WriteMode,
    #[serde(default)]
    input_variable_selector: Selector,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WriteMode {
    OverWrite,
    Append,
    Clear,
}

/// The entry of a changed variable in `__updated_variables` of the process data.
pub(super) fn updated(selector: &[String], segment: &Segment) -> Value {
    let name = selector.get(1).map_or("", String::as_str);
    let selector = selector.iter().take(2).map(|it| Value::from(it.as_str())).collect();
    Value::object(object([
        ("name", Value::from(name)),
        ("selector", selector),
        ("value_type", Value::from(segment.kind.as_str())),
        ("new_value", segment.value.clone()),
    ]))
}

/// The key of the changed variables in the process data.
pub(super) const UPDATED: &str = "__updated_variables";

impl Assigner {
    /// What comes in, and what the variable becomes.
    fn assign(&self, ctx: &NodeCtx) -> Result<(Value, Segment), String> {
        let original = match self.assigned_variable_selector.as_slice() {
            // Parts of variables cannot be assigned.
            [node, name] => ctx.pool.variable(node, name),
            _ => None,
        };
        let original = original.ok_or("assigned variable not found")?;
        let income = || {
            let income = ctx.pool.get(&self.input_variable_selector);
            income.map(|it| it.value).ok_or("input value not found")
        };
        Ok(match self.write_mode {
            WriteMode::OverWrite => {
                let income = income()?;
                (income.clone(), Segment::new(original.kind, income))
            }
            WriteMode::Append => {
                let income = income()?;
                let items = original.value.as_array().ok_or_else(|| {
                    let kind = original.value.py_type();
                    format!("can only concatenate {kind} (not \"list\") to {kind}")
                })?;
                let mut items = items.to_vec();
                items.push(income.clone());
                (income, Segment::new(original.kind, Value::array(items)))
            }
            WriteMode::Clear => {
                let kind = original.kind;
                let zero = kind.zero().ok_or(format!("unsupported variable type: {kind}"))?;
                (zero.value.clone(), Segment::new(kind, zero.value))
            }
        })
    }
}

#[async_trait]
impl Node for Assigner {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let (income, segment) = self.assign(ctx).map_err(NodeError::uncaught)?;
        let selector = &self.assigned_variable_selector;
        let mut process_data = Object::new();
        process_data.insert(UPDATED.to_owned(), Value::array(vec![updated(selector, &segment)]));
        Ok(NodeOutput {
            inputs: object([("value", income)]),
            process_data,
            writes: vec![(selector.clone(), segment)],
            ..NodeOutput::default()
        }
        .into())
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn writes(&self, selectors: &[Selector]) -> bool {
        selectors.contains(&self.assigned_variable_selector)
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        let assigned = &self.assigned_variable_selector;
        if assigned.first().is_some_and(|first| first == CONVERSATION) {
            mapping.extend([selector_mapping(node_id, assigned.clone())]);
        }
        mapping.extend([selector_mapping(node_id, self.input_variable_selector.clone())]);
        mapping
    }
}
