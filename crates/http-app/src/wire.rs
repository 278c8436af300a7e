//! What several resources answer with.

use db::{app::AppTag, workflow::Stamp};
use serde::Serialize;
use serde_json::Value;
use services_app::detail::{Config, DeletedTool, Detail, FullDetail};
use types::{AppId, TagId, WorkflowId};
use uuid::Uuid;

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    result: &'static str,
}

impl Done {
    pub(crate) const SUCCESS: Self = Self { result: "success" };
}

/// A tag on an app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AppTag)]
pub(crate) struct Tag {
    id: TagId,
    name: String,
    r#type: String,
}

impl From<AppTag> for Tag {
    fn from(tag: AppTag) -> Self {
        Self { id: tag.id, name: tag.name, r#type: tag.r#type }
    }
}

/// Who made and changed a workflow, and when.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkflowPartial {
    id: WorkflowId,
    created_by: Uuid,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
}

impl From<Stamp> for WorkflowPartial {
    fn from(stamp: Stamp) -> Self {
        Self {
            id: stamp.id,
            created_by: stamp.created_by,
            created_at: stamp.created_at.and_utc().timestamp(),
            updated_by: stamp.updated_by,
            updated_at: stamp.updated_at.and_utc().timestamp(),
        }
    }
}

/// The configuration of a basic app: every block of it, as saved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AppModelConfig)]
pub(crate) struct ModelConfig {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    values: serde_json::Map<String, Value>,
    created_by: Option<Uuid>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
}

impl From<Config> for ModelConfig {
    fn from(config: Config) -> Self {
        Self {
            values: config.values,
            created_by: config.row.created_by,
            created_at: config.row.created_at.and_utc().timestamp(),
            updated_by: config.row.updated_by,
            updated_at: config.row.updated_at.and_utc().timestamp(),
        }
    }
}

/// An app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AppDetail {
    id: AppId,
    name: String,
    description: String,
    mode: String,
    icon: Option<String>,
    icon_background: Option<String>,
    enable_site: bool,
    enable_api: bool,
    model_config: Option<ModelConfig>,
    workflow: Option<WorkflowPartial>,
    /// JSON text: which tracing provider, and whether it is on.
    tracing: Option<String>,
    use_icon_as_answer_icon: bool,
    created_by: Option<Uuid>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
    /// Always nothing in this edition.
    access_mode: Option<String>,
    tags: Vec<Tag>,
}

impl From<Detail> for AppDetail {
    fn from(detail: Detail) -> Self {
        let app = detail.app;
        Self {
            id: app.id,
            name: app.name,
            description: app.description,
            mode: app.mode,
            icon: app.icon,
            icon_background: app.icon_background,
            enable_site: app.enable_site,
            enable_api: app.enable_api,
            model_config: detail.config.map(Into::into),
            workflow: detail.workflow.map(Into::into),
            tracing: app.tracing,
            use_icon_as_answer_icon: app.use_icon_as_answer_icon,
            created_by: app.created_by,
            created_at: app.created_at.and_utc().timestamp(),
            updated_by: app.updated_by,
            updated_at: app.updated_at.and_utc().timestamp(),
            access_mode: None,
            tags: detail.tags.into_iter().map(Into::into).collect(),
        }
    }
}

/// A tool of an agent that is gone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeletedTool)]
pub(crate) struct GoneTool {
    /// `builtin` or `api`.
    r#type: String,
    tool_name: String,
    provider_id: String,
}

impl From<DeletedTool> for GoneTool {
    fn from(tool: DeletedTool) -> Self {
        Self { r#type: tool.r#type, tool_name: tool.tool_name, provider_id: tool.provider_id }
    }
}

/// The web app of an app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AppDetailSite)]
pub(crate) struct Site {
    /// The code again, by its old name.
    access_token: Option<String>,
    code: Option<String>,
    title: String,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    icon_url: Option<String>,
    description: Option<String>,
    default_language: String,
    chat_color_theme: Option<String>,
    chat_color_theme_inverted: bool,
    customize_domain: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: String,
    customize_token_strategy: String,
    prompt_public: bool,
    /// Where web apps are.
    app_base_url: String,
    show_workflow_steps: bool,
    use_icon_as_answer_icon: bool,
    created_by: Option<Uuid>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
}

impl Site {
    fn new(site: db::site::Site, icon_url: Option<String>, base: String) -> Self {
        Self {
            access_token: site.code.clone(),
            code: site.code,
            title: site.title,
            icon_type: site.icon_type,
            icon: site.icon,
            icon_background: site.icon_background,
            icon_url,
            description: site.description,
            default_language: site.default_language,
            chat_color_theme: site.chat_color_theme,
            chat_color_theme_inverted: site.chat_color_theme_inverted,
            customize_domain: site.customize_domain,
            copyright: site.copyright,
            privacy_policy: site.privacy_policy,
            custom_disclaimer: site.custom_disclaimer,
            customize_token_strategy: site.customize_token_strategy,
            prompt_public: site.prompt_public,
            app_base_url: base,
            show_workflow_steps: site.show_workflow_steps,
            use_icon_as_answer_icon: site.use_icon_as_answer_icon,
            created_by: site.created_by,
            created_at: site.created_at.and_utc().timestamp(),
            updated_by: site.updated_by,
            updated_at: site.updated_at.and_utc().timestamp(),
        }
    }
}

/// An app with its web app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AppDetailWithSite {
    #[serde(flatten)]
    detail: AppDetail,
    icon_type: Option<String>,
    icon_url: Option<String>,
    /// Where the service API is.
    api_base_url: String,
    max_active_requests: Option<i32>,
    deleted_tools: Vec<GoneTool>,
    site: Option<Site>,
}

impl AppDetailWithSite {
    /// `host` is the address the request came to: the default of both bases.
    pub(crate) fn new(full: FullDetail, host: &str, config: &config::Config) -> Self {
        let settings = &config.feature;
        let or_host = |base: &str| if base.is_empty() { host.to_owned() } else { base.to_owned() };
        let app = &full.detail.app;
        let (icon_type, max_active_requests) = (app.icon_type.clone(), app.max_active_requests);
        Self {
            icon_type,
            icon_url: full.icon_url,
            api_base_url: format!("{}/v1", or_host(&settings.service_api_url)),
            max_active_requests,
            deleted_tools: full.deleted_tools.into_iter().map(Into::into).collect(),
            site: full
                .site
                .map(|site| Site::new(site, full.site_icon_url, or_host(&settings.app_web_url))),
            detail: full.detail.into(),
        }
    }
}
