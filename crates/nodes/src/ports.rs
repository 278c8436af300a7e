//! What nodes need from the world. Services implement these traits, tests fake them.

pub mod agent;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use graph::{File, NodeConfig, NodeCtx, NodeError, Object, Outcome, RunInfo, pool::Selector};
use indexmap::IndexMap;
use model_runtime::{ContentPart, ImageDetail, PromptMessage, source::ModelSource};
use types::TenantId;

pub use self::agent::AgentPort;
use crate::{code::CodeLimits, code::CodeRunner, http_request::HttpLimits};

/// The world of the nodes.
#[derive(Clone)]
pub struct Ports {
    /// Models.
    pub models: Arc<dyn ModelSource>,
    /// What was said before in a conversation.
    pub history: Arc<dyn History>,
    /// Files.
    pub files: Arc<dyn Files>,
    /// Tools.
    pub tools: Arc<dyn ToolPort>,
    /// Agents.
    pub agents: Arc<dyn AgentPort>,
    /// Knowledge bases.
    pub retrieval: Arc<dyn RetrievalPort>,
    /// Data sources.
    pub datasources: Arc<dyn DatasourcePort>,
    /// Runs code.
    pub code: Arc<dyn CodeRunner>,
    /// What code may return.
    pub code_limits: CodeLimits,
    /// The client of HTTP nodes.
    pub http: net::Http,
    /// What HTTP nodes may ask for and receive.
    pub http_limits: HttpLimits,
}

/// A port failed; the text is shown to users.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What failed.
    pub message: String,
    /// The class of the reference that error strategies see.
    pub error_type: String,
}

impl PortError {
    /// A failure of a class of the reference.
    #[must_use]
    pub fn new(message: impl Into<String>, error_type: impl Into<String>) -> Self {
        Self { message: message.into(), error_type: error_type.into() }
    }
}

/// What was said before in a conversation.
#[async_trait]
pub trait History: Send + Sync {
    /// Questions and answers that led to the message being answered, oldest first, as pairs of user and assistant
    /// messages. At most `limit` pairs. None if there is no such conversation.
    async fn messages(
        &self,
        run: &RunInfo,
        conversation: &str,
        limit: usize,
    ) -> Result<Option<Vec<PromptMessage>>, PortError>;
}

/// A file a node made.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// What is in it.
    pub content: Bytes,
    /// Its media type.
    pub mime_type: String,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// Reads files and keeps what nodes make.
#[async_trait]
pub trait Files: Send + Sync {
    /// A file as a part of a prompt: base64 or a signed address, as the installation is set up.
    async fn part(
        &self,
        tenant: TenantId,
        file: &File,
        detail: ImageDetail,
    ) -> Result<ContentPart, PortError>;

    /// What is in a file.
    async fn read(&self, tenant: TenantId, file: &File) -> Result<Bytes, PortError>;

    /// Keeps what a node made; the value is a file of a tool.
    async fn keep(&self, run: &RunInfo, file: NewFile) -> Result<File, PortError>;

    /// Pictures of a segment of a knowledge base.
    async fn of_segment(&self, tenant: TenantId, segment: &str) -> Result<Vec<File>, PortError>;
}

/// A call of a tool node.
pub struct ToolCall<'a> {
    /// The execution.
    pub ctx: &'a NodeCtx,
    /// `builtin`, `api`, `workflow`, `mcp`, `plugin` …
    pub provider_type: &'a str,
    /// Id of the provider.
    pub provider_id: &'a str,
    /// Its name.
    pub provider_name: &'a str,
    /// The tool.
    pub tool_name: &'a str,
    /// The credential to use instead of the default one.
    pub credential_id: Option<&'a str>,
    /// The plugin it comes from.
    pub plugin_unique_identifier: Option<&'a str>,
    /// Settings as the form holds them: values, or `{type, value}` templates when `is_templated`.
    pub configurations: &'a serde_json::Map<String, serde_json::Value>,
    /// Whether `configurations` holds templates.
    pub is_templated: bool,
    /// Arguments, resolved.
    pub parameters: Object,
    /// Arguments that are variables which are not there; a tool may do without.
    pub missing: IndexMap<String, Selector>,
}

/// Finds and calls tools.
#[async_trait]
pub trait ToolPort: Send + Sync {
    /// Calls a tool; outputs, inputs and metadata as a tool node records them.
    async fn call(&self, call: ToolCall<'_>) -> Result<Outcome, NodeError>;
}

/// What a knowledge-retrieval node asks.
#[derive(Debug, Clone)]
pub struct Question {
    /// The text, if any.
    pub query: Option<String>,
    /// Pictures.
    pub attachments: Vec<File>,
    /// Ids of the knowledge bases.
    pub datasets: Vec<String>,
    /// The node's settings: how to look up and filter.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// What knowledge bases say.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// `Source` objects, best first.
    pub sources: Vec<serde_json::Value>,
    /// What models took on the way.
    pub usage: graph::Usage,
}

/// Looks things up in knowledge bases.
#[async_trait]
pub trait RetrievalPort: Send + Sync {
    /// What the knowledge bases say.
    async fn retrieve(&self, ctx: &NodeCtx, question: Question) -> Result<Found, PortError>;
}

/// Reads from data sources.
#[async_trait]
pub trait DatasourcePort: Send + Sync {
    /// Runs a datasource node other than the local-file one.
    async fn run(&self, ctx: &NodeCtx, config: &NodeConfig) -> Result<Outcome, NodeError>;
}

/// Tools, agents, knowledge bases or data sources of a server that was built without them.
#[derive(Debug, Clone, Copy)]
pub struct Absent;

#[async_trait]
impl ToolPort for Absent {
    async fn call(&self, call: ToolCall<'_>) -> Result<Outcome, NodeError> {
        let message = format!(
            "Failed to get tool runtime: {} provider {} not found",
            call.provider_type, call.provider_id
        );
        Err(NodeError::new(message, "ToolNodeError"))
    }
}

#[async_trait]
impl RetrievalPort for Absent {
    async fn retrieve(&self, _: &NodeCtx, _: Question) -> Result<Found, PortError> {
        Err(PortError::new("this server has no knowledge bases", "KnowledgeRetrievalNodeError"))
    }
}

#[async_trait]
impl DatasourcePort for Absent {
    async fn run(&self, _: &NodeCtx, _: &NodeConfig) -> Result<Outcome, NodeError> {
        let message = "Failed to invoke datasource: this server has no data sources";
        Err(NodeError::new(message, "DatasourceNodeError"))
    }
}
