//! Writing `provider_models`, `provider_model_credentials` and `provider_model_settings`.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use super::credential::{InUse, Stored};
use crate::Result;

/// A model of a workspace's provider, as its rows name it.
#[derive(Debug, Clone, Copy)]
pub struct ModelKey<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// All names rows of the provider may carry; the first one is written.
    pub names: &'a [String],
    /// The model's id at the provider.
    pub model: &'a str,
    /// The older name of its type.
    pub kind: &'a str,
}

impl ModelKey<'_> {
    fn provider(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// A model's credentials, newest first.
#[tracing::instrument(name = "db.provider.model.credentials", skip_all, err)]
#[boxed]
pub async fn credentials(db: &mut PgConnection, key: ModelKey<'_>) -> Result<Vec<Stored>> {
    Ok(sqlx::query_as!(
        Stored,
        r#"
        SELECT id, credential_name, encrypted_config
        FROM provider_model_credentials
        WHERE tenant_id = $1 AND provider_name = ANY($2) AND model_name = $3 AND model_type = $4
        ORDER BY created_at DESC, id DESC
        "#,
        key.tenant as _,
        key.names,
        key.model,
        key.kind,
    )
    .fetch_all(db)
    .await?)
}

/// Stores a credential of a model.
#[tracing::instrument(name = "db.provider.model.insert_credential", skip_all, err)]
#[boxed]
pub async fn insert_credential(
    db: &mut PgConnection,
    key: ModelKey<'_>,
    name: &str,
    encrypted_config: &str,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO provider_model_credentials
            (tenant_id, provider_name, model_name, model_type, credential_name, encrypted_config)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id
        "#,
        key.tenant as _,
        key.provider(),
        key.model,
        key.kind,
        name,
        encrypted_config,
    )
    .fetch_one(db)
    .await?)
}

/// Replaces a credential of a model; without a name it keeps its own.
#[tracing::instrument(name = "db.provider.model.update_credential", skip_all, err)]
#[boxed]
pub async fn update_credential(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    name: Option<&str>,
    encrypted_config: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE provider_model_credentials
        SET encrypted_config = $4, credential_name = COALESCE($3, credential_name), updated_at = $5
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        name,
        encrypted_config,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes a credential of a model.
#[tracing::instrument(name = "db.provider.model.delete_credential", skip_all, err)]
#[boxed]
pub async fn delete_credential(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM provider_model_credentials WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The row of an added model.
#[tracing::instrument(name = "db.provider.model.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, key: ModelKey<'_>) -> Result<Option<InUse>> {
    Ok(sqlx::query_as!(
        InUse,
        r#"
        SELECT id, credential_id
        FROM provider_models
        WHERE tenant_id = $1 AND provider_name = ANY($2) AND model_name = $3 AND model_type = $4
        ORDER BY created_at, id
        LIMIT 1
        "#,
        key.tenant as _,
        key.names,
        key.model,
        key.kind,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a model.
#[tracing::instrument(name = "db.provider.model.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, key: ModelKey<'_>, credential: Uuid) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO provider_models (tenant_id, provider_name, model_name, model_type, is_valid, credential_id)
        VALUES ($1, $2, $3, $4, true, $5)
        RETURNING id
        "#,
        key.tenant as _,
        key.provider(),
        key.model,
        key.kind,
        credential,
    )
    .fetch_one(db)
    .await?)
}

/// Changes which credential of an added model is in use.
#[tracing::instrument(name = "db.provider.model.set_in_use", skip_all, err)]
#[boxed]
pub async fn set_in_use(
    db: &mut PgConnection,
    tenant: TenantId,
    row: Uuid,
    credential: Option<Uuid>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE provider_models SET credential_id = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        row,
        credential,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes an added model.
#[tracing::instrument(name = "db.provider.model.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, row: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM provider_models WHERE tenant_id = $1 AND id = $2", tenant as _, row)
        .execute(db)
        .await?;
    Ok(())
}

/// What of a model's setting changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingChange {
    /// Whether it is offered.
    pub enabled: Option<bool>,
    /// Whether its calls are spread.
    pub load_balancing_enabled: Option<bool>,
}

/// Changes a model's setting.
#[tracing::instrument(name = "db.provider.model.set", skip_all, err)]
#[boxed]
pub async fn set(
    db: &mut PgConnection,
    key: ModelKey<'_>,
    change: SettingChange,
    now: NaiveDateTime,
) -> Result<()> {
    let changed = sqlx::query!(
        r#"
        UPDATE provider_model_settings
        SET enabled = COALESCE($5, enabled), load_balancing_enabled = COALESCE($6, load_balancing_enabled),
            updated_at = $7
        WHERE tenant_id = $1 AND provider_name = ANY($2) AND model_name = $3 AND model_type = $4
        "#,
        key.tenant as _,
        key.names,
        key.model,
        key.kind,
        change.enabled,
        change.load_balancing_enabled,
        now,
    )
    .execute(&mut *db)
    .await?;
    if changed.rows_affected() != 0 {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO provider_model_settings
            (tenant_id, provider_name, model_name, model_type, enabled, load_balancing_enabled)
        VALUES ($1, $2, $3, $4, COALESCE($5, true), COALESCE($6, false))
        "#,
        key.tenant as _,
        key.provider(),
        key.model,
        key.kind,
        change.enabled,
        change.load_balancing_enabled,
    )
    .execute(db)
    .await?;
    Ok(())
}
