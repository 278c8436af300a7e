//! Providers and tools as the console and the apps see them.

use plugin::entity::{I18n, Tool, ToolParameter};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ToolError;

/// A provider of tools of any kind.
#[derive(Debug, Clone)]
pub struct ProviderView {
    /// The id: a name, or that of a row.
    pub id: String,
    /// Who made it.
    pub author: String,
    /// Its name.
    pub name: String,
    /// One sentence.
    pub description: I18n,
    /// An address, or `{content, background}`.
    pub icon: Value,
    /// The same for dark themes.
    pub icon_dark: Value,
    /// Name to show.
    pub label: I18n,
    /// `builtin`, `api`, `workflow` or `mcp`.
    pub kind: &'static str,
    /// The credential in use, secrets masked.
    pub masked_credentials: Map<String, Value>,
    /// Whether its tools can be called.
    pub is_team_authorization: bool,
    /// Whether the workspace made it.
    pub allow_delete: bool,
    /// Its plugin.
    pub plugin_id: Option<String>,
    /// Its plugin's package.
    pub plugin_unique_identifier: Option<String>,
    /// Its tools.
    pub tools: Vec<ToolView>,
    /// What it is about.
    pub labels: Vec<String>,
    /// What only MCP servers have.
    pub mcp: Option<McpView>,
    /// What only workflows have.
    pub workflow_app_id: Option<String>,
}

/// What only MCP servers have.
#[derive(Debug, Clone)]
pub struct McpView {
    /// Its address, the path masked.
    pub server_url: String,
    /// Unix seconds.
    pub updated_at: i64,
    /// The name apps use.
    pub server_identifier: String,
    /// Headers to send along, masked.
    pub masked_headers: Map<String, Value>,
    /// The OAuth client, masked.
    pub authentication: Option<McpClientView>,
    /// Whether the OAuth client registered itself.
    pub is_dynamic_registration: bool,
    /// How long to wait.
    pub configuration: McpTimes,
}

/// An OAuth client, masked.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct McpClientView {
    pub client_id: String,
    pub client_secret: Option<String>,
}

/// How long to wait for an MCP server.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct McpTimes {
    pub timeout: f64,
    pub sse_read_timeout: f64,
}

/// A tool.
#[derive(Debug, Clone, Serialize)]
pub struct ToolView {
    /// Who made it.
    pub author: String,
    /// Its name.
    pub name: String,
    /// Name to show.
    pub label: I18n,
    /// What it does.
    pub description: I18n,
    /// Its parameters.
    pub parameters: Vec<ToolParameter>,
    /// What it is about.
    pub labels: Vec<String>,
    /// A JSON schema of its result.
    pub output_schema: Value,
}

impl ToolView {
    /// A tool as its provider declares it.
    #[must_use]
    pub fn of(tool: &Tool, labels: &[String]) -> Self {
        let human = tool.description.as_ref().map(|it| it.human.clone());
        Self {
            author: tool.identity.author.clone(),
            name: tool.identity.name.clone(),
            label: tool.identity.label.clone(),
            description: human.unwrap_or_default(),
            parameters: tool.parameters.clone(),
            labels: labels.to_vec(),
            output_schema: Value::Object(tool.output_schema.clone()),
        }
    }

    /// As lists of providers show it: without empty schemas of parameters, and `files` for what is called
    /// `system-files` inside.
    fn listed(&self) -> Result<Value, ToolError> {
        let mut shown = serde_json::to_value(self)?;
        let parameters = shown.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
            if parameter.get("input_schema").is_some_and(Value::is_null) {
                parameter.shift_remove("input_schema");
            }
            if parameter.get("type").and_then(Value::as_str) == Some("system-files") {
                parameter.insert("type".to_owned(), "files".into());
            }
        }
        Ok(shown)
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    author: &'a str,
    name: &'a str,
    plugin_id: &'a Option<String>,
    plugin_unique_identifier: &'a Option<String>,
    description: &'a I18n,
    icon: &'a Value,
    icon_dark: &'a Value,
    label: &'a I18n,
    r#type: &'a str,
    team_credentials: &'a Map<String, Value>,
    is_team_authorization: bool,
    allow_delete: bool,
    tools: Vec<Value>,
    labels: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<McpTimes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication: Option<&'a McpClientView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_dynamic_registration: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked_headers: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_app_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Whole<'a> {
    id: &'a str,
    author: &'a str,
    name: &'a str,
    description: &'a I18n,
    icon: &'a Value,
    icon_dark: &'a Value,
    label: &'a I18n,
    r#type: &'a str,
    masked_credentials: &'a Map<String, Value>,
    original_credentials: Map<String, Value>,
    is_team_authorization: bool,
    allow_delete: bool,
    plugin_id: &'a Option<String>,
    plugin_unique_identifier: &'a Option<String>,
    tools: &'a [ToolView],
    labels: &'a [String],
    server_url: &'a str,
    updated_at: i64,
    server_identifier: &'a str,
    masked_headers: Option<&'a Map<String, Value>>,
    original_headers: Option<Map<String, Value>>,
    authentication: Option<&'a McpClientView>,
    is_dynamic_registration: bool,
    configuration: Option<McpTimes>,
    workflow_app_id: Option<&'a str>,
}

impl ProviderView {
    /// As lists show it: what a provider of its kind does not have is left out.
    ///
    /// # Errors
    /// None but faults.
    pub fn listed(&self) -> Result<Value, ToolError> {
        let mcp = self.mcp.as_ref();
        let listed = Listed {
            id: &self.id,
            author: &self.author,
            name: &self.name,
            plugin_id: &self.plugin_id,
            plugin_unique_identifier: &self.plugin_unique_identifier,
            description: &self.description,
            icon: &self.icon,
            icon_dark: &self.icon_dark,
            label: &self.label,
            r#type: self.kind,
            team_credentials: &self.masked_credentials,
            is_team_authorization: self.is_team_authorization,
            allow_delete: self.allow_delete,
            tools: self.tools.iter().map(ToolView::listed).collect::<Result<_, _>>()?,
            labels: &self.labels,
            server_url: mcp.map(|mcp| mcp.server_url.as_str()).filter(|url| !url.is_empty()),
            updated_at: mcp.map(|mcp| mcp.updated_at),
            server_identifier: mcp
                .map(|mcp| mcp.server_identifier.as_str())
                .filter(|identifier| !identifier.is_empty()),
            configuration: mcp.map(|mcp| mcp.configuration),
            authentication: mcp.and_then(|mcp| mcp.authentication.as_ref()),
            is_dynamic_registration: mcp
                .map(|mcp| mcp.is_dynamic_registration)
                .filter(|is_dynamic| *is_dynamic),
            masked_headers: mcp.map(|mcp| &mcp.masked_headers).filter(|it| !it.is_empty()),
            workflow_app_id: self.workflow_app_id.as_deref(),
        };
        Ok(serde_json::to_value(listed)?)
    }

    /// With every field there is, as single providers are shown. `now` is what counts as the last change of those that
    /// have none.
    ///
    /// # Errors
    /// None but faults.
    pub fn whole(&self, now: i64) -> Result<Value, ToolError> {
        let mcp = self.mcp.as_ref();
        let whole = Whole {
            id: &self.id,
            author: &self.author,
            name: &self.name,
            description: &self.description,
            icon: &self.icon,
            icon_dark: &self.icon_dark,
            label: &self.label,
            r#type: self.kind,
            masked_credentials: &self.masked_credentials,
            original_credentials: Map::new(),
            is_team_authorization: self.is_team_authorization,
            allow_delete: self.allow_delete,
            plugin_id: &self.plugin_id,
            plugin_unique_identifier: &self.plugin_unique_identifier,
            tools: &self.tools,
            labels: &self.labels,
            server_url: mcp.map(|mcp| mcp.server_url.as_str()).unwrap_or_default(),
            updated_at: mcp.map_or(now, |mcp| mcp.updated_at),
            server_identifier: mcp.map(|mcp| mcp.server_identifier.as_str()).unwrap_or_default(),
            masked_headers: mcp.map(|mcp| &mcp.masked_headers),
            original_headers: None,
            authentication: mcp.and_then(|mcp| mcp.authentication.as_ref()),
            is_dynamic_registration: mcp.is_none_or(|mcp| mcp.is_dynamic_registration),
            configuration: mcp.map(|mcp| mcp.configuration),
            workflow_app_id: self.workflow_app_id.as_deref(),
        };
        Ok(serde_json::to_value(whole)?)
    }
}

/// The emoji of providers whose icon does not read.
#[must_use]
pub fn plain_icon() -> Value {
    serde_json::json!({"background": "#252525", "content": "\u{1f601}"})
}
