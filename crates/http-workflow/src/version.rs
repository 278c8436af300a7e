//! `/console/api/apps/{app_id}/workflows`: published versions.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Query, Valid, guard::Editor,
    validation::lax,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_workflow::{variable::Variable, version, view::Version};
use types::{AccountId, AppId, Limit, WorkflowId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, Flows},
    wire::{self, SimpleAccount, epoch},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_workflow_versions))
        .routes(routes!(find_published_workflow, publish_workflow))
        .routes(routes!(update_workflow_version, delete_workflow_version))
}

/// A version of a workflow; every member is null where there is none.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Workflow {
    id: Option<WorkflowId>,
    /// `{nodes, edges, viewport}`.
    #[schema(value_type = Option<Object>)]
    graph: Option<Value>,
    #[schema(value_type = Option<Object>)]
    features: Option<Value>,
    hash: Option<String>,
    /// `draft`, or the time of publication.
    version: Option<String>,
    marked_name: Option<String>,
    marked_comment: Option<String>,
    created_by: Creator,
    /// Unix seconds.
    created_at: Option<i64>,
    updated_by: Option<SimpleAccount>,
    /// Unix seconds.
    updated_at: Option<i64>,
    /// Whether the app is a tool.
    tool_published: Option<bool>,
    environment_variables: Option<Vec<EnvironmentVariable>>,
    conversation_variables: Option<Vec<ConversationVariable>>,
    rag_pipeline_variables: Option<Vec<PipelineVariable>>,
}

/// The account that made a version; its members are null if it is gone.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct Creator {
    id: Option<AccountId>,
    name: Option<String>,
    email: Option<String>,
}

/// An environment variable; a secret's value is stars.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EnvironmentVariable {
    id: String,
    name: String,
    #[schema(value_type = Object)]
    value: Value,
    /// `string`, `number` or `secret`.
    value_type: &'static str,
    description: String,
}

/// A conversation variable.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ConversationVariable {
    id: String,
    name: String,
    value_type: &'static str,
    #[schema(value_type = Object)]
    value: Value,
    description: String,
}

/// A variable of a knowledge pipeline. Two members have names that no stored variable has, as in the reference: they
/// are always null.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PipelineVariable {
    label: Option<String>,
    variable: Option<String>,
    r#type: Option<String>,
    belong_to_node_id: Option<String>,
    max_length: Option<i64>,
    required: Option<bool>,
    unit: Option<String>,
    #[schema(value_type = Option<Object>)]
    default_value: Option<Value>,
    options: Option<Vec<String>>,
    placeholder: Option<String>,
    tooltips: Option<String>,
    allowed_file_types: Option<Vec<String>>,
    allow_file_extension: Option<Vec<String>>,
    allow_file_upload_methods: Option<Vec<String>>,
}

impl From<Version> for Workflow {
    fn from(version: Version) -> Self {
        let row = version.row;
        let creator = version.created_by.map_or_else(Creator::default, |account| Creator {
            id: Some(account.id),
            name: Some(account.name),
            email: Some(account.email),
        });
        Self {
            id: Some(row.id),
            graph: Some(version.graph),
            features: Some(version.features),
            hash: Some(version.hash),
            version: Some(row.version),
            marked_name: Some(row.marked_name),
            marked_comment: Some(row.marked_comment),
            created_by: creator,
            created_at: Some(epoch(row.created_at)),
            updated_by: version.updated_by.map(Into::into),
            updated_at: Some(epoch(row.updated_at)),
            tool_published: Some(version.is_tool),
            environment_variables: Some(
                version.environment_variables.into_iter().map(Into::into).collect(),
            ),
            conversation_variables: Some(
                version.conversation_variables.into_iter().map(Into::into).collect(),
            ),
            rag_pipeline_variables: Some(
                version.pipeline_variables.iter().map(PipelineVariable::new).collect(),
            ),
        }
    }
}

impl From<Variable> for EnvironmentVariable {
    fn from(variable: Variable) -> Self {
        Self {
            id: variable.id,
            name: variable.name,
            value: variable.value,
            value_type: variable.kind.exposed().as_str(),
            description: variable.description,
        }
    }
}

impl From<Variable> for ConversationVariable {
    fn from(variable: Variable) -> Self {
        Self {
            id: variable.id,
            name: variable.name,
            value_type: variable.kind.exposed().as_str(),
            value: variable.value,
            description: variable.description,
        }
    }
}

impl PipelineVariable {
    fn new(stored: &Map<String, Value>) -> Self {
        let text = |key: &str| stored.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| {
            let items = stored.get(key).and_then(Value::as_array)?;
            Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Self {
            label: text("label"),
            variable: text("variable"),
            r#type: text("type"),
            belong_to_node_id: text("belong_to_node_id"),
            max_length: stored.get("max_length").and_then(Value::as_i64),
            required: stored.get("required").and_then(Value::as_bool),
            unit: text("unit"),
            default_value: stored.get("default_value").filter(|it| !it.is_null()).cloned(),
            options: list("options"),
            placeholder: text("placeholder"),
            tooltips: text("tooltips"),
            allowed_file_types: list("allowed_file_types"),
            allow_file_extension: None,
            allow_file_upload_methods: None,
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowListQuery {
    #[serde(default = "wire::one")]
    #[garde(range(min = 1, max = 99_999))]
    page: i64,
    #[serde(default = "ten")]
    #[garde(range(min = 1, max = 100))]
    limit: i64,
    /// Only one's own: one's own id.
    user_id: Option<String>,
    /// Only versions with a name.
    #[serde(default, deserialize_with = "lax::flag")]
    named_only: bool,
}

fn ten() -> i64 {
    10
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowPagination {
    items: Vec<Workflow>,
    page: i64,
    limit: i64,
    has_more: bool,
}

/// The draft and the published versions of an app that was published.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows",
    tag = "workflow",
    params(("app_id" = AppId, Path), WorkflowListQuery),
    responses((status = 200, body = WorkflowPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_workflow_versions(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Query(query): Query<WorkflowListQuery>,
) -> Result<Json<WorkflowPagination>, ApiError> {
    let WorkflowListQuery { page, limit, user_id, named_only } = query;
    let found = version::list(
        &state.ctx,
        &app,
        user.account.id,
        user_id.as_deref(),
        named_only,
        Limit { page, limit },
    );
    let found = found.await?;
    Ok(Json(WorkflowPagination {
        items: found.items.into_iter().map(Into::into).collect(),
        page,
        limit,
        has_more: found.has_more,
    }))
}

/// The version an app runs.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/publish",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Workflow), (status = "4XX", body = ErrorBody)),
)]
async fn find_published_workflow(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    _: Editor,
) -> Result<Json<Workflow>, ApiError> {
    let published = version::published(&state.ctx, &app).await?;
    Ok(Json(published.map_or_else(Workflow::default, Into::into)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct VersionMarks {
    #[garde(inner(length(chars, max = 20)))]
    marked_name: Option<String>,
    #[garde(inner(length(chars, max = 100)))]
    marked_comment: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Published {
    result: &'static str,
    /// Unix seconds.
    created_at: i64,
}

/// Publish the draft of an app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/publish",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    request_body = VersionMarks,
    responses((status = 200, body = Published), (status = "4XX", body = ErrorBody)),
)]
async fn publish_workflow(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Valid(body): Valid<VersionMarks>,
) -> Result<Json<Published>, ApiError> {
    let name = body.marked_name.unwrap_or_default();
    let comment = body.marked_comment.unwrap_or_default();
    let created_at = version::publish(&state.ctx, &app, user.account.id, &name, &comment).await?;
    Ok(Json(Published { result: "success", created_at }))
}

/// Name a version, or comment it.
#[utoipa::path(
    patch,
    path = "/console/api/apps/{app_id}/workflows/{workflow_id}",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("workflow_id" = String, Path)),
    request_body = VersionMarks,
    responses((status = 200, body = Workflow), (status = "4XX", body = ErrorBody)),
)]
async fn update_workflow_version(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Path((_app, id)): Path<(AppId, String)>,
    Valid(body): Valid<VersionMarks>,
) -> Result<Response, ApiError> {
    let (name, comment) = (body.marked_name.as_deref(), body.marked_comment.as_deref());
    if name.is_none() && comment.is_none() {
        // The reference means to say what is missing, but shows it as a version without content.
        return Ok((StatusCode::BAD_REQUEST, Json(Workflow::default())).into_response());
    }
    let marked = version::mark(&state.ctx, &app, &id, user.account.id, name, comment).await?;
    Ok(Json(Workflow::from(marked)).into_response())
}

/// Delete a version that nothing uses.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/workflows/{workflow_id}",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("workflow_id" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_workflow_version(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Flows>,
    _: Editor,
    Path((_app, id)): Path<(AppId, String)>,
) -> Result<NoContent, ApiError> {
    version::delete(&state.ctx, &app, &id).await?;
    Ok(NoContent)
}
