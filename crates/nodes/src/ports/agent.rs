//! What agent nodes need: strategies, the tools these may call, and pictures for their steps.

use async_trait::async_trait;
use futures::stream::BoxStream;
use graph::{File, NodeCtx, NodeError, Object};
use serde_json::{Map, Value as Json};
use types::TenantId;

use super::{Absent, PortError};

/// A tool that an agent may call, as its node configures it.
#[derive(Debug, Clone, Copy)]
pub struct AgentTool<'a> {
    /// `builtin`, `api`, `workflow`, `mcp` …
    pub provider_type: &'a str,
    /// The provider.
    pub provider: &'a str,
    /// The tool.
    pub name: &'a str,
    /// The credential to use instead of the default one.
    pub credential_id: Option<&'a str>,
    /// Values of its form: as they are, or as `{type, value}` templates when `is_templated`.
    pub configurations: &'a Map<String, Json>,
    /// Whether `configurations` holds templates.
    pub is_templated: bool,
}

/// A tool in the form strategies take it.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedTool {
    /// Identity, description and parameters.
    pub entity: Map<String, Json>,
    /// The values of its form.
    pub settings: Object,
}

/// A step of an agent, as its strategy tells of it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct AgentStep {
    pub id: String,
    pub label: String,
    pub parent_id: Option<String>,
    pub error: Option<String>,
    /// `start`, `error` or `success`.
    pub status: &'static str,
    pub data: Map<String, Json>,
    pub metadata: Map<String, Json>,
}

/// What an agent says while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentSaid {
    /// A piece of its answer.
    Text(String),
    /// A file it made, which is kept already.
    File(Box<File>),
    /// An object or a list.
    Json(Json),
    /// A variable.
    Variable {
        /// Its name.
        name: String,
        /// Its value.
        value: Json,
        /// Whether the value is a piece of a text.
        is_piece: bool,
    },
    /// A step began or ended.
    Step(AgentStep),
}

/// What an agent says, as it says it. Dropping it stops the agent.
pub type AgentSpeech = BoxStream<'static, Result<AgentSaid, NodeError>>;

/// A strategy that can be run.
#[async_trait]
pub trait AgentStrategy: Send + Sync {
    /// Names and types of its parameters.
    fn parameters(&self) -> Vec<(&str, &str)>;

    /// Whether it can call tools of MCP servers.
    fn takes_mcp(&self) -> bool;

    /// Starts it. `tool_credentials` are credential ids by tool provider, for the calls it makes back.
    ///
    /// # Errors
    /// Parameters it does not take, or a world that cannot be reached.
    async fn invoke(
        &self,
        ctx: &NodeCtx,
        parameters: Object,
        tool_credentials: Map<String, Json>,
    ) -> Result<AgentSpeech, NodeError>;
}

/// Pictures of whom a step of an agent calls, for light and dark themes.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "said above")]
pub struct StepIcons {
    pub light: Option<Json>,
    pub dark: Json,
}

/// Finds agent strategies and what they need.
#[async_trait]
pub trait AgentPort: Send + Sync {
    /// The picture of a provider of strategies; nobody waits long for it.
    async fn icon(&self, tenant: TenantId, provider: &str) -> Option<String>;

    /// The picture of whom a step calls.
    async fn step_icons(&self, tenant: TenantId, provider: &str) -> StepIcons;

    /// A strategy of a workspace.
    ///
    /// # Errors
    /// There is none of that name.
    async fn strategy(
        &self,
        tenant: TenantId,
        provider: &str,
        name: &str,
    ) -> Result<Box<dyn AgentStrategy>, PortError>;

    /// A tool that the strategy may call.
    ///
    /// # Errors
    /// There is no such tool, or settings it cannot be called with.
    async fn tool(&self, ctx: &NodeCtx, tool: AgentTool<'_>) -> Result<DescribedTool, PortError>;
}

#[async_trait]
impl AgentPort for Absent {
    async fn icon(&self, _: TenantId, _: &str) -> Option<String> {
        None
    }

    async fn step_icons(&self, _: TenantId, _: &str) -> StepIcons {
        StepIcons::default()
    }

    async fn strategy(
        &self,
        _: TenantId,
        _: &str,
        _: &str,
    ) -> Result<Box<dyn AgentStrategy>, PortError> {
        Err(PortError::new("this server has no agent strategies", ""))
    }

    async fn tool(&self, _: &NodeCtx, _: AgentTool<'_>) -> Result<DescribedTool, PortError> {
        Err(PortError::new("this server has no tools", ""))
    }
}
