//! `app_triggers`: the trigger nodes of an app's published workflow, and whether they are on.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A trigger of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTrigger {
    /// The trigger.
    pub id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// Its node.
    pub node_id: String,
    /// `trigger-webhook`, `trigger-schedule` or `trigger-plugin`.
    pub trigger_type: String,
    /// The node's title.
    pub title: String,
    /// The plugin's provider.
    pub provider_name: Option<String>,
    /// `enabled`, `disabled`, `unauthorized` or `rate_limited`.
    pub status: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
}

/// A trigger that is about to be made; fields as in [`AppTrigger`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of AppTrigger")]
pub struct NewTrigger<'a> {
    pub node_id: &'a str,
    pub trigger_type: &'a str,
    pub title: &'a str,
    pub provider_name: Option<&'a str>,
}

/// The triggers of an app, newest first.
#[tracing::instrument(name = "db.app_trigger.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<Vec<AppTrigger>> {
    Ok(sqlx::query_as!(
        AppTrigger,
        r#"
        SELECT id, tenant_id, app_id, node_id, trigger_type, title, provider_name, status, created_at, updated_at
        FROM app_triggers
        WHERE tenant_id = $1 AND app_id = $2
        ORDER BY created_at DESC, id DESC
        "#,
        tenant as _,
        app as _,
    )
    .fetch_all(db)
    .await?)
}

/// The trigger of a node.
#[tracing::instrument(name = "db.app_trigger.find_of_node", skip_all, err)]
#[boxed]
pub async fn find_of_node(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    node: &str,
    trigger_type: &str,
) -> Result<Option<AppTrigger>> {
    Ok(sqlx::query_as!(
        AppTrigger,
        r#"
        SELECT id, tenant_id, app_id, node_id, trigger_type, title, provider_name, status, created_at, updated_at
        FROM app_triggers
        WHERE tenant_id = $1 AND app_id = $2 AND node_id = $3 AND trigger_type = $4
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        node,
        trigger_type,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a trigger that is on.
#[tracing::instrument(name = "db.app_trigger.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    new: NewTrigger<'_>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO app_triggers (id, tenant_id, app_id, node_id, trigger_type, title, provider_name, status, created_at,
                                  updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'enabled', $8, $8)
        "#,
        Uuid::now_v7(),
        tenant as _,
        app as _,
        new.node_id,
        new.trigger_type,
        new.title,
        new.provider_name,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Renames a trigger.
#[tracing::instrument(name = "db.app_trigger.rename", skip_all, err)]
#[boxed]
pub async fn rename(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    title: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE app_triggers SET title = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
        title,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Switches a trigger; answers it as it is then.
#[tracing::instrument(name = "db.app_trigger.set_status", skip_all, err)]
#[boxed]
pub async fn set_status(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: Uuid,
    status: &str,
    now: NaiveDateTime,
) -> Result<Option<AppTrigger>> {
    Ok(sqlx::query_as!(
        AppTrigger,
        r#"
        UPDATE app_triggers
        SET status = $4, updated_at = $5
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        RETURNING id, tenant_id, app_id, node_id, trigger_type, title, provider_name, status, created_at, updated_at
        "#,
        tenant as _,
        app as _,
        id,
        status,
        now,
    )
    .fetch_optional(db)
    .await?)
}

/// Deletes the triggers of an app whose nodes are not in `nodes`.
#[tracing::instrument(name = "db.app_trigger.retain", skip_all, err)]
#[boxed]
pub async fn retain(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    nodes: &[String],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM app_triggers WHERE tenant_id = $1 AND app_id = $2 AND NOT node_id = ANY($3)",
        tenant as _,
        app as _,
        nodes,
    )
    .execute(db)
    .await?;
    Ok(())
}
