//! `sites`: the web app of an app.

use boxed::boxed;
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
#[boxed]
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
#[boxed]
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

/// The web app of a new app.
#[derive(Debug, Clone)]
pub struct NewSite<'a> {
    /// The app.
    pub app: AppId,
    /// Title of the page.
    pub title: &'a str,
    /// See the app's icon.
    pub icon_type: Option<&'a str>,
    /// See the app's icon.
    pub icon: Option<&'a str>,
    /// See the app's icon.
    pub icon_background: Option<&'a str>,
    /// Like `en-US`.
    pub default_language: &'a str,
    /// See [`Site::code`].
    pub code: &'a str,
    /// Who makes it.
    pub by: Uuid,
    /// When.
    pub now: NaiveDateTime,
}

/// What an edit of a web app replaces; `None` keeps what is there.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Site again")]
pub struct SiteChanges {
    pub title: Option<String>,
    pub icon_type: Option<String>,
    pub icon: Option<String>,
    pub icon_background: Option<String>,
    pub description: Option<String>,
    pub default_language: Option<String>,
    pub chat_color_theme: Option<String>,
    pub chat_color_theme_inverted: Option<bool>,
    pub customize_domain: Option<String>,
    pub copyright: Option<String>,
    pub privacy_policy: Option<String>,
    pub custom_disclaimer: Option<String>,
    pub customize_token_strategy: Option<String>,
    pub prompt_public: Option<bool>,
    pub show_workflow_steps: Option<bool>,
    pub use_icon_as_answer_icon: Option<bool>,
}

/// Makes the web app of an app.
#[tracing::instrument(name = "db.site.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: &NewSite<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO sites (app_id, title, icon_type, icon, icon_background, default_language, customize_token_strategy,
                           custom_disclaimer, code, created_by, created_at, updated_by, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'not_allow', '', $7, $8, $9, $8, $9)
        "#,
        new.app as _,
        new.title,
        new.icon_type,
        new.icon,
        new.icon_background,
        new.default_language,
        new.code,
        new.by,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Changes the web app of an app. Answers whether it has one.
#[tracing::instrument(name = "db.site.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    app: AppId,
    changes: &SiteChanges,
    by: Uuid,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE sites
        SET title = coalesce($2, title),
            icon_type = coalesce($3, icon_type),
            icon = coalesce($4, icon),
            icon_background = coalesce($5, icon_background),
            description = coalesce($6, description),
            default_language = coalesce($7, default_language),
            chat_color_theme = coalesce($8, chat_color_theme),
            chat_color_theme_inverted = coalesce($9, chat_color_theme_inverted),
            customize_domain = coalesce($10, customize_domain),
            copyright = coalesce($11, copyright),
            privacy_policy = coalesce($12, privacy_policy),
            custom_disclaimer = coalesce($13, custom_disclaimer),
            customize_token_strategy = coalesce($14, customize_token_strategy),
            prompt_public = coalesce($15, prompt_public),
            show_workflow_steps = coalesce($16, show_workflow_steps),
            use_icon_as_answer_icon = coalesce($17, use_icon_as_answer_icon),
            updated_by = $18,
            updated_at = $19
        WHERE app_id = $1
        "#,
        app as _,
        changes.title,
        changes.icon_type,
        changes.icon,
        changes.icon_background,
        changes.description,
        changes.default_language,
        changes.chat_color_theme,
        changes.chat_color_theme_inverted,
        changes.customize_domain,
        changes.copyright,
        changes.privacy_policy,
        changes.custom_disclaimer,
        changes.customize_token_strategy,
        changes.prompt_public,
        changes.show_workflow_steps,
        changes.use_icon_as_answer_icon,
        by,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Gives the web app of an app another code. Answers whether it has one.
#[tracing::instrument(name = "db.site.set_code", skip_all, err)]
#[boxed]
pub async fn set_code(
    db: &mut PgConnection,
    app: AppId,
    code: &str,
    by: Uuid,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE sites SET code = $2, updated_by = $3, updated_at = $4 WHERE app_id = $1",
        app as _,
        code,
        by,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
