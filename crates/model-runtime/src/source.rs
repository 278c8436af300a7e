//! What engines need of models: to find one for a workspace, and to call it. Services implement these traits, tests
//! fake them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use types::TenantId;

use crate::{InvokeError, LlmStream, ModelSchema, PromptMessage, PromptTool};

/// A call of a [`LlmModel`].
#[derive(Debug, Clone, Default)]
pub struct LlmCall {
    /// The prompt.
    pub messages: Vec<PromptMessage>,
    /// `completion_params` without `stop`.
    pub parameters: Map<String, Value>,
    /// Tools the model may call.
    pub tools: Vec<PromptTool>,
    /// Texts at which to stop.
    pub stop: Vec<String>,
    /// Whether the provider shall stream; the answer is a stream either way.
    pub stream: bool,
    /// The user as the provider may know them.
    pub user: String,
}

/// A chat or completion model, ready to be called on behalf of a workspace.
#[async_trait]
pub trait LlmModel: Send + Sync {
    /// Full id of its provider.
    fn provider(&self) -> &str;

    /// What is known about it.
    fn schema(&self) -> &ModelSchema;

    /// Calls the model. Resolves when the provider has accepted the call; dropping the stream closes the connection.
    async fn invoke(&self, call: LlmCall) -> Result<LlmStream, InvokeError>;

    /// Tokens that a prompt takes, estimated where the provider does not tell.
    async fn count_tokens(
        &self,
        messages: &[PromptMessage],
        tools: &[PromptTool],
    ) -> Result<u64, InvokeError>;
}

/// Why there is no model to call.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The workspace has no credentials for it; the reference's words.
    #[error("{0}")]
    NotInitialized(String),
    /// The hosted quota is used up.
    #[error("{0}")]
    QuotaExceeded(String),
    /// The plan does not include it.
    #[error("{0}")]
    NotSupported(String),
    /// There is no such model.
    #[error("{0}")]
    Unknown(String),
    /// Asking for it failed: a fault, not an outcome.
    #[error("the model could not be looked up")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Finds models with the credentials of a workspace.
#[async_trait]
pub trait ModelSource: Send + Sync {
    /// A chat or completion model.
    async fn llm(
        &self,
        tenant: TenantId,
        provider: &str,
        model: &str,
    ) -> Result<Arc<dyn LlmModel>, ModelError>;

    /// The workspace's default one.
    async fn default_llm(&self, tenant: TenantId) -> Result<Arc<dyn LlmModel>, ModelError>;
}
