//! Writing `load_balancing_model_configs`.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use super::{LoadBalancingConfig, model::ModelKey};
use crate::Result;

/// The entries of a model, oldest first.
#[tracing::instrument(name = "db.provider.balancing.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, key: ModelKey<'_>) -> Result<Vec<LoadBalancingConfig>> {
    Ok(sqlx::query_as!(
        LoadBalancingConfig,
        r#"
        SELECT id, provider_name, model_name, model_type, name, encrypted_config, enabled, credential_id,
               credential_source_type
        FROM load_balancing_model_configs
        WHERE tenant_id = $1 AND provider_name = ANY($2) AND model_name = $3 AND model_type = $4
        ORDER BY created_at, id
        "#,
        key.tenant as _,
        key.names,
        key.model,
        key.kind,
    )
    .fetch_all(db)
    .await?)
}

/// An entry to make.
#[derive(Debug, Clone, Copy)]
pub struct NewConfig<'a> {
    /// See [`LoadBalancingConfig::name`].
    pub name: &'a str,
    /// See [`LoadBalancingConfig::encrypted_config`].
    pub encrypted_config: Option<&'a str>,
    /// See [`LoadBalancingConfig::credential_id`].
    pub credential_id: Option<Uuid>,
    /// See [`LoadBalancingConfig::credential_source_type`].
    pub source: Option<&'a str>,
}

/// Makes an entry.
#[tracing::instrument(name = "db.provider.balancing.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    key: ModelKey<'_>,
    new: NewConfig<'_>,
) -> Result<LoadBalancingConfig> {
    Ok(sqlx::query_as!(
        LoadBalancingConfig,
        r#"
        INSERT INTO load_balancing_model_configs
            (tenant_id, provider_name, model_name, model_type, name, encrypted_config, credential_id,
             credential_source_type)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        RETURNING id, provider_name, model_name, model_type, name, encrypted_config, enabled, credential_id,
                  credential_source_type
        "#,
        key.tenant as _,
        key.names.first().map_or("", String::as_str),
        key.model,
        key.kind,
        new.name,
        new.encrypted_config,
        new.credential_id,
        new.source,
    )
    .fetch_one(db)
    .await?)
}

/// Changes an entry; without a configuration it keeps its own.
#[tracing::instrument(name = "db.provider.balancing.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    name: &str,
    enabled: bool,
    encrypted_config: Option<&str>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE load_balancing_model_configs
        SET name = $3, enabled = $4, encrypted_config = COALESCE($5, encrypted_config), updated_at = $6
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        name,
        enabled,
        encrypted_config,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes entries.
#[tracing::instrument(name = "db.provider.balancing.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM load_balancing_model_configs WHERE tenant_id = $1 AND id = ANY($2)",
        tenant as _,
        ids
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives the entries made of a credential its present name and configuration; says which.
#[tracing::instrument(name = "db.provider.balancing.follow", skip_all, err)]
#[boxed]
pub async fn follow(
    db: &mut PgConnection,
    tenant: TenantId,
    credential: Uuid,
    name: &str,
    encrypted_config: &str,
    now: NaiveDateTime,
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        r#"
        UPDATE load_balancing_model_configs
        SET name = $3, encrypted_config = $4, updated_at = $5
        WHERE tenant_id = $1 AND credential_id = $2
        RETURNING id
        "#,
        tenant as _,
        credential,
        name,
        encrypted_config,
        now,
    )
    .fetch_all(db)
    .await?)
}

/// Deletes the entries made of a credential; says which.
#[tracing::instrument(name = "db.provider.balancing.delete_made_of", skip_all, err)]
#[boxed]
pub async fn delete_made_of(
    db: &mut PgConnection,
    tenant: TenantId,
    credential: Uuid,
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "DELETE FROM load_balancing_model_configs WHERE tenant_id = $1 AND credential_id = $2 RETURNING id",
        tenant as _,
        credential,
    )
    .fetch_all(db)
    .await?)
}
