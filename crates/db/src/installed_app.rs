//! `installed_apps`: the apps in a workspace's Explore page, its own and others'.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// An app on a workspace's Explore page.
#[derive(Debug, Clone)]
pub struct InstalledApp {
    /// The row.
    pub id: Uuid,
    /// The workspace that installed it.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The workspace the app belongs to.
    pub app_owner_tenant_id: TenantId,
    /// Whether it is pinned to the sidebar.
    pub is_pinned: bool,
    /// When it was last run from there.
    pub last_used_at: Option<NaiveDateTime>,
}

/// An installed app with what its page shows of the app itself.
#[derive(Debug, Clone)]
pub struct ShownApp {
    /// The row.
    pub id: Uuid,
    /// The workspace the app belongs to.
    pub app_owner_tenant_id: TenantId,
    /// Whether it is pinned to the sidebar.
    pub is_pinned: bool,
    /// When it was last run from there.
    pub last_used_at: Option<NaiveDateTime>,
    /// The app.
    pub app_id: AppId,
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
    /// See the app.
    pub use_icon_as_answer_icon: bool,
}

/// The workspace's installed apps that still exist: pinned ones first, then the last used.
#[tracing::instrument(name = "db.installed_app.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    app: Option<AppId>,
) -> Result<Vec<ShownApp>> {
    Ok(sqlx::query_as!(
        ShownApp,
        r#"
        SELECT i.id, i.app_owner_tenant_id, i.is_pinned, i.last_used_at,
               a.id AS app_id, a.name, a.mode, a.icon_type, a.icon, a.icon_background, a.use_icon_as_answer_icon
        FROM installed_apps i
        JOIN apps a ON a.id = i.app_id
        WHERE i.tenant_id = $1 AND ($2::uuid IS NULL OR i.app_id = $2)
        ORDER BY i.is_pinned DESC, i.last_used_at DESC NULLS LAST, i.created_at, i.id
        "#,
        tenant as _,
        app as _,
    )
    .fetch_all(db)
    .await?)
}

/// The installed app, if it is `tenant`'s.
#[tracing::instrument(name = "db.installed_app.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<InstalledApp>> {
    Ok(sqlx::query_as!(
        InstalledApp,
        r#"
        SELECT id, tenant_id, app_id, app_owner_tenant_id, is_pinned, last_used_at
        FROM installed_apps
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Installs an app, unless it is installed; answers whether it was not.
#[tracing::instrument(name = "db.installed_app.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    owner: TenantId,
    last_used_at: Option<NaiveDateTime>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO installed_apps (id, tenant_id, app_id, app_owner_tenant_id, position, is_pinned, last_used_at)
        SELECT $1, $2, $3, $4, 0, false, $5
        WHERE NOT EXISTS (SELECT 1 FROM installed_apps WHERE tenant_id = $2 AND app_id = $3)
        "#,
        Uuid::new_v4(),
        tenant as _,
        app as _,
        owner as _,
        last_used_at,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Pins an installed app to the sidebar, or unpins it.
#[tracing::instrument(name = "db.installed_app.set_pinned", skip_all, err)]
#[boxed]
pub async fn set_pinned(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    is_pinned: bool,
) -> Result<()> {
    sqlx::query!(
        "UPDATE installed_apps SET is_pinned = $3 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
        is_pinned,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that an installed app was run.
#[tracing::instrument(name = "db.installed_app.touch", skip_all, err)]
#[boxed]
pub async fn touch(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE installed_apps SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Uninstalls an app.
#[tracing::instrument(name = "db.installed_app.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM installed_apps WHERE tenant_id = $1 AND id = $2", tenant as _, id,)
        .execute(db)
        .await?;
    Ok(())
}
