//! Plugins: what they declare of themselves, and installations.

use chrono::{DateTime, Utc};
use model_runtime::ProviderSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    common::{I18n, ProviderConfig, no},
    or_default,
    tool::{AgentProviderEntry, DatasourceProviderEntry, ToolProviderEntry},
    trigger::TriggerProviderDeclaration,
};

/// What a plugin is mainly for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Category {
    Tool,
    Model,
    Extension,
    AgentStrategy,
    Datasource,
    Trigger,
}

/// Files that declare a plugin's parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct Plugins {
    #[serde(default = "nothing")]
    pub tools: Option<Vec<String>>,
    #[serde(default = "nothing")]
    pub models: Option<Vec<String>>,
    #[serde(default = "nothing")]
    pub endpoints: Option<Vec<String>>,
    #[serde(default = "nothing")]
    pub datasources: Option<Vec<String>>,
    #[serde(default = "nothing")]
    pub triggers: Option<Vec<String>>,
}

#[allow(clippy::unnecessary_wraps, reason = "serde's signature")]
fn nothing<T>() -> Option<Vec<T>> {
    Some(Vec::new())
}

/// Version of a plugin's form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meta {
    /// The oldest Dify it works with.
    #[serde(default)]
    pub minimum_dify_version: Option<String>,
    /// Version of the form.
    #[serde(default)]
    pub version: Option<String>,
}

/// What a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Bytes.
    pub memory: i64,
    /// What it may do.
    #[serde(default)]
    pub permission: Option<Permission>,
}

/// What a plugin may do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct Permission {
    #[serde(default)]
    pub tool: Option<Enabled>,
    #[serde(default)]
    pub model: Option<ModelPermission>,
    #[serde(default)]
    pub node: Option<Enabled>,
    #[serde(default)]
    pub endpoint: Option<Enabled>,
    #[serde(default)]
    pub storage: Option<StoragePermission>,
}

/// Whether something is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Enabled {
    /// It is.
    #[serde(default = "no")]
    pub enabled: Option<bool>,
}

/// Which models may be called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct ModelPermission {
    #[serde(default = "no")]
    pub enabled: Option<bool>,
    #[serde(default = "no")]
    pub llm: Option<bool>,
    #[serde(default = "no")]
    pub text_embedding: Option<bool>,
    #[serde(default = "no")]
    pub rerank: Option<bool>,
    #[serde(default = "no")]
    pub tts: Option<bool>,
    #[serde(default = "no")]
    pub speech2text: Option<bool>,
    #[serde(default = "no")]
    pub moderation: Option<bool>,
}

/// How much may be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoragePermission {
    /// Whether anything may.
    #[serde(default = "no")]
    pub enabled: Option<bool>,
    /// Bytes.
    #[serde(default = "mebibyte")]
    pub size: i64,
}

fn mebibyte() -> i64 {
    1 << 20
}

/// An address a plugin answers at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointDeclaration {
    /// Path below the endpoint's address.
    pub path: String,
    /// HTTP method.
    pub method: String,
    /// Whether it is not shown.
    #[serde(default)]
    pub hidden: bool,
}

/// A plugin's endpoints and their settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointProviderDeclaration {
    /// Settings it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub settings: Vec<ProviderConfig>,
    /// Addresses.
    #[serde(default = "nothing")]
    pub endpoints: Option<Vec<EndpointDeclaration>>,
}

impl Default for EndpointProviderDeclaration {
    fn default() -> Self {
        Self { settings: Vec::new(), endpoints: nothing() }
    }
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Said")]
pub struct PluginDeclaration {
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
    /// What it is mainly for; found out from its parts.
    pub category: Category,
}

/// What a plugin says of itself, as it comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Version.
    pub version: String,
    /// Who made it.
    #[serde(default)]
    pub author: Option<String>,
    /// Name.
    pub name: String,
    /// One sentence.
    pub description: I18n,
    /// File name of the icon.
    pub icon: String,
    /// File name of the icon for dark themes.
    #[serde(default)]
    pub icon_dark: Option<String>,
    /// Name to show.
    pub label: I18n,
    /// When it was made.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub created_at: DateTime<Utc>,
    /// What it needs.
    pub resource: Resource,
    /// Files that declare its parts.
    pub plugins: Plugins,
    /// What it is about.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// Where its source is.
    #[serde(default)]
    pub repo: Option<String>,
    /// Whether Dify checked it.
    #[serde(default, deserialize_with = "or_default")]
    pub verified: bool,
    /// Its provider of tools.
    #[serde(default)]
    pub tool: Option<ToolProviderEntry>,
    /// Its provider of models.
    #[serde(default)]
    pub model: Option<ProviderSchema>,
    /// Its endpoints.
    #[serde(default)]
    pub endpoint: Option<EndpointProviderDeclaration>,
    /// Its provider of strategies.
    #[serde(default)]
    pub agent_strategy: Option<AgentProviderEntry>,
    /// Its provider of sources.
    #[serde(default)]
    pub datasource: Option<DatasourceProviderEntry>,
    /// Its provider of events.
    #[serde(default)]
    pub trigger: Option<TriggerProviderDeclaration>,
    /// Version of its form.
    #[serde(default, deserialize_with = "or_default")]
    pub meta: Meta,
}

impl From<Said> for PluginDeclaration {
    fn from(said: Said) -> Self {
        let category = if said.tool.is_some() {
            Category::Tool
        } else if said.model.is_some() {
            Category::Model
        } else if said.datasource.is_some() {
            Category::Datasource
        } else if said.agent_strategy.is_some() {
            Category::AgentStrategy
        } else if said.trigger.is_some() {
            Category::Trigger
        } else {
            Category::Extension
        };
        Self { said, category }
    }
}

/// A plugin in a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginInstallation {
    /// Id.
    pub id: String,
    /// When it was installed.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub updated_at: DateTime<Utc>,
    /// The workspace.
    pub tenant_id: String,
    /// Endpoints set up.
    pub endpoints_setups: i64,
    /// Endpoints switched on.
    pub endpoints_active: i64,
    /// `local`, `remote` or `serverless`.
    pub runtime_type: String,
    /// `marketplace`, `github`, `package` or `remote`.
    pub source: String,
    /// Details of the source.
    #[serde(default, deserialize_with = "or_default")]
    pub meta: Map<String, Value>,
    /// Its plugin.
    pub plugin_id: String,
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Version.
    pub version: String,
    /// Checksum of the package.
    pub checksum: String,
    /// What it says of itself.
    pub declaration: PluginDeclaration,
    /// Name; only lists of all plugins have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the installation; only lists of all plugins have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation_id: Option<String>,
}
