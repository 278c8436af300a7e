//! `workflow_webhook_triggers`: the addresses of webhook nodes.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// The address of a webhook node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTrigger {
    /// The row.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// The node.
    pub node_id: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The secret part of the address.
    pub webhook_id: String,
    /// Who made the app.
    pub created_by: Uuid,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

/// The webhook at an address. The address is the credential: nothing else names the workspace.
#[tracing::instrument(name = "db.workflow_webhook_trigger.find_by_credential", skip_all, err)]
#[boxed]
pub async fn find_by_credential(
    db: &mut PgConnection,
    webhook: &str,
) -> Result<Option<WebhookTrigger>> {
    Ok(sqlx::query_as!(
        WebhookTrigger,
        r#"
        SELECT id, app_id, node_id, tenant_id, webhook_id, created_by, created_at
        FROM workflow_webhook_triggers
        WHERE webhook_id = $1
        "#,
        webhook,
    )
    .fetch_optional(db)
    .await?)
}

/// The webhook of a node.
#[tracing::instrument(name = "db.workflow_webhook_trigger.find_of_node", skip_all, err)]
#[boxed]
pub async fn find_of_node(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    node: &str,
) -> Result<Option<WebhookTrigger>> {
    Ok(sqlx::query_as!(
        WebhookTrigger,
        r#"
        SELECT id, app_id, node_id, tenant_id, webhook_id, created_by, created_at
        FROM workflow_webhook_triggers
        WHERE tenant_id = $1 AND app_id = $2 AND node_id = $3
        "#,
        tenant as _,
        app as _,
        node,
    )
    .fetch_optional(db)
    .await?)
}

/// Gives a node an address unless it has one; whether it is new.
#[tracing::instrument(name = "db.workflow_webhook_trigger.insert_missing", skip_all, err)]
#[boxed]
pub async fn insert_missing(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    node: &str,
    webhook: &str,
    by: Uuid,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO workflow_webhook_triggers (id, app_id, node_id, tenant_id, webhook_id, created_by, created_at,
                                               updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (app_id, node_id) DO NOTHING
        "#,
        Uuid::now_v7(),
        app as _,
        node,
        tenant as _,
        webhook,
        by,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Drops the addresses of an app's nodes that are not in `nodes`; answers their nodes.
#[tracing::instrument(name = "db.workflow_webhook_trigger.retain", skip_all, err)]
#[boxed]
pub async fn retain(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    nodes: &[String],
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"
        DELETE FROM workflow_webhook_triggers
        WHERE tenant_id = $1 AND app_id = $2 AND NOT node_id = ANY($3)
        RETURNING node_id
        "#,
        tenant as _,
        app as _,
        nodes,
    )
    .fetch_all(db)
    .await?)
}
