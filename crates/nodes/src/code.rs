//! `code`: runs code that users wrote.

mod check;
mod embedded;
mod run;

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs,
    Segment, SegmentType, Value, pool::Selector, value::object_to_json,
};
use indexmap::IndexMap;
use serde::Deserialize;

pub use check::CodeLimits;
pub use embedded::Embedded;
pub use run::{CodeError, CodeRunner, Language, SandboxService};

use crate::{
    common::{NamedVariable, nullable},
    ports::Ports,
};

/// A node that runs code.
pub(crate) struct Code {
    settings: Settings,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(deserialize_with = "nullable")]
    variables: Vec<NamedVariable>,
    code_language: Language,
    code: String,
    #[serde(deserialize_with = "nullable")]
    outputs: IndexMap<String, check::Output>,
}

impl Code {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, ports })
    }

    fn inputs(&self, ctx: &NodeCtx) -> Object {
        let variables = self.settings.variables.iter().map(|it| {
            let found = ctx.pool.get(&it.value_selector);
            // An empty list of files is handed over as nothing.
            let found = found
                .filter(|found| found.kind != SegmentType::ArrayFile || found.value.is_truthy());
            (it.variable.clone(), found.map_or(Value::Null, |it| it.value))
        });
        variables.collect()
    }
}

#[async_trait]
impl Node for Code {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        let inputs = self.inputs(ctx);
        let arguments = object_to_json(&inputs, ctx.pool.urls());
        let result = self.ports.code.run(settings.code_language, &settings.code, arguments).await;
        let checked =
            result.map_err(|err| NodeError::new(err.0, "CodeExecutionError")).and_then(|result| {
                check::checked(result, &settings.outputs, &self.ports.code_limits)
                    .map_err(check::Invalid::into_error)
            });
        let values = match checked {
            Ok(values) => values,
            // Recorded with inputs, except what the reference does not catch.
            Err(err) if err.error_type == "WorkflowNodeError" => return Err(err),
            Err(err) => return Err(err.with_inputs(inputs)),
        };
        let outputs: Outputs =
            values.into_iter().map(|(name, value)| (name, Segment::from(value))).collect();
        Ok(NodeOutput { inputs, outputs, ..NodeOutput::default() }.into())
    }

    fn retryable(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let read = self.settings.variables.iter();
        read.map(|it| (format!("{node_id}.{}", it.variable), it.value_selector.clone())).collect()
    }
}
