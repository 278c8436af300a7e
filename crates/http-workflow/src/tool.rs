//! `/console/api/workspaces/current/tool-provider/workflow/…`: workflows as tools.

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Query, Valid,
    guard::{Admin, Console},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_workflow::tool::{
    self, Configured, Content, Parameter, Provider, Settings, Text, Tool, Which,
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::run::Success;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_workflow_tool))
        .routes(routes!(update_workflow_tool))
        .routes(routes!(delete_workflow_tool))
        .routes(routes!(find_workflow_tool))
        .routes(routes!(list_tools_of_workflow_tool))
        .routes(routes!(list_workflow_tools))
}

fn check_name(name: &str, (): &()) -> garde::Result {
    if !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
        return Ok(());
    }
    Err(garde::Error::new(format!("{name} is not a valid alphanumeric value")))
}

/// How a variable of the workflow becomes a parameter of the tool.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
struct WorkflowToolParameter {
    name: String,
    description: String,
    #[schema(inline)]
    form: ParameterForm,
}

/// Who fills a parameter in.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ParameterForm {
    Schema,
    Form,
    Llm,
}

impl From<WorkflowToolParameter> for Configured {
    fn from(parameter: WorkflowToolParameter) -> Self {
        let form = match parameter.form {
            ParameterForm::Schema => "schema",
            ParameterForm::Form => "form",
            ParameterForm::Llm => "llm",
        };
        Self { name: parameter.name, description: parameter.description, form: form.to_owned() }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WorkflowToolCreatePayload {
    /// Letters, digits, underscores.
    #[garde(custom(check_name))]
    name: String,
    label: String,
    description: String,
    /// `{content, background}`.
    #[schema(value_type = Object)]
    icon: Map<String, Value>,
    #[serde(default)]
    parameters: Vec<WorkflowToolParameter>,
    #[serde(default)]
    privacy_policy: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    workflow_app_id: AppId,
}

/// Publish a workflow as a tool.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/workflow/create",
    tag = "workflow tool",
    request_body = WorkflowToolCreatePayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn create_workflow_tool(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<WorkflowToolCreatePayload>,
) -> Result<Json<Success>, ApiError> {
    let content = Content {
        name: body.name,
        label: body.label,
        description: body.description,
        icon: body.icon,
        parameters: body.parameters.into_iter().map(Into::into).collect(),
        privacy_policy: Some(body.privacy_policy.unwrap_or_default()),
        labels: Some(body.labels.unwrap_or_default()),
    };
    let app = body.workflow_app_id;
    tool::create(&state.ctx, user.tenant, user.account.id, app, content).await?;
    Ok(Success::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WorkflowToolUpdatePayload {
    /// Letters, digits, underscores.
    #[garde(custom(check_name))]
    name: String,
    label: String,
    description: String,
    /// `{content, background}`.
    #[schema(value_type = Object)]
    icon: Map<String, Value>,
    #[serde(default)]
    parameters: Vec<WorkflowToolParameter>,
    #[serde(default)]
    privacy_policy: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    workflow_tool_id: Uuid,
}

/// Change a tool, and let it run the version the app runs.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/workflow/update",
    tag = "workflow tool",
    request_body = WorkflowToolUpdatePayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn update_workflow_tool(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<WorkflowToolUpdatePayload>,
) -> Result<Json<Success>, ApiError> {
    let content = Content {
        name: body.name,
        label: body.label,
        description: body.description,
        icon: body.icon,
        parameters: body.parameters.into_iter().map(Into::into).collect(),
        privacy_policy: Some(body.privacy_policy.unwrap_or_default()),
        labels: Some(body.labels.unwrap_or_default()),
    };
    tool::update(&state.ctx, user.tenant, body.workflow_tool_id, content).await?;
    Ok(Success::new())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WorkflowToolDeletePayload {
    workflow_tool_id: Uuid,
}

/// Withdraw a tool.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/tool-provider/workflow/delete",
    tag = "workflow tool",
    request_body = WorkflowToolDeletePayload,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn delete_workflow_tool(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<WorkflowToolDeletePayload>,
) -> Result<Json<Success>, ApiError> {
    tool::delete(&state.ctx, user.tenant, body.workflow_tool_id).await?;
    Ok(Success::new())
}

/// A text in the console's languages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[expect(non_snake_case, reason = "the names on the wire")]
struct WorkflowToolText {
    en_US: String,
    zh_Hans: String,
    pt_BR: String,
    ja_JP: String,
}

impl From<Text> for WorkflowToolText {
    fn from(text: Text) -> Self {
        Self { en_US: text.en_US, zh_Hans: text.zh_Hans, pt_BR: text.pt_BR, ja_JP: text.ja_JP }
    }
}

/// A tool as agents and workflows see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowToolEntity {
    author: String,
    name: String,
    label: WorkflowToolText,
    description: WorkflowToolText,
    #[schema(value_type = Vec<Object>)]
    parameters: Vec<Value>,
    labels: Vec<String>,
    /// A JSON schema.
    #[schema(value_type = Object)]
    output_schema: Value,
}

impl WorkflowToolEntity {
    fn new(tool: Tool, keep_empty_schemas: bool) -> Self {
        let parameters = tool.parameters.iter();
        Self {
            parameters: parameters.map(|it| parameter(it, keep_empty_schemas)).collect(),
            author: tool.author,
            name: tool.name,
            label: tool.label.into(),
            description: tool.description.into(),
            labels: tool.labels,
            output_schema: tool.output_schema,
        }
    }
}

/// Lists of providers leave out the schema of parameters that have none.
fn parameter(parameter: &Parameter, keep_empty_schemas: bool) -> Value {
    let mut shown = serde_json::to_value(parameter).unwrap_or_default();
    if parameter.input_schema.is_none()
        && !keep_empty_schemas
        && let Some(shown) = shown.as_object_mut()
    {
        shown.shift_remove("input_schema");
    }
    shown
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowToolQuery {
    workflow_tool_id: Option<Uuid>,
    /// Asked instead: the tool of an app.
    workflow_app_id: Option<AppId>,
}

/// The settings of a tool.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowTool {
    name: String,
    label: String,
    workflow_tool_id: Uuid,
    workflow_app_id: AppId,
    #[schema(value_type = Object)]
    icon: Value,
    description: String,
    #[schema(value_type = Vec<Object>)]
    parameters: Vec<Configured>,
    #[schema(value_type = Object)]
    output_schema: Value,
    tool: WorkflowToolEntity,
    /// Whether it runs the version the app runs.
    synced: bool,
    privacy_policy: Option<String>,
}

/// The settings of a tool, by its id or its app's.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/workflow/get",
    tag = "workflow tool",
    params(WorkflowToolQuery),
    responses((status = 200, body = WorkflowTool), (status = "4XX", body = ErrorBody)),
)]
async fn find_workflow_tool(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<WorkflowToolQuery>,
) -> Result<Json<WorkflowTool>, ApiError> {
    let which = match (query.workflow_tool_id, query.workflow_app_id) {
        (Some(id), _) => Which::Tool(id),
        (None, Some(app)) => Which::OfApp(app),
        (None, None) => {
            return Err(ApiError::invalid_param(
                "1 validation error for WorkflowToolGetQuery\n  Value error, workflow_tool_id or workflow_app_id is \
                 required [type=value_error, input_type=dict]",
            ));
        }
    };
    let Settings { row, icon, parameters, tool, is_synced } =
        tool::settings(&state.ctx, user.tenant, which).await?;
    Ok(Json(WorkflowTool {
        name: row.name,
        label: row.label,
        workflow_tool_id: row.id,
        workflow_app_id: row.app_id,
        icon,
        description: row.description,
        parameters,
        output_schema: tool.output_schema.clone(),
        tool: WorkflowToolEntity::new(tool, true),
        synced: is_synced,
        privacy_policy: row.privacy_policy,
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowToolListQuery {
    workflow_tool_id: Uuid,
}

/// The one tool of a provider.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tool-provider/workflow/tools",
    tag = "workflow tool",
    params(WorkflowToolListQuery),
    responses((status = 200, body = Vec<WorkflowToolEntity>), (status = "4XX", body = ErrorBody)),
)]
async fn list_tools_of_workflow_tool(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<WorkflowToolListQuery>,
) -> Result<Json<Vec<WorkflowToolEntity>>, ApiError> {
    let tools = tool::tools(&state.ctx, user.tenant, query.workflow_tool_id).await?;
    Ok(Json(tools.into_iter().map(|tool| WorkflowToolEntity::new(tool, true)).collect()))
}

/// A workflow in the list of tool providers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowToolProvider {
    id: Uuid,
    author: String,
    name: String,
    /// Always null: no plugin brings it.
    plugin_id: Option<String>,
    /// Always null: no plugin brings it.
    plugin_unique_identifier: Option<String>,
    description: WorkflowToolText,
    #[schema(value_type = Object)]
    icon: Value,
    icon_dark: &'static str,
    label: WorkflowToolText,
    r#type: &'static str,
    #[schema(value_type = Object)]
    team_credentials: Map<String, Value>,
    is_team_authorization: bool,
    allow_delete: bool,
    tools: Vec<WorkflowToolEntity>,
    labels: Vec<String>,
    workflow_app_id: AppId,
}

impl From<Provider> for WorkflowToolProvider {
    fn from(provider: Provider) -> Self {
        let Provider { row, icon, author, labels, tool } = provider;
        Self {
            id: row.id,
            author,
            plugin_id: None,
            plugin_unique_identifier: None,
            description: Text::new(&row.description).into(),
            icon,
            icon_dark: "",
            label: Text::new(&row.label).into(),
            name: row.label,
            r#type: "workflow",
            team_credentials: Map::new(),
            is_team_authorization: true,
            allow_delete: true,
            tools: vec![WorkflowToolEntity::new(tool, false)],
            labels,
            workflow_app_id: row.app_id,
        }
    }
}

/// The workflows of the workspace that are tools.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/tools/workflow",
    tag = "workflow tool",
    responses((status = 200, body = Vec<WorkflowToolProvider>), (status = "4XX", body = ErrorBody)),
)]
async fn list_workflow_tools(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Vec<WorkflowToolProvider>>, ApiError> {
    let providers = tool::list(&state.ctx, user.tenant).await?;
    Ok(Json(providers.into_iter().map(Into::into).collect()))
}
