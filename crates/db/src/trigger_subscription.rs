//! `trigger_subscriptions`: what services outside were asked to tell about, and how.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A subscription with a service.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerSubscription {
    /// The subscription.
    pub id: Uuid,
    /// Chosen by people; unique in a provider of a workspace.
    pub name: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// Who made it.
    pub user_id: AccountId,
    /// The provider, in full.
    pub provider_id: String,
    /// The secret part of the address events are sent to.
    pub endpoint_id: String,
    /// What was asked for; an object.
    pub parameters: Value,
    /// What the plugin keeps; an object with secrets encrypted.
    pub properties: Value,
    /// An object with secrets encrypted.
    pub credentials: Value,
    /// `unauthorized`, `api-key` or `oauth2`.
    pub credential_type: String,
    /// Unix seconds; -1: never.
    pub credential_expires_at: i32,
    /// Unix seconds; -1: never.
    pub expires_at: i32,
}

/// The subscriptions of a workspace with a provider, newest first.
#[tracing::instrument(name = "db.trigger_subscription.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<TriggerSubscription>> {
    Ok(sqlx::query_as!(
        TriggerSubscription,
        r#"
        SELECT id, name, tenant_id, user_id AS "user_id: AccountId", provider_id, endpoint_id, parameters, properties,
               credentials, credential_type, credential_expires_at, expires_at
        FROM trigger_subscriptions
        WHERE tenant_id = $1 AND provider_id = $2
        ORDER BY created_at DESC
        "#,
        tenant as _,
        provider,
    )
    .fetch_all(db)
    .await?)
}

/// A subscription of a workspace.
#[tracing::instrument(name = "db.trigger_subscription.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<TriggerSubscription>> {
    Ok(sqlx::query_as!(
        TriggerSubscription,
        r#"
        SELECT id, name, tenant_id, user_id AS "user_id: AccountId", provider_id, endpoint_id, parameters, properties,
               credentials, credential_type, credential_expires_at, expires_at
        FROM trigger_subscriptions
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// The subscription behind an address. The address is what the service holds.
#[tracing::instrument(name = "db.trigger_subscription.find_by_credential", skip_all, err)]
#[boxed]
pub async fn find_by_credential(
    db: &mut PgConnection,
    endpoint: &str,
) -> Result<Option<TriggerSubscription>> {
    Ok(sqlx::query_as!(
        TriggerSubscription,
        r#"
        SELECT id, name, tenant_id, user_id AS "user_id: AccountId", provider_id, endpoint_id, parameters, properties,
               credentials, credential_type, credential_expires_at, expires_at
        FROM trigger_subscriptions
        WHERE endpoint_id = $1
        "#,
        endpoint,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a subscription; one of the same name is a [`crate::DbError::is_unique_violation`].
#[tracing::instrument(name = "db.trigger_subscription.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    new: &TriggerSubscription,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO trigger_subscriptions (id, name, tenant_id, user_id, provider_id, endpoint_id, parameters, properties,
            credentials, credential_type, credential_expires_at, expires_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
        "#,
        new.id,
        new.name,
        new.tenant_id as _,
        new.user_id as _,
        new.provider_id,
        new.endpoint_id,
        new.parameters,
        new.properties,
        new.credentials,
        new.credential_type,
        new.credential_expires_at,
        new.expires_at,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores what changed of a subscription: everything but who made it, for whom, and its address.
#[tracing::instrument(name = "db.trigger_subscription.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    changed: &TriggerSubscription,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE trigger_subscriptions
        SET name = $3, parameters = $4, properties = $5, credentials = $6, credential_expires_at = $7, expires_at = $8,
            updated_at = $9
        WHERE tenant_id = $1 AND id = $2
        "#,
        changed.tenant_id as _,
        changed.id,
        changed.name,
        changed.parameters,
        changed.properties,
        changed.credentials,
        changed.credential_expires_at,
        changed.expires_at,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a subscription with the nodes that listen to it.
#[tracing::instrument(name = "db.trigger_subscription.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<bool> {
    sqlx::query!(
        "DELETE FROM workflow_plugin_triggers WHERE tenant_id = $1 AND subscription_id = $2",
        tenant as _,
        id.to_string(),
    )
    .execute(&mut *db)
    .await?;
    let done = sqlx::query!(
        "DELETE FROM trigger_subscriptions WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// How many apps listen to a subscription, by its id.
#[tracing::instrument(name = "db.trigger_subscription.usage", skip_all, err)]
#[boxed]
pub async fn usage(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[String],
) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"
        SELECT subscription_id, count(DISTINCT app_id) AS "apps!"
        FROM workflow_plugin_triggers
        WHERE tenant_id = $1 AND subscription_id = ANY($2)
        GROUP BY subscription_id
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.subscription_id, row.apps)).collect())
}

/// A subscription that has to be prolonged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The workspace.
    pub tenant_id: TenantId,
    /// The subscription.
    pub id: Uuid,
}

/// Up to `limit` subscriptions whose credentials or whose own time end at these Unix seconds or before, those behind
/// `after` in order of their ids. For the beat: all workspaces.
#[tracing::instrument(name = "db.trigger_subscription.due", skip_all, err)]
#[boxed]
pub async fn due(
    db: &mut PgConnection,
    credentials_until: i32,
    until: i32,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Due>> {
    Ok(sqlx::query_as!(
        Due,
        r#"
        SELECT tenant_id, id
        FROM trigger_subscriptions
        WHERE id > $3
          AND ((credential_expires_at <> -1 AND credential_expires_at <= $1) OR (expires_at <> -1 AND expires_at <= $2))
        ORDER BY id
        LIMIT $4
        "#,
        credentials_until,
        until,
        after,
        limit,
    )
    .fetch_all(db)
    .await?)
}
