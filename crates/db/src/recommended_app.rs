//! `recommended_apps`: the catalogue an operator keeps in the database. It is the same for every workspace.

use sqlx::PgConnection;
use types::{AppId, TenantId};

use crate::Result;

/// An app of the catalogue.
#[derive(Debug, Clone)]
pub struct RecommendedApp {
    /// The app.
    pub app_id: AppId,
    /// Where the catalogue files it.
    pub category: String,
    /// Its place.
    pub position: i32,
    /// Whether it is shown.
    pub is_listed: bool,
    /// The app's name.
    pub name: String,
    /// The app's mode.
    pub mode: String,
    /// See the app.
    pub icon_type: Option<String>,
    /// See the app.
    pub icon: Option<String>,
    /// See the app.
    pub icon_background: Option<String>,
    /// Of the app's site.
    pub description: Option<String>,
    /// Of the app's site.
    pub copyright: Option<String>,
    /// Of the app's site.
    pub privacy_policy: Option<String>,
    /// Of the app's site.
    pub custom_disclaimer: String,
}

/// A public app of the catalogue.
#[derive(Debug, Clone)]
pub struct PublicApp {
    /// The app.
    pub id: AppId,
    /// The workspace it belongs to.
    pub tenant_id: TenantId,
    /// Display name.
    pub name: String,
    /// See the app.
    pub icon: Option<String>,
    /// See the app.
    pub icon_background: Option<String>,
    /// See the app.
    pub mode: String,
    /// Whether others may install it.
    pub is_public: bool,
}

/// What the catalogue shows in a language: public apps with a web app.
#[tracing::instrument(name = "db.recommended_app.list", skip_all, err)]
pub async fn list(db: &mut PgConnection, language: &str) -> Result<Vec<RecommendedApp>> {
    Ok(sqlx::query_as!(
        RecommendedApp,
        r#"
        SELECT r.app_id, r.category, r.position, r.is_listed, a.name, a.mode, a.icon_type, a.icon, a.icon_background,
               s.description, s.copyright, s.privacy_policy, s.custom_disclaimer
        FROM recommended_apps r
        JOIN apps a ON a.id = r.app_id AND a.is_public
        JOIN sites s ON s.app_id = a.id
        WHERE r.is_listed AND r.language = $1
        ORDER BY r.position, r.created_at, r.id
        "#,
        language,
    )
    .fetch_all(db)
    .await?)
}

/// Whether the catalogue has the app, listed or not.
#[tracing::instrument(name = "db.recommended_app.exists", skip_all, err)]
pub async fn exists(db: &mut PgConnection, app: AppId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM recommended_apps WHERE app_id = $1) AS "exists!""#,
        app as _,
    )
    .fetch_one(db)
    .await?)
}

/// The app, if the catalogue has it: being in the catalogue is what lets other workspaces see it.
#[tracing::instrument(name = "db.recommended_app.find", skip_all, err)]
pub async fn find(db: &mut PgConnection, app: AppId) -> Result<Option<PublicApp>> {
    Ok(sqlx::query_as!(
        PublicApp,
        r#"
        SELECT a.id, a.tenant_id, a.name, a.icon, a.icon_background, a.mode, a.is_public
        FROM apps a
        WHERE a.id = $1 AND EXISTS (SELECT 1 FROM recommended_apps r WHERE r.app_id = a.id)
        "#,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Counts an installation.
#[tracing::instrument(name = "db.recommended_app.count_install", skip_all, err)]
pub async fn count_install(db: &mut PgConnection, app: AppId) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE recommended_apps
        SET install_count = install_count + 1
        WHERE id = (SELECT id FROM recommended_apps WHERE app_id = $1 ORDER BY created_at, id LIMIT 1)
        "#,
        app as _,
    )
    .execute(db)
    .await?;
    Ok(())
}
