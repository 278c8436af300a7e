//! `tool`: calls a tool of a plugin, an API, a workflow or an MCP server.

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    GraphError, Node, NodeConfig, NodeCtx, NodeError, Object, Outcome, StartInfo, Value,
    pool::Selector,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    common::{Input, InputKind, nullable, template_entries},
    ports::{Ports, ToolCall},
};

/// A node that calls a tool.
pub(crate) struct Tool {
    settings: Settings,
    is_templated: bool,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    provider_id: String,
    provider_type: String,
    #[serde(default, deserialize_with = "nullable")]
    provider_name: String,
    tool_name: String,
    #[serde(default, deserialize_with = "nullable")]
    tool_configurations: Map<String, Json>,
    #[serde(default, deserialize_with = "nullable")]
    tool_parameters: IndexMap<String, Option<Input>>,
    #[serde(default)]
    credential_id: Option<String>,
    #[serde(default)]
    plugin_unique_identifier: Option<String>,
    #[serde(default)]
    tool_node_version: Option<Json>,
}

impl Tool {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        let settings: Settings = config.parse()?;
        let named = settings.tool_node_version.as_ref().is_some_and(|version| !version.is_null());
        Ok(Self { is_templated: &*config.version != "1" || named, settings, ports })
    }

    /// The arguments, their templates rendered, and the variables that are not there.
    fn parameters(&self, ctx: &NodeCtx) -> (Object, IndexMap<String, Selector>) {
        let mut parameters = Object::new();
        let mut missing = IndexMap::new();
        for (name, parameter) in &self.settings.tool_parameters {
            let Some(parameter) = parameter.as_ref().filter(|it| !it.value.is_null()) else {
                continue;
            };
            let value = match parameter.r#type {
                InputKind::Variable => {
                    let selector = parameter.selector();
                    let Some(found) = ctx.pool.get(&selector) else {
                        missing.insert(name.clone(), selector);
                        continue;
                    };
                    found.value
                }
                InputKind::Mixed | InputKind::Constant => {
                    Value::from(ctx.pool.render(&parameter.text()))
                }
            };
            parameters.insert(name.clone(), value);
        }
        (parameters, missing)
    }
}

#[async_trait]
impl Node for Tool {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        let (parameters, missing) = self.parameters(ctx);
        let call = ToolCall {
            ctx,
            provider_type: &settings.provider_type,
            provider_id: &settings.provider_id,
            provider_name: &settings.provider_name,
            tool_name: &settings.tool_name,
            credential_id: settings.credential_id.as_deref(),
            plugin_unique_identifier: settings.plugin_unique_identifier.as_deref(),
            configurations: &settings.tool_configurations,
            is_templated: self.is_templated,
            parameters,
            missing,
        };
        self.ports.tools.call(call).await
    }

    fn retryable(&self) -> bool {
        true
    }

    fn start_info(&self) -> StartInfo {
        StartInfo {
            provider_type: Some(self.settings.provider_type.clone()),
            provider_id: Some(self.settings.provider_id.clone()),
            agent_strategy: None,
        }
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        for parameter in self.settings.tool_parameters.values().flatten() {
            match parameter.r#type {
                InputKind::Mixed => mapping.extend(template_entries(node_id, &parameter.text())),
                InputKind::Variable => {
                    let selector = parameter.selector();
                    mapping.insert(format!("{node_id}.#{}#", selector.join(".")), selector);
                }
                InputKind::Constant => {}
            }
        }
        mapping
    }
}
