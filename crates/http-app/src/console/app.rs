//! `/console/api/apps`, `/console/api/apps/{app_id}`

use axum::{extract::State, http::StatusCode};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid,
    extract::NoContent,
    guard::{Console, Editor},
    validation::lax,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use services_app::{
    AppMode, Ports,
    app::{self, CreateApp, EditApp as Edit, ListApps, Listed},
    detail, icon, json,
    model_config::stored,
};
use types::{AppId, page::Limit};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::{EditApp, ReadApp},
    host::HostUrl,
    wire::{AppDetail, AppDetailWithSite, Tag, WorkflowPartial},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_apps, create_app)).routes(routes!(
        get_app_detail,
        update_app,
        delete_app
    ))
}

/// Modes a list can be narrowed to; `all` and `channel` narrow nothing.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ModeFilter {
    Completion,
    Chat,
    AdvancedChat,
    Workflow,
    AgentChat,
    Channel,
    All,
}

impl ModeFilter {
    fn mode(self) -> Option<AppMode> {
        match self {
            Self::Completion => Some(AppMode::Completion),
            Self::Chat => Some(AppMode::Chat),
            Self::AdvancedChat => Some(AppMode::AdvancedChat),
            Self::Workflow => Some(AppMode::Workflow),
            Self::AgentChat => Some(AppMode::AgentChat),
            Self::Channel | Self::All => None,
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct AppListQuery {
    #[garde(range(min = 1, max = 99_999))]
    #[serde(default = "one", deserialize_with = "lax::integer")]
    page: i64,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "twenty", deserialize_with = "lax::integer")]
    limit: i64,
    #[serde(default = "every_mode")]
    mode: ModeFilter,
    name: Option<String>,
    /// Ids, separated by commas.
    #[serde(default, deserialize_with = "ids")]
    #[param(value_type = Option<String>)]
    tag_ids: Option<Vec<Uuid>>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    is_created_by_me: Option<bool>,
}

fn one() -> i64 {
    1
}

fn twenty() -> i64 {
    20
}

fn every_mode() -> ModeFilter {
    ModeFilter::All
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Uuid>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    let ids: Result<Vec<Uuid>, _> =
        text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::parse).collect();
    let ids = ids.map_err(|_| de::Error::custom("Invalid UUID format in tag_ids."))?;
    Ok(if ids.is_empty() { None } else { Some(ids) })
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppPagination {
    page: i64,
    limit: i64,
    total: i64,
    has_more: bool,
    data: Vec<AppPartial>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ModelConfigPartial {
    #[schema(value_type = Object)]
    model: Value,
    pre_prompt: Option<String>,
    created_by: Option<Uuid>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
}

impl From<db::app_model_config::Summary> for ModelConfigPartial {
    fn from(config: db::app_model_config::Summary) -> Self {
        Self {
            model: stored::parse(&config.model, || Value::Object(json::Object::new())),
            pre_prompt: config.pre_prompt,
            created_by: config.created_by,
            created_at: config.created_at.and_utc().timestamp(),
            updated_by: config.updated_by,
            updated_at: config.updated_at.and_utc().timestamp(),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppPartial {
    id: AppId,
    name: String,
    max_active_requests: Option<i32>,
    /// The description, or else the beginning of the prompt.
    description: String,
    mode: String,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    icon_url: Option<String>,
    model_config: Option<ModelConfigPartial>,
    workflow: Option<WorkflowPartial>,
    use_icon_as_answer_icon: bool,
    created_by: Option<Uuid>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
    tags: Vec<Tag>,
    /// Always nothing in this edition.
    access_mode: Option<String>,
    /// Always nothing: the reference has the field and does not fill it.
    create_user_name: Option<String>,
    author_name: Option<String>,
    has_draft_trigger: bool,
}

impl AppPartial {
    fn new(state: &AppState, listed: Listed) -> Self {
        let app = listed.app;
        Self {
            icon_url: icon::url(&state.ctx, app.icon_type.as_deref(), app.icon.as_deref()),
            id: app.id,
            name: app.name,
            max_active_requests: app.max_active_requests,
            description: listed.description,
            mode: listed.mode,
            icon_type: app.icon_type,
            icon: app.icon,
            icon_background: app.icon_background,
            model_config: listed.config.map(Into::into),
            workflow: listed.workflow.map(Into::into),
            use_icon_as_answer_icon: app.use_icon_as_answer_icon,
            created_by: app.created_by,
            created_at: app.created_at.and_utc().timestamp(),
            updated_by: app.updated_by,
            updated_at: app.updated_at.and_utc().timestamp(),
            tags: listed.tags.into_iter().map(Into::into).collect(),
            access_mode: None,
            create_user_name: None,
            author_name: listed.author,
            has_draft_trigger: listed.has_draft_trigger,
        }
    }
}

/// A page of the workspace's apps, newest first.
#[utoipa::path(
    get,
    path = "/console/api/apps",
    tag = "app",
    params(AppListQuery),
    responses((status = 200, body = AppPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_apps(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<AppListQuery>,
) -> Result<Json<AppPagination>, ApiError> {
    let cmd = ListApps {
        tenant: user.tenant,
        mode: query.mode.mode(),
        creator: query.is_created_by_me.unwrap_or(false).then_some(user.account.id),
        name: query.name,
        tags: query.tag_ids,
        window: Limit { page: query.page, limit: query.limit },
    };
    let page = app::list(&state.ctx, cmd).await?.map(|listed| AppPartial::new(&state, listed));
    Ok(Json(AppPagination {
        page: page.page,
        limit: page.limit,
        total: page.total,
        has_more: page.has_more,
        data: page.data,
    }))
}

/// Modes an app can be made with.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum NewMode {
    Chat,
    AgentChat,
    AdvancedChat,
    Workflow,
    Completion,
}

impl From<NewMode> for AppMode {
    fn from(mode: NewMode) -> Self {
        match mode {
            NewMode::Chat => Self::Chat,
            NewMode::AgentChat => Self::AgentChat,
            NewMode::AdvancedChat => Self::AdvancedChat,
            NewMode::Workflow => Self::Workflow,
            NewMode::Completion => Self::Completion,
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CreateAppPayload {
    #[garde(length(chars, min = 1))]
    name: String,
    #[garde(length(chars, max = 400))]
    description: Option<String>,
    mode: NewMode,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
}

/// Make an app.
#[utoipa::path(
    post,
    path = "/console/api/apps",
    tag = "app",
    request_body = CreateAppPayload,
    responses((status = 201, body = AppDetail), (status = "4XX", body = ErrorBody)),
)]
async fn create_app(
    State(state): State<AppState>,
    ports: Part<Ports>,
    Editor(user): Editor,
    Valid(body): Valid<CreateAppPayload>,
) -> Result<(StatusCode, Json<AppDetail>), ApiError> {
    let cmd = CreateApp {
        tenant: user.tenant,
        name: body.name,
        description: body.description.unwrap_or_default(),
        mode: body.mode.into(),
        icon_type: body.icon_type,
        icon: body.icon,
        icon_background: body.icon_background,
    };
    let made = app::create(&state.ctx, &ports, &user.account, cmd).await?;
    let detail = detail::of(&state.ctx, made).await?;
    Ok((StatusCode::CREATED, Json(detail.into())))
}

/// An app with its web app and configuration.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}",
    tag = "app",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AppDetailWithSite), (status = "4XX", body = ErrorBody)),
)]
async fn get_app_detail(
    State(state): State<AppState>,
    ports: Part<Ports>,
    ReadApp { app }: ReadApp,
    HostUrl(host): HostUrl,
) -> Result<Json<AppDetailWithSite>, ApiError> {
    let full = detail::full(&state.ctx, &ports, app).await?;
    Ok(Json(AppDetailWithSite::new(full, &host, &state.ctx.config)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct UpdateAppPayload {
    #[garde(length(chars, min = 1))]
    name: String,
    #[garde(length(chars, max = 400))]
    description: Option<String>,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    use_icon_as_answer_icon: Option<bool>,
    #[serde(default, deserialize_with = "lax::optional_integer")]
    #[garde(range(min = i64::from(i32::MIN), max = i64::from(i32::MAX)))]
    max_active_requests: Option<i64>,
}

impl UpdateAppPayload {
    fn command(self) -> Edit {
        Edit {
            name: self.name,
            description: self.description.unwrap_or_default(),
            icon_type: self.icon_type.unwrap_or_default(),
            icon: self.icon.unwrap_or_default(),
            icon_background: self.icon_background.unwrap_or_default(),
            use_icon_as_answer_icon: self.use_icon_as_answer_icon.unwrap_or(false),
            max_active_requests: self
                .max_active_requests
                .and_then(|most| i32::try_from(most).ok())
                .unwrap_or(0),
        }
    }
}

/// Replace an app's name, description, icon and limit of concurrent runs.
#[utoipa::path(
    put,
    path = "/console/api/apps/{app_id}",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = UpdateAppPayload,
    responses((status = 200, body = AppDetailWithSite), (status = "4XX", body = ErrorBody)),
)]
async fn update_app(
    State(state): State<AppState>,
    ports: Part<Ports>,
    EditApp { user, app }: EditApp,
    HostUrl(host): HostUrl,
    Valid(body): Valid<UpdateAppPayload>,
) -> Result<Json<AppDetailWithSite>, ApiError> {
    let app = app::edit(&state.ctx, &app, user.account.id, body.command()).await?;
    let full = detail::full(&state.ctx, &ports, app).await?;
    Ok(Json(AppDetailWithSite::new(full, &host, &state.ctx.config)))
}

/// Delete an app; what belonged to it goes in the background.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}",
    tag = "app",
    params(("app_id" = AppId, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_app(
    State(state): State<AppState>,
    EditApp { app, .. }: EditApp,
) -> Result<NoContent, ApiError> {
    app::delete(&state.ctx, &app).await?;
    Ok(NoContent)
}
