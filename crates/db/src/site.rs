//! `sites`: the web app of an app.

use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::AppId;
use uuid::Uuid;

use crate::Result;

/// The web app of an app.
#[derive(Debug, Clone)]
pub struct Site {
    /// The row.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// Title of the page.
    pub title: String,
    /// `emoji`, `image` or `link`.
    pub icon_type: Option<String>,
    /// See the app's icon.
    pub icon: Option<String>,
    /// See the app's icon.
    pub icon_background: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Like `en-US`.
    pub default_language: String,
    /// Theme colour of the chat.
    pub chat_color_theme: Option<String>,
    /// Whether that theme is inverted.
    pub chat_color_theme_inverted: bool,
    /// Text of the footer.
    pub copyright: Option<String>,
    /// URL of the privacy policy.
    pub privacy_policy: Option<String>,
    /// Whether the page shows the steps of a workflow.
    pub show_workflow_steps: bool,
    /// See the app.
    pub use_icon_as_answer_icon: bool,
    /// Text below the input.
    pub custom_disclaimer: String,
    /// A domain of its own.
    pub customize_domain: Option<String>,
    /// `must`, `allow` or `not_allow`.
    pub customize_token_strategy: String,
    /// Whether the prompt may be seen.
    pub prompt_public: bool,
    /// `normal` or otherwise closed.
    pub status: String,
    /// 16 letters and digits; part of the page's URL.
    pub code: Option<String>,
    /// Account that made it.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// The open web app behind a code. The code is what a visitor holds.
#[tracing::instrument(name = "db.site.find_by_code", skip_all, err)]
pub async fn find_by_code(db: &mut PgConnection, code: &str) -> Result<Option<Site>> {
    Ok(sqlx::query_as!(
        Site,
        r#"
        SELECT id, app_id, title, icon_type, icon, icon_background, description, default_language, chat_color_theme,
               chat_color_theme_inverted, copyright, privacy_policy, show_workflow_steps, use_icon_as_answer_icon,
               custom_disclaimer, customize_domain, customize_token_strategy, prompt_public, status, code, created_by,
               created_at, updated_by, updated_at
        FROM sites
        WHERE code = $1 AND status = 'normal'
        "#,
        code,
    )
    .fetch_optional(db)
    .await?)
}

/// The web app of an app.
#[tracing::instrument(name = "db.site.find_by_app", skip_all, err)]
pub async fn find_by_app(db: &mut PgConnection, app: AppId) -> Result<Option<Site>> {
    Ok(sqlx::query_as!(
        Site,
        r#"
        SELECT id, app_id, title, icon_type, icon, icon_background, description, default_language, chat_color_theme,
               chat_color_theme_inverted, copyright, privacy_policy, show_workflow_steps, use_icon_as_answer_icon,
               custom_disclaimer, customize_domain, customize_token_strategy, prompt_public, status, code, created_by,
               created_at, updated_by, updated_at
        FROM sites
        WHERE app_id = $1
        "#,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}
