//! `workflow_plugin_triggers`: which nodes listen to which events of which subscription.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A node that listens to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginTrigger {
    /// The row.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// The node.
    pub node_id: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The plugin's provider.
    pub provider_id: String,
    /// The event.
    pub event_name: String,
    /// The subscription.
    pub subscription_id: String,
}

/// What a node listens to; fields as in [`PluginTrigger`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of PluginTrigger")]
pub struct NewPluginTrigger<'a> {
    pub node_id: &'a str,
    pub provider_id: &'a str,
    pub event_name: &'a str,
    pub subscription_id: &'a str,
}

/// The listening nodes of an app.
#[tracing::instrument(name = "db.workflow_plugin_trigger.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Vec<PluginTrigger>> {
    Ok(sqlx::query_as!(
        PluginTrigger,
        r#"
        SELECT id, app_id, node_id, tenant_id, provider_id, event_name, subscription_id
        FROM workflow_plugin_triggers
        WHERE tenant_id = $1 AND app_id = $2
        "#,
        tenant as _,
        app as _,
    )
    .fetch_all(db)
    .await?)
}

/// The nodes that listen to an event of a subscription and are on.
#[tracing::instrument(name = "db.workflow_plugin_trigger.listeners", skip_all, err)]
#[boxed]
pub async fn listeners(
    db: &mut PgConnection,
    tenant: TenantId,
    subscription: &str,
    event: &str,
) -> Result<Vec<PluginTrigger>> {
    Ok(sqlx::query_as!(
        PluginTrigger,
        r#"
        SELECT p.id, p.app_id, p.node_id, p.tenant_id, p.provider_id, p.event_name, p.subscription_id
        FROM workflow_plugin_triggers p
        JOIN app_triggers t ON t.tenant_id = p.tenant_id AND t.app_id = p.app_id AND t.node_id = p.node_id
        WHERE p.tenant_id = $1 AND p.subscription_id = $2 AND p.event_name = $3
          AND t.trigger_type = 'trigger-plugin' AND t.status = 'enabled'
        "#,
        tenant as _,
        subscription,
        event,
    )
    .fetch_all(db)
    .await?)
}

/// Makes a node listen, instead of to what it listened before.
#[tracing::instrument(name = "db.workflow_plugin_trigger.upsert", skip_all, err)]
#[boxed]
pub async fn upsert(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    new: NewPluginTrigger<'_>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_plugin_triggers (id, app_id, node_id, tenant_id, provider_id, event_name, subscription_id,
                                              created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (app_id, node_id) DO UPDATE
        SET provider_id = excluded.provider_id, event_name = excluded.event_name,
            subscription_id = excluded.subscription_id, updated_at = excluded.updated_at
        "#,
        Uuid::new_v4(),
        app as _,
        new.node_id,
        tenant as _,
        new.provider_id,
        new.event_name,
        new.subscription_id,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets the nodes of an app that are not in `nodes` listen no longer.
#[tracing::instrument(name = "db.workflow_plugin_trigger.retain", skip_all, err)]
#[boxed]
pub async fn retain(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    nodes: &[String],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM workflow_plugin_triggers WHERE tenant_id = $1 AND app_id = $2 AND NOT node_id = ANY($3)",
        tenant as _,
        app as _,
        nodes,
    )
    .execute(db)
    .await?;
    Ok(())
}
