//! Agent strategies of plugins, for nodes of workflows.

use async_trait::async_trait;
use futures::StreamExt;
use graph::{InvokeFrom, NodeCtx, NodeError, Object, UserFrom};
use model_runtime::{InvokeError, ProviderId};
use nodes::ports::{
    PortError,
    agent::{
        AgentPort, AgentSaid, AgentSpeech, AgentStep, AgentStrategy, AgentTool, DescribedTool,
        StepIcons,
    },
};
use plugin::{
    DaemonError, LogMessage, LogStatus, ToolMessage, ToolPayload, VariableMessage,
    entity::AgentStrategy as Declared, tool::ToolContext,
};
use serde_json::{Map, Value};
use types::TenantId;

use crate::{
    ToolError,
    builtin::{PATIENCE, Tools},
    call::{
        Caller, Said, Wanted,
        argument::{Field, of_field},
        message::Kept,
    },
    node::{caller, settings},
};

/// Faults that are the plugin's or the request's rather than the daemon's.
const OURS: [&str; 4] = [
    "PluginDaemonBadRequestError",
    "PluginUniqueIdentifierError",
    "PluginNotFoundError",
    "PluginPermissionDeniedError",
];

/// A strategy of an installed plugin.
struct PluginStrategy {
    tools: Tools,
    provider: ProviderId,
    declared: Declared,
    form_version: String,
}

/// For whom a strategy works.
#[derive(Debug, Clone)]
struct Owner {
    tenant: TenantId,
    user: String,
    user_from: UserFrom,
    invoke_from: InvokeFrom,
}

#[async_trait]
impl AgentPort for Tools {
    async fn icon(&self, tenant: TenantId, provider: &str) -> Option<String> {
        let daemon = self.daemon.as_ref()?;
        let plugin = provider.parse::<ProviderId>().ok()?.plugin_id();
        let listed = daemon.list_installations(tenant, std::slice::from_ref(&plugin));
        let listed = match tokio::time::timeout(PATIENCE, listed).await {
            Ok(Ok(listed)) => listed,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the plugin daemon does not tell a plugin's icon");
                return None;
            }
            Err(_) => {
                tracing::warn!("the plugin daemon does not tell a plugin's icon in time");
                return None;
            }
        };
        let said = listed.into_iter().map(|it| it.declaration.said);
        let mut own = said.filter(|said| format!("{plugin}/{}", said.name) == provider);
        own.next().map(|said| said.icon)
    }

    async fn step_icons(&self, tenant: TenantId, provider: &str) -> StepIcons {
        let found = tokio::time::timeout(PATIENCE, self.find_builtin(tenant, provider)).await;
        if let Ok(Ok(found)) = found {
            let (light, dark) = self.icons(tenant, &found);
            return StepIcons { light: Some(light.into()), dark: dark.into() };
        }
        let icon = self.icon(tenant, provider).await;
        StepIcons { light: icon.map(Value::from), dark: Value::Null }
    }

    async fn strategy(
        &self,
        tenant: TenantId,
        provider: &str,
        name: &str,
    ) -> Result<Box<dyn AgentStrategy>, PortError> {
        let failed = |text: String| PortError::new(text, "");
        let id: ProviderId = provider
            .parse()
            .map_err(|err: model_runtime::InvalidProviderId| failed(err.to_string()))?;
        let daemon = self.daemon().map_err(|err| failed(err.to_string()))?;
        let found = daemon.find_agent_provider(tenant, &id).await;
        let found = found.map_err(|err| failed(err.to_string()))?;
        let mut strategies = found.declaration.strategies.into_iter();
        let declared = strategies.find(|strategy| strategy.identity.name == name);
        let declared =
            declared.ok_or_else(|| failed(format!("Agent strategy {name} not found")))?;
        let form_version = found.meta.version.unwrap_or_default();
        Ok(Box::new(PluginStrategy { tools: self.clone(), provider: id, declared, form_version }))
    }

    async fn tool(&self, ctx: &NodeCtx, tool: AgentTool<'_>) -> Result<DescribedTool, PortError> {
        let app = ctx.run.app_id.to_string();
        let caller = caller(ctx, &app);
        let wanted = Wanted {
            kind: tool.provider_type,
            provider: tool.provider,
            tool: tool.name,
            credential: tool.credential_id,
        };
        let described = async {
            let ready = self.ready(&caller, wanted).await?;
            let is_file = |kind: &str| matches!(kind, "system-files" | "file" | "files");
            let file = ready.parameters.iter().find(|it| it.required && is_file(&it.kind));
            if let Some(file) = file {
                let name = &file.name;
                let why = format!("file type parameter {name} not supported in agent");
                return Err(ToolError::Invalid(why));
            }
            let given = tool.configurations;
            let settings = settings(ctx, given, tool.is_templated, &ready.parameters)?;
            let entity = serde_json::to_value(ready.declared())?;
            let entity = entity.as_object().cloned().unwrap_or_default();
            Ok(DescribedTool { entity, settings })
        };
        described.await.map_err(|err| PortError::new(text_of(err), "ToolProviderNotFoundError"))
    }
}

/// What users read of an error; faults of the ground are logged instead.
fn text_of(err: ToolError) -> String {
    match err {
        ToolError::Fault(fault) => {
            tracing::error!(error = &fault as &dyn std::error::Error, "an agent's tool failed");
            "the tool could not be prepared".to_owned()
        }
        other => other.to_string(),
    }
}

#[async_trait]
impl AgentStrategy for PluginStrategy {
    fn parameters(&self) -> Vec<(&str, &str)> {
        let all = self.declared.parameters.iter();
        all.map(|parameter| (parameter.name.as_str(), parameter.kind.as_str())).collect()
    }

    fn takes_mcp(&self) -> bool {
        is_newer(&self.form_version, [0, 0, 1])
    }

    async fn invoke(
        &self,
        ctx: &NodeCtx,
        mut parameters: Object,
        tool_credentials: Map<String, Value>,
    ) -> Result<AgentSpeech, NodeError> {
        for parameter in &self.declared.parameters {
            let field = Field {
                name: &parameter.name,
                kind: &parameter.kind,
                required: parameter.required,
                default: parameter.default.as_ref(),
                options: &parameter.options,
            };
            let given = parameters.get(&parameter.name).cloned();
            let value = of_field(field, given).map_err(|err| NodeError::uncaught(text_of(err)))?;
            parameters.insert(parameter.name.clone(), value);
        }
        let run = &ctx.run;
        let app = run.app_id.to_string();
        let context = ToolContext {
            tenant: run.tenant_id,
            user: &run.user_id,
            conversation: ctx.pool.system().conversation_id.as_deref(),
            app: Some(&app),
            message: None,
        };
        let given = graph::value::object_to_json(&parameters, ctx.pool.urls());
        let daemon = self.tools.daemon().map_err(|err| NodeError::uncaught(text_of(err)))?;
        let name = &self.declared.identity.name;
        let messages = daemon
            .invoke_agent_strategy(context, &self.provider, name, &given, &tool_credentials)
            .await
            .map_err(failed)?;
        let owner = Owner {
            tenant: run.tenant_id,
            user: run.user_id.clone(),
            user_from: run.user_from,
            invoke_from: run.invoke_from,
        };
        let tools = self.tools.clone();
        let said = messages.then(move |message| {
            let (tools, owner) = (tools.clone(), owner.clone());
            async move { tools.heard(&owner, message.map_err(failed)?).await }
        });
        Ok(said.filter_map(|said| std::future::ready(said.transpose())).boxed())
    }
}

impl Tools {
    /// What a message means to the node; nothing of one that agents need not send.
    async fn heard(
        &self,
        owner: &Owner,
        message: ToolMessage,
    ) -> Result<Option<AgentSaid>, NodeError> {
        let caller = Caller {
            tenant: owner.tenant,
            user: &owner.user,
            user_from: owner.user_from,
            app: None,
            conversation: None,
            message: None,
            invoke_from: owner.invoke_from,
            call_depth: 0,
        };
        let kept = self.keep(&caller, Said::Message(message)).await.map_err(|fault| {
            tracing::error!(error = &fault as &dyn std::error::Error, "an agent's file is lost");
            NodeError::uncaught("a file of the agent could not be kept")
        })?;
        let message = match kept {
            Kept::File { file, .. } => return Ok(Some(AgentSaid::File(file))),
            Kept::Message(message) => message,
        };
        Ok(match message.payload {
            ToolPayload::Text(text) => Some(AgentSaid::Text(text)),
            ToolPayload::Link(link) => Some(AgentSaid::Text(format!("Link: {link}\n"))),
            ToolPayload::Json { value, .. } => Some(AgentSaid::Json(value)),
            ToolPayload::Variable(VariableMessage { variable_name, variable_value, stream }) => {
                Some(AgentSaid::Variable {
                    name: variable_name,
                    value: variable_value,
                    is_piece: stream,
                })
            }
            ToolPayload::Log(log) => Some(AgentSaid::Step(step(log))),
            // A link to a file that is none of the workspace's.
            ToolPayload::ImageLink(link) | ToolPayload::BinaryLink(link) => {
                let last = link.rsplit('/').next().unwrap_or_default();
                let id = last.split('.').next().unwrap_or_default();
                return Err(NodeError::uncaught(format!("Tool file '{id}' does not exist")));
            }
            ToolPayload::Image(_)
            | ToolPayload::Blob(_)
            | ToolPayload::BlobChunk(_)
            | ToolPayload::File
            | ToolPayload::RetrieverResources { .. } => None,
        })
    }
}

fn step(log: LogMessage) -> AgentStep {
    AgentStep {
        id: log.id,
        label: log.label,
        parent_id: log.parent_id,
        error: log.error,
        status: match log.status {
            LogStatus::Start => "start",
            LogStatus::Error => "error",
            LogStatus::Success => "success",
        },
        data: log.data,
        metadata: log.metadata,
    }
}

/// A failure of a plugin is told as one of its speech; of a daemon that is away nobody can speak.
fn failed(err: DaemonError) -> NodeError {
    let is_plugins = match &err {
        DaemonError::Invoke(InvokeError::Plugin(_)) => true,
        DaemonError::Fault(fault) => OURS.contains(&fault.class),
        _ => false,
    };
    if is_plugins {
        NodeError::new(format!("Failed to transform agent message: {err}"), "")
    } else {
        NodeError::uncaught(err.to_string())
    }
}

/// Whether a version such as `0.0.2` is newer than another.
fn is_newer(version: &str, than: [u64; 3]) -> bool {
    let parts: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    parts.is_some_and(|parts| than.as_slice() < parts.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_numbers() {
        for (version, expected) in
            [("0.0.2", true), ("0.0.10", true), ("1.0", true), ("0.0.1", false), ("", false)]
        {
            assert_eq!(is_newer(version, [0, 0, 1]), expected, "{version}");
        }
    }
}
