//! `template-transform`: renders a Jinja template.

use async_trait::async_trait;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::{
    error::GraphError,
    node::{Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Outcome, Outputs},
    pool::Selector,
    value::{Object, Value, object_to_json},
};

pub(super) struct Transform {
    settings: Settings,
    max_length: usize,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    variables: Vec<Variable>,
    template: String,
}

#[derive(Deserialize)]
struct Variable {
    variable: String,
    #[serde(default)]
    value_selector: Selector,
}

impl Transform {
    pub(super) fn new(config: &NodeConfig, max_length: usize) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, max_length })
    }
}

#[async_trait]
impl Node for Transform {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let variables = self.settings.variables.iter().map(|it| {
            let value = ctx.pool.get(&it.value_selector).map_or(Value::Null, |it| it.value);
            (it.variable.clone(), value)
        });
        let inputs: Object = variables.collect();
        let values = object_to_json(&inputs, ctx.pool.urls());
        let failed = |message: String| NodeError::new(message, "").with_inputs(inputs.clone());
        let rendered = template::jinja::render(&self.settings.template, &values)
            .map_err(|err| failed(err.to_string()))?;
        if rendered.chars().count() > self.max_length {
            return Err(failed(format!("Output length exceeds {} characters", self.max_length)));
        }
        let mut outputs = Outputs::new();
        outputs.insert("output".to_owned(), rendered.into());
        Ok(NodeOutput { inputs, outputs, ..NodeOutput::default() }.into())
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let read = self.settings.variables.iter();
        read.map(|it| (format!("{node_id}.{}", it.variable), it.value_selector.clone())).collect()
    }
}
