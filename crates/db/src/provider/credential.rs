//! Writing `provider_credentials` and the workspace's row of `providers` that says which one is in use.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// Holds other changes of a provider in a workspace back until the transaction ends.
#[tracing::instrument(name = "db.provider.lock", skip_all, err)]
#[boxed]
pub async fn lock(db: &mut PgConnection, tenant: TenantId, provider: &str) -> Result<()> {
    crate::lock::hold(db, &format!("provider:{tenant}:{provider}")).await
}

/// A stored credential as one that edits it needs it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The row.
    pub id: Uuid,
    /// Chosen by a person.
    pub credential_name: String,
    /// JSON whose secret members are encrypted.
    pub encrypted_config: String,
}

/// A provider's credentials, newest first.
#[tracing::instrument(name = "db.provider.credential.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    names: &[String],
) -> Result<Vec<Stored>> {
    Ok(sqlx::query_as!(
        Stored,
        r#"
        SELECT id, credential_name, encrypted_config
        FROM provider_credentials
        WHERE tenant_id = $1 AND provider_name = ANY($2)
        ORDER BY created_at DESC, id DESC
        "#,
        tenant as _,
        names,
    )
    .fetch_all(db)
    .await?)
}

/// Stores a credential.
#[tracing::instrument(name = "db.provider.credential.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
    name: &str,
    encrypted_config: &str,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO provider_credentials (tenant_id, provider_name, credential_name, encrypted_config)
        VALUES ($1, $2, $3, $4)
        RETURNING id
        "#,
        tenant as _,
        provider,
        name,
        encrypted_config,
    )
    .fetch_one(db)
    .await?)
}

/// Replaces a credential; without a name it keeps its own.
#[tracing::instrument(name = "db.provider.credential.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    name: Option<&str>,
    encrypted_config: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE provider_credentials
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

/// Deletes a credential.
#[tracing::instrument(name = "db.provider.credential.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM provider_credentials WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The workspace's own row of a provider: its id, and the credential in use.
#[derive(Debug, Clone)]
pub struct InUse {
    /// The row of `providers`.
    pub id: Uuid,
    /// The credential.
    pub credential_id: Option<Uuid>,
}

/// The workspace's own row of a provider.
#[tracing::instrument(name = "db.provider.find_custom", skip_all, err)]
#[boxed]
pub async fn find_in_use(
    db: &mut PgConnection,
    tenant: TenantId,
    names: &[String],
) -> Result<Option<InUse>> {
    Ok(sqlx::query_as!(
        InUse,
        r#"
        SELECT id, credential_id
        FROM providers
        WHERE tenant_id = $1 AND provider_type = 'custom' AND provider_name = ANY($2)
        ORDER BY created_at, id
        LIMIT 1
        "#,
        tenant as _,
        names,
    )
    .fetch_optional(db)
    .await?)
}

/// Takes a provider into use with a credential.
#[tracing::instrument(name = "db.provider.insert_custom", skip_all, err)]
#[boxed]
pub async fn insert_in_use(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
    credential: Uuid,
) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO providers (tenant_id, provider_name, provider_type, is_valid, credential_id)
        VALUES ($1, $2, 'custom', true, $3)
        RETURNING id
        "#,
        tenant as _,
        provider,
        credential,
    )
    .fetch_one(db)
    .await?)
}

/// Changes which credential of a provider is in use, and counts the row as valid.
#[tracing::instrument(name = "db.provider.use_credential", skip_all, err)]
#[boxed]
pub async fn set_in_use(
    db: &mut PgConnection,
    tenant: TenantId,
    row: Uuid,
    credential: Option<Uuid>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE providers SET credential_id = $3, is_valid = true, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        row,
        credential,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a provider out of use.
#[tracing::instrument(name = "db.provider.delete_custom", skip_all, err)]
#[boxed]
pub async fn delete_in_use(db: &mut PgConnection, tenant: TenantId, row: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM providers WHERE tenant_id = $1 AND id = $2", tenant as _, row)
        .execute(db)
        .await?;
    Ok(())
}
