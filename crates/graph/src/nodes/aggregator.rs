//! `variable-aggregator`: the first of several variables that exists.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;

use super::object;
use crate::{
    node::{Node, NodeCtx, NodeError, NodeOutput, Outcome, Outputs},
    pool::Selector,
    segment::Segment,
    value::{Object, Value},
};

#[derive(Deserialize)]
pub(super) struct Aggregator {
    #[serde(default)]
    variables: Vec<Selector>,
    #[serde(default)]
    advanced_settings: Option<Advanced>,
}

#[derive(Deserialize)]
struct Advanced {
    #[serde(default)]
    group_enabled: bool,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    group_name: String,
    #[serde(default)]
    variables: Vec<Selector>,
}

impl Aggregator {
    fn groups(&self) -> Option<&[Group]> {
        let advanced = self.advanced_settings.as_ref().filter(|it| it.group_enabled)?;
        Some(&advanced.groups)
    }
}

#[async_trait]
impl Node for Aggregator {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let first = |variables: &[Selector]| {
            variables.iter().find_map(|it| {
                let name = it.iter().skip(1).cloned().collect::<Vec<_>>().join(".");
                Some((name, ctx.pool.get(it)?))
            })
        };
        let (mut inputs, mut outputs) = (Object::new(), Outputs::new());
        match self.groups() {
            None => {
                if let Some((name, found)) = first(&self.variables) {
                    inputs.insert(name, found.value.clone());
                    outputs.insert("output".to_owned(), found);
                }
            }
            Some(groups) => {
                for group in groups {
                    let Some((name, found)) = first(&group.variables) else { continue };
                    inputs.insert(name, found.value.clone());
                    let output = Value::object(object([("output", found.value)]));
                    outputs.insert(group.group_name.clone(), Segment::from(output));
                }
            }
        }
        Ok(NodeOutput { inputs, outputs, ..NodeOutput::default() }.into())
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let grouped = self.groups().unwrap_or_default().iter().flat_map(|it| &it.variables);
        let all = self.variables.iter().chain(grouped);
        all.filter(|it| it.len() >= 2)
            .map(|it| super::selector_mapping(node_id, it.clone()))
            .collect()
    }
}
