//! `if-else`: leaves by the first case whose conditions hold.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{object, selector_mapping};
use crate::{
    condition::{Condition, Evaluation, Logic, evaluate},
    node::{ExecutionKind, Node, NodeCtx, NodeError, NodeOutput, Outcome, Outputs},
    pool::Selector,
    value::Value,
};

#[derive(Deserialize)]
pub(super) struct IfElse {
    #[serde(default)]
    cases: Option<Vec<Case>>,
    /// Graphs from before there were cases.
    #[serde(default)]
    logical_operator: Option<Logic>,
    #[serde(default)]
    conditions: Option<Vec<Condition>>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    case_id: String,
    logical_operator: Logic,
    conditions: Vec<Condition>,
}

/// What goes into the record.
#[derive(Default)]
struct Record {
    conditions: Vec<Value>,
    groups: Vec<Value>,
}

impl IfElse {
    /// The selected case, and whether its conditions hold.
    fn select(&self, ctx: &NodeCtx, record: &mut Record) -> Result<(String, bool), String> {
        let Some(cases) = self.cases.as_ref().filter(|cases| !cases.is_empty()) else {
            let conditions = self.conditions.as_deref().unwrap_or_default();
            let logic = self.logical_operator.unwrap_or_default();
            let it = evaluate(&ctx.pool, conditions, logic).map_err(|err| err.message)?;
            let holds = it.holds;
            record.add(Value::from("default"), it);
            return Ok((holds.to_string(), holds));
        };
        for case in cases {
            let it = evaluate(&ctx.pool, &case.conditions, case.logical_operator)
                .map_err(|err| err.message)?;
            let holds = it.holds;
            let group = serde_json::to_value(case).unwrap_or_default();
            record.add(Value::from_json(group), it);
            if holds {
                return Ok((case.case_id.clone(), true));
            }
        }
        Ok(("false".to_owned(), false))
    }
}

impl Record {
    fn add(&mut self, group: Value, it: Evaluation) {
        let results = it.results.into_iter().map(Value::from).collect();
        self.conditions = it.inputs;
        self.groups.push(Value::object(object([
            ("group", group),
            ("results", results),
            ("final_result", Value::from(it.holds)),
        ])));
    }
}

#[async_trait]
impl Node for IfElse {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let mut record = Record::default();
        let selected = self.select(ctx, &mut record);
        let process_data = object([("condition_results", Value::array(record.groups))]);
        let (case, holds) = match selected {
            Ok(selected) => selected,
            Err(message) => {
                let inputs = object([("conditions", Value::array(Vec::new()))]);
                return Err(NodeError::new(message, "")
                    .with_inputs(inputs)
                    .with_process_data(process_data));
            }
        };
        let mut outputs = Outputs::new();
        outputs.insert("result".to_owned(), holds.into());
        outputs.insert("selected_case_id".to_owned(), case.as_str().into());
        let handle = if case.is_empty() { "false".to_owned() } else { case };
        Ok(NodeOutput {
            inputs: object([("conditions", Value::array(record.conditions))]),
            process_data,
            outputs,
            handle: Some(handle),
            ..NodeOutput::default()
        }
        .into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Branch
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let cases = self.cases.iter().flatten().flat_map(|case| &case.conditions);
        cases.map(|it| selector_mapping(node_id, it.variable_selector.clone())).collect()
    }
}
