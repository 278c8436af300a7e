//! `agent`: runs an agent strategy of a plugin.

mod parameter;
mod speech;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::future::try_join_all;
use graph::{
    GraphError, Metadata, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome,
    RunInfo, StartInfo, Value, pool::Selector,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use self::speech::Listener;
use crate::{
    common::{Fail, Input, InputKind, MemoryConfig, short_history, template_entries},
    ports::{
        Ports,
        agent::{AgentStrategy, AgentTool},
    },
};

/// What strategies know models to be able to do; newer features confuse those written before.
const OLD_FEATURES: [&str; 8] = [
    "tool-call",
    "multi-tool-call",
    "agent-thought",
    "vision",
    "stream-tool-call",
    "document",
    "video",
    "audio",
];

/// A node that runs an agent strategy.
pub(crate) struct Agent {
    settings: Settings,
    is_templated: bool,
    ports: Arc<Ports>,
    /// The picture of the strategy's provider, once it was looked up.
    icon: OnceLock<Option<String>>,
}

#[derive(Deserialize)]
struct Settings {
    agent_strategy_provider_name: String,
    agent_strategy_name: String,
    #[serde(rename = "agent_strategy_label")]
    _label: String,
    agent_parameters: IndexMap<String, Input>,
    #[serde(default)]
    memory: Option<MemoryConfig>,
    #[serde(default)]
    tool_node_version: Option<Json>,
}

/// What a strategy is given, and what is recorded of it.
struct Given {
    parameters: Object,
    shown: Object,
    tool_credentials: Map<String, Json>,
}

impl Agent {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        let settings: Settings = config.parse()?;
        let named = settings.tool_node_version.as_ref().is_some_and(|version| !version.is_null());
        let is_templated = &*config.version != "1" || named;
        Ok(Self { settings, is_templated, ports, icon: OnceLock::new() })
    }

    fn icon(&self) -> Option<&str> {
        self.icon.get()?.as_deref()
    }

    async fn given(&self, ctx: &NodeCtx, strategy: &dyn AgentStrategy) -> Result<Given, NodeError> {
        let declared: IndexMap<&str, &str> = strategy.parameters().into_iter().collect();
        let mut given =
            Given { parameters: Object::new(), shown: Object::new(), tool_credentials: Map::new() };
        for (name, input) in &self.settings.agent_parameters {
            let Some(kind) = declared.get(name.as_str()) else {
                given.parameters.insert(name.clone(), Value::Null);
                given.shown.insert(name.clone(), Value::Null);
                continue;
            };
            let value = parameter::resolve(&ctx.pool, input, false)?;
            let shown = parameter::resolve(&ctx.pool, input, true)?;
            let (value, shown) = match *kind {
                "array[tools]" => {
                    let shown = parameter::tools(&ctx.pool, &shown, strategy.takes_mcp())?;
                    let tools = parameter::tools(&ctx.pool, &value, strategy.takes_mcp())?;
                    let tools = try_join_all(tools.iter().map(|tool| self.tool(ctx, tool))).await?;
                    for (_, credential) in &tools {
                        given.tool_credentials.extend(credential.clone());
                    }
                    let tools = tools.into_iter().map(|(tool, _)| tool).collect();
                    (Value::array(tools), shown.into_iter().map(Value::object).collect())
                }
                "model-selector" => (self.model(ctx, &value).await?, shown),
                _ => (value, shown),
            };
            given.parameters.insert(name.clone(), value);
            given.shown.insert(name.clone(), shown);
        }
        Ok(given)
    }

    /// A tool as the strategy takes it, and the credential for calls back.
    async fn tool(
        &self,
        ctx: &NodeCtx,
        tool: &Object,
    ) -> Result<(Value, Option<(String, Json)>), NodeError> {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default();
        let entries = |name: &str| tool.get(name).and_then(Value::as_object).cloned();
        let manual = entries("parameters").unwrap_or_default();
        let mut configurations = manual.clone();
        configurations.extend(entries("settings").unwrap_or_default());
        let provider_type = if text("type").is_empty() { "builtin" } else { text("type") };
        let credential_id = Some(text("credential_id")).filter(|id| !id.is_empty());
        let wanted = AgentTool {
            provider_type,
            provider: text("provider_name"),
            name: text("tool_name"),
            credential_id,
            configurations: &graph::value::object_to_json(&configurations, ctx.pool.urls()),
            is_templated: self.is_templated,
        };
        let found = self.ports.agents.tool(ctx, wanted).await;
        let found = found.map_err(|err| NodeError::uncaught(err.message))?;
        let (mut entity, mut settings) = (found.entity, found.settings);
        let is_manual = |name: &str| manual.get(name).is_some_and(|value| !value.is_null());
        let extra = entries("extra").unwrap_or_default();
        let told = extra.get("description").and_then(Value::as_str).filter(|it| !it.is_empty());
        if let (Some(description), Some(told)) =
            (entity.get_mut("description").and_then(Json::as_object_mut), told)
        {
            description.insert("llm".to_owned(), told.into());
        }
        let mut has_parameters = false;
        let parameters = entity.get_mut("parameters").and_then(Json::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter_map(Json::as_object_mut) {
            has_parameters = true;
            if parameter.get("name").and_then(Json::as_str).is_some_and(is_manual) {
                parameter.insert("form".to_owned(), "form".into());
            }
        }
        if has_parameters {
            let fixed = configurations.into_iter().filter(|(name, _)| is_manual(name));
            settings.extend(fixed);
        }
        let provider = entity.get("identity").and_then(|it| it.get("provider")?.as_str());
        let credential = provider.zip(credential_id).map(|(it, id)| (it.to_owned(), id.into()));
        entity.insert("credential_id".to_owned(), credential_id.into());
        entity.insert("provider_type".to_owned(), provider_type.into());
        let entity = Value::from_json(Json::Object(entity));
        let mut described = entity.as_object().cloned().unwrap_or_default();
        described.insert("runtime_parameters".to_owned(), Value::object(settings));
        Ok((Value::object(described), credential))
    }

    /// A model as the strategy takes it: with what was said before and with what it can do.
    async fn model(&self, ctx: &NodeCtx, value: &Value) -> Result<Value, NodeError> {
        let mut selector = value
            .as_object()
            .cloned()
            .ok_or_else(|| NodeError::uncaught("The selector must be a dictionary."))?;
        let text = |name: &str| selector.get(name).and_then(Value::as_str).unwrap_or_default();
        let model = self.ports.models.llm(ctx.run.tenant_id, text("provider"), text("model")).await;
        let model = model.map_err(|err| NodeError::uncaught(Fail::from(err).message))?;
        let mut history = Vec::new();
        if let Some(memory) = &self.settings.memory {
            let found = short_history(&self.ports, ctx, &*model, memory.window.size).await;
            history = found.map_err(|err| NodeError::uncaught(err.message))?;
        }
        let faulty = |err: serde_json::Error| NodeError::uncaught(err.to_string());
        let history = serde_json::to_value(&history).map_err(faulty)?;
        let mut entity = serde_json::to_value(model.schema()).map_err(faulty)?;
        if let Some(features) = entity.get_mut("features").and_then(Json::as_array_mut) {
            features.retain(|it| it.as_str().is_some_and(|it| OLD_FEATURES.contains(&it)));
        }
        selector.insert("history_prompt_messages".to_owned(), Value::from_json(history));
        selector.insert("entity".to_owned(), Value::from_json(entity));
        Ok(Value::object(selector))
    }

    async fn work(
        &self,
        ctx: &NodeCtx,
        strategy: &dyn AgentStrategy,
        given: Given,
    ) -> Result<NodeOutput, NodeError> {
        let Given { parameters, shown, tool_credentials } = given;
        let heard = async {
            let mut speech = strategy.invoke(ctx, parameters, tool_credentials).await?;
            let mut listener = Listener::new(ctx, &self.ports, self.icon());
            listener.listen(&mut speech).await?;
            Ok(listener)
        };
        let heard: Result<_, NodeError> = heard.await;
        let heard = match heard {
            Ok(heard) => heard,
            // What the plugin says of itself is recorded with what it was given.
            Err(error) if error.error_type.is_empty() => return Err(error.with_inputs(shown)),
            Err(error) => return Err(error),
        };
        let info =
            json!({"icon": self.icon(), "agent_strategy": self.settings.agent_strategy_name});
        let mut metadata = Metadata { entries: heard.counted.clone(), ..Metadata::default() };
        metadata = metadata.with("tool_info", Value::from_json(info));
        metadata = metadata.with("agent_log", heard.log());
        let usage = Some(heard.usage.clone());
        let outputs = heard.outputs();
        Ok(NodeOutput { inputs: shown, outputs, metadata, usage, ..NodeOutput::default() })
    }
}

#[async_trait]
impl Node for Agent {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let settings = &self.settings;
        let provider = &settings.agent_strategy_provider_name;
        let name = &settings.agent_strategy_name;
        let work = async {
            let strategy = self.ports.agents.strategy(ctx.run.tenant_id, provider, name).await;
            let strategy = strategy.map_err(|err| {
                NodeError::new(format!("Failed to get agent strategy: {err}"), err.error_type)
            })?;
            let given = self.given(ctx, &*strategy).await?;
            self.work(ctx, &*strategy, given).await
        };
        tokio::select! {
            output = work => Ok(output?.into()),
            () = ctx.cancel.cancelled() => Err(NodeError::uncaught("the run was stopped")),
        }
    }

    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let provider = &self.settings.agent_strategy_provider_name;
        let icon = self.ports.agents.icon(run.tenant_id, provider).await;
        // A second look would find the same.
        let _ = self.icon.set(icon);
        Ok(())
    }

    fn start_info(&self) -> StartInfo {
        let name = &self.settings.agent_strategy_name;
        StartInfo {
            agent_strategy: Some(json!({"name": name, "icon": self.icon()})),
            ..StartInfo::default()
        }
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let mut mapping = IndexMap::new();
        for (name, input) in &self.settings.agent_parameters {
            match input.r#type {
                InputKind::Mixed | InputKind::Constant => {
                    mapping.extend(template_entries(node_id, &input.text()));
                }
                InputKind::Variable => {
                    mapping.insert(format!("{node_id}.{name}"), input.selector());
                }
            }
        }
        mapping
    }
}
