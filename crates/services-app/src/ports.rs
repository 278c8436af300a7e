//! What the use cases of apps need from models, plugins and tools. The server wires the real ones in.

pub(crate) mod marketplace;
mod models;
mod plugins;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use services_core::Fault;
use types::TenantId;

/// A configured LLM of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Llm {
    /// Full id of its provider.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// `chat` or `completion`, if its schema says.
    pub mode: Option<String>,
}

/// Which models a workspace has.
#[async_trait]
pub trait ModelCatalogue: Send + Sync {
    /// Full ids of every model provider the workspace could use, in the catalogue's order.
    async fn providers(&self, tenant: TenantId) -> Result<Vec<String>, Fault>;

    /// The LLMs the workspace has configured with a provider, switched off ones included.
    async fn llms(&self, tenant: TenantId, provider: &str) -> Result<Vec<Llm>, Fault>;

    /// The LLM new apps begin with: the workspace's default, else the first of all.
    async fn default_llm(&self, tenant: TenantId) -> Result<Option<Llm>, Fault>;
}

/// A plugin an app depends on, as DSL texts name it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PluginDependency {
    /// `github`, `marketplace` or `package`.
    pub r#type: String,
    /// How that source names the plugin's version.
    pub value: Value,
    /// The version that is installed instead.
    #[serde(default)]
    pub current_identifier: Option<String>,
}

/// A plugin that is not installed in the version that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPlugin {
    /// The version that is asked for.
    pub unique_identifier: String,
    /// The version that is installed; empty without one.
    pub current_identifier: String,
}

/// Why the plugins of an app cannot be named.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// A plugin that is being developed is not for export; or another reason a client can act on.
    #[error("{0}")]
    Refused(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Which plugins a workspace has.
#[async_trait]
pub trait PluginCatalogue: Send + Sync {
    /// The installed versions of some plugins (`organisation/plugin`); those that are not installed are left out.
    async fn installed(
        &self,
        tenant: TenantId,
        plugins: &[String],
    ) -> Result<Vec<PluginDependency>, PluginError>;

    /// Those of some versions that are not installed.
    async fn missing(
        &self,
        tenant: TenantId,
        unique_identifiers: &[String],
    ) -> Result<Vec<MissingPlugin>, PluginError>;
}

/// Which tools a workspace has, as far as saved agents need to know.
#[async_trait]
pub trait ToolCatalogue: Send + Sync {
    /// Whether each of some built-in tool providers is still there.
    async fn builtin_providers_exist(
        &self,
        tenant: TenantId,
        providers: &[String],
    ) -> Result<Vec<bool>, Fault>;

    /// Names of a tool's parameters that hold secrets; `None` if there is no such tool.
    async fn secret_parameters(
        &self,
        tenant: TenantId,
        provider_type: &str,
        provider_id: &str,
        tool: &str,
    ) -> Result<Option<Vec<String>>, Fault>;
}

/// A text an LLM is to write for the console.
#[derive(Debug, Clone)]
pub struct Writing {
    /// The workspace that pays.
    pub tenant: TenantId,
    /// Provider id.
    pub provider: String,
    /// Model.
    pub model: String,
    /// The system message.
    pub system: Option<String>,
    /// The user's message.
    pub user: String,
    /// Parameters of the model.
    pub parameters: Value,
}

/// Why an LLM wrote nothing.
#[derive(Debug, thiserror::Error)]
pub enum WritingError {
    /// There is no such provider or model; the reference's words.
    #[error("{0}")]
    Unknown(String),
    /// The workspace has no credentials for the provider.
    #[error("{0}")]
    NotInitialized(String),
    /// The hosted quota is used up.
    #[error("quota exceeded")]
    QuotaExceeded,
    /// The model cannot be used now.
    #[error("model not supported")]
    NotSupported,
    /// The provider refused or failed; its words.
    #[error("{0}")]
    Invoke(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// An LLM that writes texts for the console: prompts, code, schemas.
#[async_trait]
pub trait Writer: Send + Sync {
    /// The whole text of the model's answer.
    async fn write(&self, writing: Writing) -> Result<String, WritingError>;
}

/// Everything the use cases of apps need from outside.
#[derive(Clone)]
pub struct Ports {
    /// Models.
    pub models: Arc<dyn ModelCatalogue>,
    /// Plugins.
    pub plugins: Arc<dyn PluginCatalogue>,
    /// Tools.
    pub tools: Arc<dyn ToolCatalogue>,
    /// An LLM that writes.
    pub writer: Arc<dyn Writer>,
}

impl Ports {
    /// The server's models, and the plugins and tools of the daemon if there is one.
    #[must_use]
    pub fn new(models: services_model::Models, daemon: Option<plugin::Daemon>) -> Self {
        let models = Arc::new(models);
        let nothing = Arc::new(Nothing);
        let (plugins, tools): (Arc<dyn PluginCatalogue>, Arc<dyn ToolCatalogue>) = match daemon {
            Some(daemon) => {
                let daemon = Arc::new(daemon);
                (daemon.clone(), daemon)
            }
            None => (nothing.clone(), nothing),
        };
        Self { models: models.clone(), plugins, tools, writer: models }
    }
}

impl Default for Ports {
    /// A server without models, plugins and tools.
    fn default() -> Self {
        let nothing = Arc::new(Nothing);
        Self {
            models: nothing.clone(),
            plugins: nothing.clone(),
            tools: nothing.clone(),
            writer: nothing,
        }
    }
}

/// The catalogue of a server that has none.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

#[async_trait]
impl ModelCatalogue for Nothing {
    async fn providers(&self, _: TenantId) -> Result<Vec<String>, Fault> {
        Ok(Vec::new())
    }

    async fn llms(&self, _: TenantId, _: &str) -> Result<Vec<Llm>, Fault> {
        Ok(Vec::new())
    }

    async fn default_llm(&self, _: TenantId) -> Result<Option<Llm>, Fault> {
        Ok(None)
    }
}

#[async_trait]
impl PluginCatalogue for Nothing {
    async fn installed(
        &self,
        _: TenantId,
        _: &[String],
    ) -> Result<Vec<PluginDependency>, PluginError> {
        Ok(Vec::new())
    }

    async fn missing(
        &self,
        _: TenantId,
        unique_identifiers: &[String],
    ) -> Result<Vec<MissingPlugin>, PluginError> {
        let missing = |id: &String| MissingPlugin {
            unique_identifier: id.clone(),
            current_identifier: String::new(),
        };
        Ok(unique_identifiers.iter().map(missing).collect())
    }
}

#[async_trait]
impl ToolCatalogue for Nothing {
    async fn builtin_providers_exist(
        &self,
        _: TenantId,
        providers: &[String],
    ) -> Result<Vec<bool>, Fault> {
        Ok(vec![false; providers.len()])
    }

    async fn secret_parameters(
        &self,
        _: TenantId,
        _: &str,
        _: &str,
        _: &str,
    ) -> Result<Option<Vec<String>>, Fault> {
        Ok(None)
    }
}

#[async_trait]
impl Writer for Nothing {
    async fn write(&self, writing: Writing) -> Result<String, WritingError> {
        Err(WritingError::Unknown(format!("Provider {} does not exist.", writing.provider)))
    }
}
