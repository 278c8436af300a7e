//! The nodes that only compute, one file each.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::{
    error::GraphError,
    node::{Node, NodeConfig, NodeFactory},
    pause::Forms,
    pool::{SYSTEM, Selector, VariablePool},
    value::{Object, Value},
};

mod aggregator;
mod answer;
mod assigner;
mod assigner_v2;
mod end;
mod human_input;
mod if_else;
mod list_operator;
pub(crate) mod passive;
mod start;
mod template_transform;
mod webhook;

pub use human_input::{FormSettings, TimeoutUnit, render_with_outputs, validate_submission};

/// Builds the nodes of this crate: start and trigger nodes, end, answer, if-else,
/// variable-aggregator, assigner, list-operator, template-transform, human-input.
pub struct PureNodes {
    /// Longest output of a template-transform node in characters (`TEMPLATE_TRANSFORM_MAX_LENGTH`).
    pub template_max_length: usize,
    /// Where human-input nodes keep their forms.
    pub forms: Arc<dyn Forms>,
}

impl NodeFactory for PureNodes {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        Ok(Some(match &*config.node_type {
            "start" => Arc::new(start::Start::new(config)?),
            "trigger-schedule" => Arc::new(start::Trigger::schedule()),
            "trigger-plugin" => Arc::new(start::Trigger::plugin(config)?),
            "trigger-webhook" => Arc::new(config.parse::<webhook::Webhook>()?),
            "end" => Arc::new(config.parse::<end::End>()?),
            "answer" => Arc::new(config.parse::<answer::Answer>()?),
            "if-else" => Arc::new(config.parse::<if_else::IfElse>()?),
            "variable-aggregator" => Arc::new(config.parse::<aggregator::Aggregator>()?),
            "assigner" if &*config.version == "1" => {
                Arc::new(config.parse::<assigner::Assigner>()?)
            }
            "assigner" => Arc::new(assigner_v2::Assigner::new(config)?),
            "list-operator" => Arc::new(config.parse::<list_operator::ListOperator>()?),
            "template-transform" => {
                Arc::new(template_transform::Transform::new(config, self.template_max_length)?)
            }
            "human-input" => {
                Arc::new(human_input::HumanInput::new(config, Arc::clone(&self.forms))?)
            }
            _ => return Ok(None),
        }))
    }
}

/// The system variables as outputs of start nodes: `sys.<name>`.
pub(crate) fn system_outputs(pool: &VariablePool) -> impl Iterator<Item = (String, Value)> {
    pool.system().entries().into_iter().map(|(name, it)| (format!("{SYSTEM}.{name}"), it))
}

/// What `{{#…#}}` in a template reads, as a node's variable mapping.
pub(crate) fn template_mapping(node_id: &str, template: &str) -> IndexMap<String, Selector> {
    let selectors = template::variable::selectors(template).into_iter();
    selectors.map(|selector| selector_mapping(node_id, selector)).collect()
}

/// One entry `"{node}.#{a.b}#"` of a node's variable mapping.
pub(crate) fn selector_mapping(node_id: &str, selector: Selector) -> (String, Selector) {
    (format!("{node_id}.#{}#", selector.join(".")), selector)
}

/// Named values from pairs.
pub(crate) fn object<const N: usize>(entries: [(&str, Value); N]) -> Object {
    entries.into_iter().map(|(key, it)| (key.to_owned(), it)).collect()
}
