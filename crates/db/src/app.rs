//! `apps`.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, AppModelConfigId, TenantId, WorkflowId};
use uuid::Uuid;

use crate::Result;

mod deletion;
mod list;
mod lookup;
mod write;

pub use deletion::{draft_variable_files, forget_draft_variable_files, purge};
pub use list::{AppFilter, AppTag, count, list, tags, with_draft_trigger};
pub use lookup::{
    AnnotationReply, LastAnswer, LastNodeRun, accounts_names, annotation_reply, api_tool_icon,
    known_api_tools, last_answer, last_node_run,
};
pub use write::{
    AppChanges, NewApp, delete, enable_api, enable_site, insert, rename, set_icon, set_mode,
    set_model_config, set_tracing, set_workflow, update,
};

/// An app of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct App {
    /// The app.
    pub id: AppId,
    /// Its workspace.
    pub tenant_id: TenantId,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// `completion`, `chat`, `agent-chat`, `advanced-chat` or `workflow`.
    pub mode: String,
    /// `emoji`, `image` or `link`.
    pub icon_type: Option<String>,
    /// An emoji's name, an upload file's id or a URL.
    pub icon: Option<String>,
    /// Like `#FFEAD5`.
    pub icon_background: Option<String>,
    /// The configuration in force of a basic app.
    pub app_model_config_id: Option<AppModelConfigId>,
    /// The published workflow.
    pub workflow_id: Option<WorkflowId>,
    /// `normal` or `archive`.
    pub status: String,
    /// Whether the web app answers.
    pub enable_site: bool,
    /// Whether the service API answers.
    pub enable_api: bool,
    /// Requests a minute; 0 = unlimited.
    pub api_rpm: i32,
    /// Requests an hour; 0 = unlimited.
    pub api_rph: i32,
    /// Unused by this edition.
    pub is_demo: bool,
    /// Whether others may install it.
    pub is_public: bool,
    /// Unused by this edition.
    pub is_universal: bool,
    /// JSON: which tracing provider, and whether it is on.
    pub tracing: Option<String>,
    /// Runs at once; `None` = the server's default.
    pub max_active_requests: Option<i32>,
    /// Whether the web app shows the icon beside answers.
    pub use_icon_as_answer_icon: bool,
    /// Account that made it.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// The app, if it is `tenant`'s and not archived.
#[tracing::instrument(name = "db.app.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, tenant: TenantId, id: AppId) -> Result<Option<App>> {
    Ok(sqlx::query_as!(
        App,
        r#"
        SELECT id, tenant_id, name, description, mode, icon_type, icon, icon_background, app_model_config_id, workflow_id,
               status, enable_site, enable_api, api_rpm, api_rph, is_demo, is_public, is_universal, tracing,
               max_active_requests, use_icon_as_answer_icon, created_by, created_at, updated_by, updated_at
        FROM apps
        WHERE tenant_id = $1 AND id = $2 AND status = 'normal'
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The app a token names, whatever its status. Only for callers that hold a credential of the app itself (an API key,
/// a web passport, a trigger's secret path), which is what proves that they may see it.
#[tracing::instrument(name = "db.app.find_by_credential", skip_all, err)]
#[boxed]
pub async fn find_by_credential(db: &mut PgConnection, id: AppId) -> Result<Option<App>> {
    Ok(sqlx::query_as!(
        App,
        r#"
        SELECT id, tenant_id, name, description, mode, icon_type, icon, icon_background, app_model_config_id, workflow_id,
               status, enable_site, enable_api, api_rpm, api_rph, is_demo, is_public, is_universal, tracing,
               max_active_requests, use_icon_as_answer_icon, created_by, created_at, updated_by, updated_at
        FROM apps
        WHERE id = $1
        "#,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}
