//! `trigger_oauth_tenant_clients`, `trigger_oauth_system_clients`: OAuth clients of providers of events.

use boxed::boxed;
use sqlx::PgConnection;
use types::TenantId;

use crate::Result;

/// An OAuth client that a workspace set up itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerOAuthClient {
    /// Whether it is used.
    pub enabled: bool,
    /// JSON text, secrets encrypted.
    pub encrypted_oauth_params: String,
}

/// The workspace's own client of a provider.
#[tracing::instrument(name = "db.trigger_oauth_client.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
    provider: &str,
) -> Result<Option<TriggerOAuthClient>> {
    Ok(sqlx::query_as!(
        TriggerOAuthClient,
        r#"
        SELECT enabled, encrypted_oauth_params
        FROM trigger_oauth_tenant_clients
        WHERE tenant_id = $1 AND plugin_id = $2 AND provider = $3
        "#,
        tenant as _,
        plugin_id,
        provider,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores the workspace's own client of a provider, in place of one there is.
#[tracing::instrument(name = "db.trigger_oauth_client.save", skip_all, err)]
#[boxed]
pub async fn save(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
    provider: &str,
    client: &TriggerOAuthClient,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO trigger_oauth_tenant_clients (tenant_id, plugin_id, provider, enabled, encrypted_oauth_params)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, plugin_id, provider)
        DO UPDATE SET enabled = $4, encrypted_oauth_params = $5, updated_at = CURRENT_TIMESTAMP
        "#,
        tenant as _,
        plugin_id,
        provider,
        client.enabled,
        client.encrypted_oauth_params,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the workspace's own client of a provider.
#[tracing::instrument(name = "db.trigger_oauth_client.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
    provider: &str,
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM trigger_oauth_tenant_clients WHERE tenant_id = $1 AND plugin_id = $2 AND provider = $3",
        tenant as _,
        plugin_id,
        provider,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The encrypted settings of the client that the operator set up for a provider, for all workspaces.
#[tracing::instrument(name = "db.trigger_oauth_client.find_system", skip_all, err)]
#[boxed]
pub async fn find_system(
    db: &mut PgConnection,
    plugin_id: &str,
    provider: &str,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "SELECT encrypted_oauth_params FROM trigger_oauth_system_clients WHERE plugin_id = $1 AND provider = $2",
        plugin_id,
        provider,
    )
    .fetch_optional(db)
    .await?)
}
