//! `recommended_apps`: the catalogue an operator keeps in the database. It is the same for every workspace.

use boxed::boxed;
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
#[boxed]
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
#[boxed]
pub async fn exists(db: &mut PgConnection, app: AppId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM recommended_apps WHERE app_id = $1) AS "exists!""#,
        app as _,
    )
    .fetch_one(db)
    .await?)
}

/// Whether the catalogue shows the app.
#[tracing::instrument(name = "db.recommended_app.is_listed", skip_all, err)]
#[boxed]
pub async fn is_listed(db: &mut PgConnection, app: AppId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM recommended_apps WHERE app_id = $1 AND is_listed) AS "exists!""#,
        app as _,
    )
    .fetch_one(db)
    .await?)
}

/// The app, if the catalogue has it: being in the catalogue is what lets other workspaces see it.
#[tracing::instrument(name = "db.recommended_app.find", skip_all, err)]
#[boxed]
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
#[boxed]
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

/// What the catalogue says of an app.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// For people.
    pub description: &'a str,
    /// Text of the footer.
    pub copyright: &'a str,
    /// URL of the privacy policy.
    pub privacy_policy: &'a str,
    /// Text below the input.
    pub custom_disclaimer: &'a str,
    /// Like `en-US`.
    pub language: &'a str,
    /// Where the catalogue files it.
    pub category: &'a str,
    /// Its place.
    pub position: i32,
}

/// Puts an app into the catalogue, or changes what that says of it; answers whether it was not there. The app becomes
/// public. For the operator: the app may be of any workspace.
#[tracing::instrument(name = "db.recommended_app.save", skip_all, err)]
#[boxed]
pub async fn save(db: &mut PgConnection, app: AppId, listing: Listing<'_>) -> Result<bool> {
    let description = serde_json::Value::from(listing.description);
    let changed = sqlx::query!(
        r#"
        UPDATE recommended_apps
        SET description = $2, copyright = $3, privacy_policy = $4, custom_disclaimer = $5, language = $6, category = $7,
            position = $8, updated_at = CURRENT_TIMESTAMP
        WHERE app_id = $1
        "#,
        app as _,
        description,
        listing.copyright,
        listing.privacy_policy,
        listing.custom_disclaimer,
        listing.language,
        listing.category,
        listing.position,
    )
    .execute(&mut *db)
    .await?;
    let is_new = changed.rows_affected() == 0;
    if is_new {
        sqlx::query!(
            r#"
            INSERT INTO recommended_apps (id, app_id, description, copyright, privacy_policy, custom_disclaimer, language,
                                          category, position, is_listed, install_count)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, true, 0)
            "#,
            uuid::Uuid::new_v4(),
            app as _,
            description,
            listing.copyright,
            listing.privacy_policy,
            listing.custom_disclaimer,
            listing.language,
            listing.category,
            listing.position,
        )
        .execute(&mut *db)
        .await?;
    }
    sqlx::query!("UPDATE apps SET is_public = true WHERE id = $1", app as _).execute(db).await?;
    Ok(is_new)
}

/// Takes an app out of the catalogue and off other workspaces' pages; its workspace keeps it to itself again. For the
/// operator: the app may be of any workspace.
#[tracing::instrument(name = "db.recommended_app.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, app: AppId) -> Result<()> {
    let gone = sqlx::query!("DELETE FROM recommended_apps WHERE app_id = $1", app as _)
        .execute(&mut *db)
        .await?;
    if gone.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query!("UPDATE apps SET is_public = false WHERE id = $1", app as _)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "DELETE FROM installed_apps WHERE app_id = $1 AND tenant_id <> app_owner_tenant_id",
        app as _,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM trial_apps WHERE app_id = $1", app as _).execute(db).await?;
    Ok(())
}
