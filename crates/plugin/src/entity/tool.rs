//! Tools, agent strategies and datasources.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    common::{AutoGenerate, I18n, OAuthSchema, ParameterOption, ProviderConfig, Template, options},
    or_default,
};

/// Who a provider is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolProviderIdentity {
    /// Who made it.
    pub author: String,
    /// Its name; lists have it in full, as `organisation/plugin/provider`.
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
    /// What it is about.
    #[serde(default = "no_tags")]
    pub tags: Option<Vec<String>>,
}

#[allow(clippy::unnecessary_wraps, reason = "serde's signature")]
fn no_tags() -> Option<Vec<String>> {
    Some(Vec::new())
}

/// Who a tool, strategy or datasource is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolIdentity {
    /// Who made it.
    #[serde(default)]
    pub author: String,
    /// Its name.
    pub name: String,
    /// Name to show.
    pub label: I18n,
    /// The provider's name, in full.
    #[serde(default)]
    pub provider: String,
    /// File name of an icon of its own.
    #[serde(default)]
    pub icon: Option<String>,
}

macro_rules! parameter {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// Name.
            pub name: String,
            /// Name to show.
            pub label: I18n,
            /// Hint in the empty field.
            #[serde(default)]
            pub placeholder: Option<I18n>,
            /// What a selector offers.
            #[serde(default)]
            pub scope: Option<String>,
            /// What can write its value.
            #[serde(default)]
            pub auto_generate: Option<AutoGenerate>,
            /// Whether it is a template.
            #[serde(default)]
            pub template: Option<Template>,
            /// Whether it must be given.
            #[serde(default, deserialize_with = "or_default")]
            pub required: bool,
            /// Value when nothing is given.
            #[serde(default)]
            pub default: Option<Value>,
            /// Least value.
            #[serde(default)]
            pub min: Option<Value>,
            /// Greatest value.
            #[serde(default)]
            pub max: Option<Value>,
            /// Decimal places.
            #[serde(default)]
            pub precision: Option<i64>,
            /// Choices.
            #[serde(default, deserialize_with = "options")]
            pub options: Vec<ParameterOption>,
            /// Type of value.
            #[serde(rename = "type")]
            pub kind: String,
            $($(#[$field_doc])* pub $field: $kind,)*
        }
    };
}

parameter! {
    /// A parameter of a tool.
    ToolParameter {
        /// Explanation for people.
        #[serde(default)]
        human_description: Option<I18n>,
        /// Who gives it: `schema`, `form` or `llm`.
        form: String,
        /// Explanation for models.
        #[serde(default)]
        llm_description: Option<String>,
        /// Schema of objects and lists.
        #[serde(default)]
        input_schema: Option<Map<String, Value>>,
    }
}

parameter! {
    /// A parameter of an agent strategy.
    AgentStrategyParameter {
        /// Explanation to show.
        #[serde(default)]
        help: Option<I18n>,
    }
}

parameter! {
    /// A parameter of a datasource.
    DatasourceParameter {
        /// Explanation to show.
        description: I18n,
    }
}

/// Explanations of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolDescription {
    /// For people.
    pub human: I18n,
    /// For models.
    pub llm: String,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Who it is.
    pub identity: ToolIdentity,
    /// Its parameters.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Vec<ToolParameter>,
    /// Explanations.
    #[serde(default)]
    pub description: Option<ToolDescription>,
    /// Schema of its result.
    #[serde(default, deserialize_with = "or_default")]
    pub output_schema: Map<String, Value>,
    /// Whether it has further parameters once credentials are known.
    #[serde(default)]
    pub has_runtime_parameters: bool,
}

/// A provider of tools. Descriptions of plugins have it without its tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolProviderEntry {
    /// Who it is.
    pub identity: ToolProviderIdentity,
    /// Its plugin; set in lists of plugins.
    #[serde(default)]
    pub plugin_id: Option<String>,
    /// Credentials it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub credentials_schema: Vec<ProviderConfig>,
    /// What it needs for OAuth.
    #[serde(default)]
    pub oauth_schema: Option<OAuthSchema>,
}

/// A provider of tools and its tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolProviderDeclaration {
    /// The provider.
    #[serde(flatten)]
    pub entry: ToolProviderEntry,
    /// Its tools.
    #[serde(default, deserialize_with = "or_default")]
    pub tools: Vec<Tool>,
}

/// An installed provider of tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolProvider {
    /// Its short name.
    pub provider: String,
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Its plugin.
    pub plugin_id: String,
    /// What it declares.
    pub declaration: ToolProviderDeclaration,
}

/// A strategy for agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentStrategy {
    /// Who it is.
    pub identity: ToolIdentity,
    /// Its parameters.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Vec<AgentStrategyParameter>,
    /// One sentence.
    pub description: I18n,
    /// Schema of its result.
    #[serde(default)]
    pub output_schema: Option<Map<String, Value>>,
    /// `history-messages`.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// Version of its form.
    #[serde(default)]
    pub meta_version: Option<String>,
}

/// A provider of strategies. Descriptions of plugins have it without its strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentProviderEntry {
    /// Who it is.
    pub identity: ToolProviderIdentity,
    /// Its plugin.
    #[serde(default)]
    pub plugin_id: Option<String>,
}

/// A provider of strategies and its strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentProviderDeclaration {
    /// The provider.
    #[serde(flatten)]
    pub entry: AgentProviderEntry,
    /// Its strategies.
    #[serde(default, deserialize_with = "or_default")]
    pub strategies: Vec<AgentStrategy>,
}

/// An installed provider of strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentProvider {
    /// Its short name.
    pub provider: String,
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Its plugin.
    pub plugin_id: String,
    /// What it declares.
    pub declaration: AgentProviderDeclaration,
    /// Version of its form.
    pub meta: super::Meta,
}

/// A source of documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Datasource {
    /// Who it is.
    pub identity: ToolIdentity,
    /// Its parameters.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Vec<DatasourceParameter>,
    /// One sentence.
    pub description: I18n,
    /// Schema of its result.
    #[serde(default)]
    pub output_schema: Option<Map<String, Value>>,
}

/// Who a provider of sources is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasourceProviderIdentity {
    /// Who made it.
    pub author: String,
    /// Its name; lists have it in full.
    pub name: String,
    /// One sentence.
    pub description: I18n,
    /// File name of the icon, or its address.
    pub icon: String,
    /// Name to show.
    pub label: I18n,
    /// What it is about.
    #[serde(default = "no_tags")]
    pub tags: Option<Vec<String>>,
}

/// A provider of sources. Descriptions of plugins have it without its sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasourceProviderEntry {
    /// Who it is.
    pub identity: DatasourceProviderIdentity,
    /// Credentials it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub credentials_schema: Vec<ProviderConfig>,
    /// What it needs for OAuth.
    #[serde(default)]
    pub oauth_schema: Option<OAuthSchema>,
    /// `online_document`, `local_file`, `website_crawl` or `online_drive`.
    pub provider_type: String,
}

/// A provider of sources and its sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasourceProviderDeclaration {
    /// The provider.
    #[serde(flatten)]
    pub entry: DatasourceProviderEntry,
    /// Its sources.
    #[serde(default, deserialize_with = "or_default")]
    pub datasources: Vec<Datasource>,
}

/// An installed provider of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasourceProvider {
    /// Its short name.
    pub provider: String,
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Its plugin.
    pub plugin_id: String,
    /// Whether the workspace has credentials for it; set by the server.
    #[serde(default)]
    pub is_authorized: bool,
    /// What it declares.
    pub declaration: DatasourceProviderDeclaration,
}
