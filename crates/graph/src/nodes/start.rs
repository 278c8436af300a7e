//! `start` and the trigger nodes whose outputs are the run's inputs.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value as Json;

use super::system_outputs;
use crate::{
    error::GraphError,
    node::{
        ExecutionKind, Metadata, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Outcome,
        StartInfo,
    },
    segment::Segment,
    value::{Object, Value},
};

/// Only fields of type `json_object` are looked at: the rest was checked when the run was asked
/// for.
#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    variables: Vec<Json>,
}

struct JsonField {
    name: String,
    required: bool,
    schema: Option<jsonschema::Validator>,
}

pub(super) struct Start {
    fields: Vec<JsonField>,
}

impl Start {
    pub(super) fn new(config: &NodeConfig) -> Result<Self, GraphError> {
        let settings: Settings = config.parse()?;
        let mut fields = Vec::new();
        for variable in settings.variables {
            if variable.get("type").and_then(Json::as_str) != Some("json_object") {
                continue;
            }
            let Some(name) = variable.get("variable").and_then(Json::as_str) else { continue };
            let schema = match variable.get("json_schema") {
                Some(Json::Object(schema)) if !schema.is_empty() => {
                    let schema = Json::Object(schema.clone());
                    Some(jsonschema::draft7::new(&schema).map_err(|err| {
                        GraphError::InvalidNode {
                            node_id: config.id.to_string(),
                            message: format!("Invalid JSON schema: {err}"),
                        }
                    })?)
                }
                _ => None,
            };
            let required = variable.get("required").and_then(Json::as_bool) == Some(true);
            fields.push(JsonField { name: name.to_owned(), required, schema });
        }
        Ok(Self { fields })
    }

    fn check(&self, inputs: &Object, ctx: &NodeCtx) -> Result<(), String> {
        for JsonField { name, required, schema } in &self.fields {
            let value = inputs.get(name).unwrap_or(&Value::Null);
            if value.is_null() && *required {
                return Err(format!("{name} is required in input form"));
            }
            if !value.is_truthy() {
                continue;
            }
            if value.as_object().is_none() {
                return Err(format!("JSON object for '{name}' must be an object"));
            }
            let Some(schema) = schema else { continue };
            if let Err(err) = schema.validate(&value.to_json(ctx.pool.urls())) {
                // Python quotes with apostrophes.
                let message = err.to_string().replace('"', "'");
                return Err(format!("JSON object for '{name}' does not match schema: {message}"));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Node for Start {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        self.check(ctx.pool.inputs(), ctx).map_err(NodeError::uncaught)?;
        Ok(inputs_as_outputs(ctx, Metadata::default()).into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Root
    }

    fn is_pure(&self) -> bool {
        true
    }
}

/// `trigger-schedule`, `trigger-plugin`.
pub(super) struct Trigger {
    metadata: Metadata,
    info: StartInfo,
}

#[derive(Deserialize)]
struct PluginTrigger {
    provider_id: String,
    event_name: String,
    plugin_unique_identifier: String,
}

impl Trigger {
    pub(super) fn schedule() -> Self {
        Self { metadata: Metadata::default(), info: StartInfo::default() }
    }

    pub(super) fn plugin(config: &NodeConfig) -> Result<Self, GraphError> {
        let settings: PluginTrigger = config.parse()?;
        let trigger_info = super::object([
            ("provider_id", Value::from(settings.provider_id.as_str())),
            ("event_name", Value::from(settings.event_name)),
            ("plugin_unique_identifier", Value::from(settings.plugin_unique_identifier)),
        ]);
        Ok(Self {
            metadata: Metadata::default().with("trigger_info", trigger_info),
            info: StartInfo { provider_id: Some(settings.provider_id), ..StartInfo::default() },
        })
    }
}

#[async_trait]
impl Node for Trigger {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        Ok(inputs_as_outputs(ctx, self.metadata.clone()).into())
    }

    fn kind(&self) -> ExecutionKind {
        ExecutionKind::Root
    }

    fn is_pure(&self) -> bool {
        true
    }

    fn start_info(&self) -> StartInfo {
        self.info.clone()
    }
}

fn inputs_as_outputs(ctx: &NodeCtx, metadata: Metadata) -> NodeOutput {
    let mut inputs = ctx.pool.inputs().clone();
    inputs.extend(system_outputs(&ctx.pool));
    let outputs = inputs.iter().map(|(name, it)| (name.clone(), Segment::from(it.clone())));
    NodeOutput { outputs: outputs.collect(), inputs, metadata, ..NodeOutput::default() }
}
