//! `end`: names the outputs of a workflow.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;

use super::selector_mapping;
use crate::{
    node::{ExecutionKind, Node, NodeCtx, NodeError, NodeOutput, Outcome, TemplatePart},
    pool::Selector,
    segment::Segment,
    value::{Object, Value},
};

#[derive(Deserialize)]
pub(super) struct End {
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    variable: String,
    #[serde(default)]
    value_selector: Selector,
}

#[async_trait]
impl Node for End {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let values = self.outputs.iter().map(|it| {
            let value = ctx.pool.get(&it.value_selector).map_or(Value::Null, |it| it.value);
            (it.variable.clone(), value)
        });
        let inputs: Object = values.collect();
        let outputs = inputs.iter().map(|(name, it)| (name.clone(), Segment::from(it.clone())));
        Ok(NodeOutput { outputs: outputs.collect(), inputs, ..NodeOutput::default() }.into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Response
    }

    fn is_pure(&self) -> bool {
        true
    }

    /// The outputs one after the other, a line break between.
    fn response_template(&self) -> Option<Vec<TemplatePart>> {
        let mut parts = Vec::new();
        for (index, output) in self.outputs.iter().enumerate() {
            if index > 0 {
                parts.push(TemplatePart::Text("\n".to_owned()));
            }
            if !output.value_selector.is_empty() {
                parts.push(TemplatePart::Variable(output.value_selector.clone()));
            }
        }
        if matches!(parts.last(), Some(TemplatePart::Text(_))) {
            parts.pop();
        }
        Some(parts)
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let read = self.outputs.iter().map(|it| it.value_selector.clone());
        read.filter(|it| it.len() >= 2).map(|it| selector_mapping(node_id, it)).collect()
    }
}
