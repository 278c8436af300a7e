//! `data_source_api_key_auth_bindings`: a workspace's keys of website crawlers.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// A key of a crawler.
#[derive(Debug, Clone)]
pub struct DataSourceKey {
    /// The row.
    pub id: Uuid,
    /// `website`.
    pub category: String,
    /// `firecrawl`, `watercrawl` or `jinareader`.
    pub provider: String,
    /// JSON; the key in it is sealed with the workspace's key pair.
    pub credentials: Option<String>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
    /// Whether it is switched off.
    pub disabled: bool,
}

/// What a new key is made of.
#[derive(Debug, Clone, Copy)]
pub struct NewDataSourceKey<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// See [`DataSourceKey::category`].
    pub category: &'a str,
    /// See [`DataSourceKey::provider`].
    pub provider: &'a str,
    /// See [`DataSourceKey::credentials`].
    pub credentials: &'a str,
}

/// The workspace's keys that are switched on, oldest first.
#[tracing::instrument(name = "db.data_source_key.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<DataSourceKey>> {
    Ok(sqlx::query_as!(
        DataSourceKey,
        r#"
        SELECT id, category, provider, credentials, created_at, updated_at, coalesce(disabled, false) AS "disabled!"
        FROM data_source_api_key_auth_bindings
        WHERE tenant_id = $1 AND disabled IS false
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The workspace's key of a crawler, the oldest of several.
#[tracing::instrument(name = "db.data_source_key.find_by_provider", skip_all, err)]
#[boxed]
pub async fn find_by_provider(
    db: &mut PgConnection,
    tenant: TenantId,
    category: &str,
    provider: &str,
) -> Result<Option<DataSourceKey>> {
    Ok(sqlx::query_as!(
        DataSourceKey,
        r#"
        SELECT id, category, provider, credentials, created_at, updated_at, coalesce(disabled, false) AS "disabled!"
        FROM data_source_api_key_auth_bindings
        WHERE tenant_id = $1 AND category = $2 AND provider = $3 AND disabled IS false
        ORDER BY created_at, id
        LIMIT 1
        "#,
        tenant as _,
        category,
        provider,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a key.
#[tracing::instrument(name = "db.data_source_key.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewDataSourceKey<'_>) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO data_source_api_key_auth_bindings (id, tenant_id, category, provider, credentials, disabled)
        VALUES ($1, $2, $3, $4, $5, false)
        RETURNING id
        "#,
        Uuid::new_v4(),
        new.tenant as _,
        new.category,
        new.provider,
        new.credentials,
    )
    .fetch_one(db)
    .await?)
}

/// Removes a key.
#[tracing::instrument(name = "db.data_source_key.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM data_source_api_key_auth_bindings WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}
