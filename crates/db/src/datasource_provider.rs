//! `datasource_providers` and their OAuth clients: credentials of sources of documents.

use boxed::boxed;
use serde_json::Value;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// A credential of a provider of sources.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasourceCredential {
    /// Id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The provider's short name.
    pub provider: String,
    /// The provider's plugin.
    pub plugin_id: String,
    /// `api-key` or `oauth2`.
    pub auth_type: String,
    /// JSON, secrets encrypted.
    pub encrypted_credentials: Value,
    /// A picture of the account.
    pub avatar_url: Option<String>,
    /// Whether it serves where none is named.
    pub is_default: bool,
    /// Unix seconds; -1: never.
    pub expires_at: i32,
}

/// A credential to store.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of DatasourceCredential")]
pub struct NewDatasourceCredential<'a> {
    pub tenant: TenantId,
    pub name: &'a str,
    pub provider: &'a str,
    pub plugin_id: &'a str,
    pub auth_type: &'a str,
    pub encrypted_credentials: &'a Value,
    pub avatar_url: Option<&'a str>,
    pub expires_at: i32,
}

/// The credentials of a workspace: the default one of each provider first, then by age.
#[tracing::instrument(name = "db.datasource_provider.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<DatasourceCredential>> {
    Ok(sqlx::query_as!(
        DatasourceCredential,
        r#"
        SELECT id, name, provider, plugin_id, auth_type, encrypted_credentials, avatar_url, is_default, expires_at
        FROM datasource_providers
        WHERE tenant_id = $1
        ORDER BY is_default DESC, created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Stores a credential.
#[tracing::instrument(name = "db.datasource_provider.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewDatasourceCredential<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO datasource_providers
            (tenant_id, name, provider, plugin_id, auth_type, encrypted_credentials, avatar_url, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        new.tenant as _,
        new.name,
        new.provider,
        new.plugin_id,
        new.auth_type,
        new.encrypted_credentials,
        new.avatar_url,
        new.expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Changes what is given of a credential.
#[tracing::instrument(name = "db.datasource_provider.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    name: Option<&str>,
    encrypted_credentials: Option<&Value>,
    expires_at: Option<i32>,
    avatar_url: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE datasource_providers
        SET name = COALESCE($3, name), encrypted_credentials = COALESCE($4, encrypted_credentials),
            expires_at = COALESCE($5, expires_at), avatar_url = COALESCE($6, avatar_url),
            updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        name,
        encrypted_credentials,
        expires_at,
        avatar_url,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes a credential the default one of its provider.
#[tracing::instrument(name = "db.datasource_provider.make_default", skip_all, err)]
#[boxed]
pub async fn make_default(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
    provider: &str,
    id: Uuid,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE datasource_providers
        SET is_default = (id = $4)
        WHERE tenant_id = $1 AND plugin_id = $2 AND provider = $3
        "#,
        tenant as _,
        plugin_id,
        provider,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a credential.
#[tracing::instrument(name = "db.datasource_provider.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM datasource_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An OAuth client that a workspace set up itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasourceClient {
    /// The provider's short name.
    pub provider: String,
    /// The provider's plugin.
    pub plugin_id: String,
    /// JSON, secrets encrypted.
    pub client_params: Value,
    /// Whether it is used.
    pub enabled: bool,
}

/// The workspace's own clients.
#[tracing::instrument(name = "db.datasource_provider.list_clients", skip_all, err)]
#[boxed]
pub async fn list_clients(
    db: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<DatasourceClient>> {
    Ok(sqlx::query_as!(
        DatasourceClient,
        r#"
        SELECT provider, plugin_id, client_params, enabled
        FROM datasource_oauth_tenant_params
        WHERE tenant_id = $1
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Stores the workspace's own client of a provider, in place of one there is.
#[tracing::instrument(name = "db.datasource_provider.save_client", skip_all, err)]
#[boxed]
pub async fn save_client(
    db: &mut PgConnection,
    tenant: TenantId,
    client: &DatasourceClient,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO datasource_oauth_tenant_params (tenant_id, provider, plugin_id, client_params, enabled)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, plugin_id, provider) DO UPDATE
        SET client_params = $4, enabled = $5, updated_at = CURRENT_TIMESTAMP
        "#,
        tenant as _,
        client.provider,
        client.plugin_id,
        client.client_params,
        client.enabled,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the workspace's own client of a provider.
#[tracing::instrument(name = "db.datasource_provider.delete_client", skip_all, err)]
#[boxed]
pub async fn delete_client(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
    provider: &str,
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM datasource_oauth_tenant_params WHERE tenant_id = $1 AND plugin_id = $2 AND provider = $3",
        tenant as _,
        plugin_id,
        provider,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The settings of the client that the operator set up for a provider, for all workspaces.
#[tracing::instrument(name = "db.datasource_provider.find_system_client", skip_all, err)]
#[boxed]
pub async fn find_system_client(
    db: &mut PgConnection,
    plugin_id: &str,
    provider: &str,
) -> Result<Option<Value>> {
    Ok(sqlx::query_scalar!(
        "SELECT system_credentials FROM datasource_oauth_params WHERE plugin_id = $1 AND provider = $2",
        plugin_id,
        provider,
    )
    .fetch_optional(db)
    .await?)
}
