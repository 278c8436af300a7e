//! `/console/api/apps/{app_id}/workflows/draft/…-variables`: what debugging left behind.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_core::Ctx;
use services_workflow::{
    draft,
    draft_variable::{self, DraftVariable, Listed, load},
    run::SignedUrls,
    variable::Variable,
};
use types::{AppId, Limit, UploadFileId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::{AppOf, Flows},
    wire,
};

/// 204, typed as the reference types it here.
struct Gone;

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, "text/html; charset=utf-8")])
            .into_response()
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_draft_variables, delete_draft_variables))
        .routes(routes!(list_node_draft_variables, delete_node_draft_variables))
        .routes(routes!(find_draft_variable, update_draft_variable, delete_draft_variable))
        .routes(routes!(reset_draft_variable))
        .routes(routes!(list_conversation_draft_variables))
        .routes(routes!(list_system_draft_variables))
        .routes(routes!(list_environment_draft_variables))
}

/// A variable without its value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowDraftVariableWithoutValue {
    id: Uuid,
    /// `node`, `conversation` or `sys`.
    r#type: &'static str,
    name: String,
    description: String,
    selector: Vec<String>,
    value_type: &'static str,
    /// Whether somebody changed it by hand.
    edited: bool,
    visible: bool,
    /// Whether the editor is shown only a part of the value.
    is_truncated: bool,
}

/// A variable.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowDraftVariable {
    id: Uuid,
    /// `node`, `conversation` or `sys`.
    r#type: &'static str,
    name: String,
    description: String,
    selector: Vec<String>,
    value_type: &'static str,
    /// Whether somebody changed it by hand.
    edited: bool,
    visible: bool,
    /// Whether `value` is only a part.
    is_truncated: bool,
    #[schema(value_type = Object)]
    value: Value,
    full_content: Option<FullContent>,
}

/// Where the whole of a large value is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FullContent {
    size_bytes: Option<i64>,
    value_type: &'static str,
    /// Items, if it has some.
    length: Option<i32>,
    download_url: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowDraftVariableListWithoutValue {
    items: Vec<WorkflowDraftVariableWithoutValue>,
    /// Only the first page says it.
    total: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowDraftVariableList {
    items: Vec<WorkflowDraftVariable>,
}

fn kind(node: &str) -> &'static str {
    match node {
        draft_variable::CONVERSATION => "conversation",
        draft_variable::SYSTEM => "sys",
        _ => "node",
    }
}

fn selector(stored: &str) -> Vec<String> {
    serde_json::from_str(stored).unwrap_or_default()
}

fn exposed(stored: &str) -> &'static str {
    stored.parse().unwrap_or(graph::SegmentType::String).exposed().as_str()
}

impl From<Listed> for WorkflowDraftVariableWithoutValue {
    fn from(row: Listed) -> Self {
        Self {
            id: row.id,
            r#type: kind(&row.node_id),
            name: row.name,
            description: row.description,
            selector: selector(&row.selector),
            value_type: exposed(&row.value_type),
            edited: row.last_edited_at.is_some(),
            visible: row.visible,
            is_truncated: row.file_id.is_some(),
        }
    }
}

impl WorkflowDraftVariable {
    fn new(ctx: &Ctx, row: DraftVariable) -> Self {
        let value = load::shown(&row).value;
        let upload = row.upload_file_id.filter(|_| row.file_id.is_some());
        Self {
            id: row.id,
            r#type: kind(&row.node_id),
            description: row.description,
            selector: selector(&row.selector),
            value_type: exposed(&row.value_type),
            edited: row.last_edited_at.is_some(),
            visible: row.visible,
            is_truncated: row.file_id.is_some(),
            value: draft_variable::shown_value(&value, &SignedUrls(ctx.clone())),
            full_content: upload.map(|upload| FullContent {
                size_bytes: row.file_size,
                value_type: exposed(row.file_value_type.as_deref().unwrap_or_default()),
                length: row.file_length,
                download_url: services_platform::links::upload_attachment(
                    ctx,
                    UploadFileId(upload),
                ),
            }),
            name: row.name,
        }
    }
}

fn list(ctx: &Ctx, rows: Vec<DraftVariable>) -> Json<WorkflowDraftVariableList> {
    let items = rows.into_iter().map(|row| WorkflowDraftVariable::new(ctx, row)).collect();
    Json(WorkflowDraftVariableList { items })
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
struct WorkflowDraftVariableListQuery {
    #[serde(default = "wire::one")]
    #[garde(range(min = 1, max = 100_000))]
    page: i64,
    #[serde(default = "wire::twenty")]
    #[garde(range(min = 1, max = 100))]
    limit: i64,
}

/// All variables of a draft, without their values.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), WorkflowDraftVariableListQuery),
    responses((status = 200, body = WorkflowDraftVariableListWithoutValue), (status = "4XX", body = ErrorBody)),
)]
async fn list_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Query(query): Query<WorkflowDraftVariableListQuery>,
) -> Result<Json<WorkflowDraftVariableListWithoutValue>, ApiError> {
    let limit = Limit { page: query.page, limit: query.limit };
    let page = draft_variable::page(&state.ctx, &app, user.account.id, limit).await?;
    Ok(Json(WorkflowDraftVariableListWithoutValue {
        items: page.items.into_iter().map(Into::into).collect(),
        total: page.total,
    }))
}

/// Delete all variables of a draft.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/workflows/draft/variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
) -> Result<Gone, ApiError> {
    draft_variable::delete_many(&state.ctx, &app, user.account.id, None).await?;
    Ok(Gone)
}

/// The variables of a node.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/nodes/{node_id}/variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    responses((status = 200, body = WorkflowDraftVariableList), (status = "4XX", body = ErrorBody)),
)]
async fn list_node_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, node)): Path<(AppId, String)>,
) -> Result<Json<WorkflowDraftVariableList>, ApiError> {
    let rows = draft_variable::of_node(&state.ctx, &app, user.account.id, &node).await?;
    Ok(list(&state.ctx, rows))
}

/// Delete the variables of a node.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/workflows/draft/nodes/{node_id}/variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_node_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, node)): Path<(AppId, String)>,
) -> Result<Gone, ApiError> {
    draft_variable::delete_many(&state.ctx, &app, user.account.id, Some(&node)).await?;
    Ok(Gone)
}

/// A variable.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/variables/{variable_id}",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("variable_id" = Uuid, Path)),
    responses((status = 200, body = WorkflowDraftVariable), (status = "4XX", body = ErrorBody)),
)]
async fn find_draft_variable(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, id)): Path<(AppId, Uuid)>,
) -> Result<Json<WorkflowDraftVariable>, ApiError> {
    let row = draft_variable::find(&state.ctx, &app, user.account.id, id).await?;
    Ok(Json(WorkflowDraftVariable::new(&state.ctx, row)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WorkflowDraftVariableUpdatePayload {
    name: Option<String>,
    /// Of the variable's type.
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
}

/// Rename a variable, or change its value.
#[utoipa::path(
    patch,
    path = "/console/api/apps/{app_id}/workflows/draft/variables/{variable_id}",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("variable_id" = Uuid, Path)),
    request_body = WorkflowDraftVariableUpdatePayload,
    responses((status = 200, body = WorkflowDraftVariable), (status = "4XX", body = ErrorBody)),
)]
async fn update_draft_variable(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, id)): Path<(AppId, Uuid)>,
    Valid(body): Valid<WorkflowDraftVariableUpdatePayload>,
) -> Result<Json<WorkflowDraftVariable>, ApiError> {
    let (ctx, by) = (&state.ctx, user.account.id);
    let row = draft_variable::change(ctx, &app, by, id, body.name.as_deref(), body.value).await?;
    Ok(Json(WorkflowDraftVariable::new(ctx, row)))
}

/// Delete a variable.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/workflows/draft/variables/{variable_id}",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("variable_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_draft_variable(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, id)): Path<(AppId, Uuid)>,
) -> Result<Gone, ApiError> {
    draft_variable::delete(&state.ctx, &app, user.account.id, id).await?;
    Ok(Gone)
}

/// Put a variable back to what its node or the workflow gave it; 204 if there is nothing to put back.
#[utoipa::path(
    put,
    path = "/console/api/apps/{app_id}/workflows/draft/variables/{variable_id}/reset",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path), ("variable_id" = Uuid, Path)),
    responses((status = 200, body = WorkflowDraftVariable), (status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn reset_draft_variable(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
    Path((_app, id)): Path<(AppId, Uuid)>,
) -> Result<Response, ApiError> {
    let row = draft_variable::reset(&state.ctx, &app, user.account.id, id).await?;
    Ok(match row {
        Some(row) => Json(WorkflowDraftVariable::new(&state.ctx, row)).into_response(),
        None => Gone.into_response(),
    })
}

/// The conversation variables.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/conversation-variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = WorkflowDraftVariableList), (status = "4XX", body = ErrorBody)),
)]
async fn list_conversation_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
) -> Result<Json<WorkflowDraftVariableList>, ApiError> {
    let rows = draft_variable::conversation(&state.ctx, &app, user.account.id).await?;
    Ok(list(&state.ctx, rows))
}

/// The system variables.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/system-variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = WorkflowDraftVariableList), (status = "4XX", body = ErrorBody)),
)]
async fn list_system_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, user, .. }: AppOf<Flows>,
) -> Result<Json<WorkflowDraftVariableList>, ApiError> {
    let rows = draft_variable::system(&state.ctx, &app, user.account.id).await?;
    Ok(list(&state.ctx, rows))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EnvironmentVariableList {
    items: Vec<DraftEnvironmentVariable>,
}

/// An environment variable as the editor's inspector shows it; secrets in the clear.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DraftEnvironmentVariable {
    id: String,
    /// `env`.
    r#type: &'static str,
    name: String,
    description: String,
    selector: Vec<String>,
    value_type: &'static str,
    #[schema(value_type = Object)]
    value: Value,
    edited: bool,
    visible: bool,
    editable: bool,
}

impl From<Variable> for DraftEnvironmentVariable {
    fn from(variable: Variable) -> Self {
        Self {
            id: variable.id,
            r#type: "env",
            name: variable.name,
            description: variable.description,
            selector: variable.selector,
            value_type: variable.kind.exposed().as_str(),
            value: variable.value,
            edited: false,
            visible: true,
            editable: true,
        }
    }
}

/// The environment variables.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/draft/environment-variables",
    tag = "workflow draft variable",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = EnvironmentVariableList), (status = "4XX", body = ErrorBody)),
)]
async fn list_environment_draft_variables(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, .. }: AppOf<Flows>,
) -> Result<Json<EnvironmentVariableList>, ApiError> {
    let variables = draft::environment(&state.ctx, &app).await?;
    Ok(Json(EnvironmentVariableList { items: variables.into_iter().map(Into::into).collect() }))
}
