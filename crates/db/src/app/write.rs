//! Making, changing and deleting an app's row.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, AppModelConfigId, TenantId, WorkflowId};

use super::App;
use crate::Result;

/// An app that is about to be made.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// The app.
    pub id: AppId,
    /// Its workspace.
    pub tenant: TenantId,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// See [`App::mode`].
    pub mode: String,
    /// See [`App::icon_type`].
    pub icon_type: Option<String>,
    /// See [`App::icon`].
    pub icon: Option<String>,
    /// Like `#FFEAD5`.
    pub icon_background: Option<String>,
    /// Whether the web app answers.
    pub enable_site: bool,
    /// Whether the service API answers.
    pub enable_api: bool,
    /// Requests a minute; 0 = unlimited.
    pub api_rpm: i32,
    /// Requests an hour; 0 = unlimited.
    pub api_rph: i32,
    /// Whether others may install it.
    pub is_public: bool,
    /// Whether the web app shows the icon beside answers.
    pub use_icon_as_answer_icon: bool,
    /// Who makes it.
    pub creator: AccountId,
    /// When.
    pub now: NaiveDateTime,
}

/// What an edit of an app replaces.
#[derive(Debug, Clone)]
pub struct AppChanges {
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// See [`App::icon_type`].
    pub icon_type: Option<String>,
    /// See [`App::icon`].
    pub icon: String,
    /// Like `#FFEAD5`.
    pub icon_background: String,
    /// Whether the web app shows the icon beside answers.
    pub use_icon_as_answer_icon: bool,
    /// Runs at once.
    pub max_active_requests: Option<i32>,
}

/// Makes an app.
#[tracing::instrument(name = "db.app.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: &NewApp) -> Result<App> {
    Ok(sqlx::query_as!(
        App,
        r#"
        INSERT INTO apps (id, tenant_id, name, description, mode, icon_type, icon, icon_background, status, enable_site,
                          enable_api, api_rpm, api_rph, is_demo, is_public, is_universal, use_icon_as_answer_icon,
                          created_by, created_at, updated_by, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'normal', $9, $10, $11, $12, false, $13, false, $14, $15, $16, $15, $16)
        RETURNING id, tenant_id, name, description, mode, icon_type, icon, icon_background, app_model_config_id,
                  workflow_id, status, enable_site, enable_api, api_rpm, api_rph, is_demo, is_public, is_universal,
                  tracing, max_active_requests, use_icon_as_answer_icon, created_by, created_at, updated_by, updated_at
        "#,
        new.id as _,
        new.tenant as _,
        new.name,
        new.description,
        new.mode,
        new.icon_type,
        new.icon,
        new.icon_background,
        new.enable_site,
        new.enable_api,
        new.api_rpm,
        new.api_rph,
        new.is_public,
        new.use_icon_as_answer_icon,
        new.creator as _,
        new.now,
    )
    .fetch_one(db)
    .await?)
}

/// Replaces what the edit dialogue shows.
#[tracing::instrument(name = "db.app.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    changes: &AppChanges,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps
        SET name = $3, description = $4, icon_type = $5, icon = $6, icon_background = $7, use_icon_as_answer_icon = $8,
            max_active_requests = $9, updated_by = $10, updated_at = $11
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
        changes.name,
        changes.description,
        changes.icon_type,
        changes.icon,
        changes.icon_background,
        changes.use_icon_as_answer_icon,
        changes.max_active_requests,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives an app another name.
#[tracing::instrument(name = "db.app.rename", skip_all, err)]
#[boxed]
pub async fn rename(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    name: &str,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE apps SET name = $3, updated_by = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
        name,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives an app another icon of the same type.
#[tracing::instrument(name = "db.app.set_icon", skip_all, err)]
#[boxed]
pub async fn set_icon(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    (icon, background): (&str, &str),
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps SET icon = $3, icon_background = $4, updated_by = $5, updated_at = $6
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
        icon,
        background,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Opens or closes the web app.
#[tracing::instrument(name = "db.app.enable_site", skip_all, err)]
#[boxed]
pub async fn enable_site(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    enable: bool,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps SET enable_site = $3, updated_by = $4, updated_at = $5
        WHERE tenant_id = $1 AND id = $2 AND enable_site <> $3
        "#,
        tenant as _,
        id as _,
        enable,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Opens or closes the service API.
#[tracing::instrument(name = "db.app.enable_api", skip_all, err)]
#[boxed]
pub async fn enable_api(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    enable: bool,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps SET enable_api = $3, updated_by = $4, updated_at = $5
        WHERE tenant_id = $1 AND id = $2 AND enable_api <> $3
        "#,
        tenant as _,
        id as _,
        enable,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts another configuration of a basic app in force.
#[tracing::instrument(name = "db.app.set_model_config", skip_all, err)]
#[boxed]
pub async fn set_model_config(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    config: AppModelConfigId,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps SET app_model_config_id = $3, updated_by = $4, updated_at = $5
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
        config as _,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes a published workflow the one in force.
#[tracing::instrument(name = "db.app.set_workflow", skip_all, err)]
#[boxed]
pub async fn set_workflow(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    workflow: WorkflowId,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE apps SET workflow_id = $3, updated_by = $4, updated_at = $5
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
        workflow as _,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes an app one of another mode: chat apps that turned out to be agents.
#[tracing::instrument(name = "db.app.set_mode", skip_all, err)]
#[boxed]
pub async fn set_mode(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    mode: &str,
) -> Result<()> {
    sqlx::query!(
        "UPDATE apps SET mode = $3 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
        mode,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes which tracing provider an app uses (JSON, see [`App::tracing`]). Answers whether the app exists.
#[tracing::instrument(name = "db.app.set_tracing", skip_all, err)]
#[boxed]
pub async fn set_tracing(
    db: &mut PgConnection,
    tenant: TenantId,
    id: AppId,
    tracing: &str,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE apps SET tracing = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
        tracing,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Deletes an app's row alone; [`super::purge`] deletes what belongs to it. Answers whether the app existed.
#[tracing::instrument(name = "db.app.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: AppId) -> Result<bool> {
    let done =
        sqlx::query!("DELETE FROM apps WHERE tenant_id = $1 AND id = $2", tenant as _, id as _,)
            .execute(db)
            .await?;
    Ok(0 < done.rows_affected())
}
