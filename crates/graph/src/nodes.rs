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

type Build = fn(&PureNodes, &NodeConfig) -> Result<Arc<dyn Node>, GraphError>;

/// Every type of node this factory knows.
const TYPES: [(&str, Build); 12] = [
    ("start", |_, config| Ok(Arc::new(start::Start::new(config)?))),
    ("trigger-schedule", |_, _| Ok(Arc::new(start::Trigger::schedule()))),
    ("trigger-plugin", |_, config| Ok(Arc::new(start::Trigger::plugin(config)?))),
    ("trigger-webhook", |_, config| Ok(Arc::new(config.parse::<webhook::Webhook>()?))),
    ("end", |_, config| Ok(Arc::new(config.parse::<end::End>()?))),
    ("answer", |_, config| Ok(Arc::new(config.parse::<answer::Answer>()?))),
    ("if-else", |_, config| Ok(Arc::new(config.parse::<if_else::IfElse>()?))),
    ("variable-aggregator", |_, config| Ok(Arc::new(config.parse::<aggregator::Aggregator>()?))),
    ("assigner", |_, config| {
        if &*config.version == "1" {
            return Ok(Arc::new(config.parse::<assigner::Assigner>()?));
        }
        Ok(Arc::new(assigner_v2::Assigner::new(config)?))
    }),
    ("list-operator", |_, config| Ok(Arc::new(config.parse::<list_operator::ListOperator>()?))),
    ("template-transform", |nodes, config| {
        Ok(Arc::new(template_transform::Transform::new(config, nodes.template_max_length)?))
    }),
    ("human-input", |nodes, config| {
        Ok(Arc::new(human_input::HumanInput::new(config, Arc::clone(&nodes.forms))?))
    }),
];

impl PureNodes {
    /// The types of nodes this factory knows.
    pub fn types() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(name, _)| *name)
    }
}

impl NodeFactory for PureNodes {
    fn create(&self, config: &NodeConfig) -> Result<Option<Arc<dyn Node>>, GraphError> {
        let known = TYPES.iter().find(|(name, _)| *name == &*config.node_type);
        known.map(|(_, build)| build(self, config)).transpose()
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
