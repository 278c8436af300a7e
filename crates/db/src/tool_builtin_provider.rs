//! `tool_builtin_providers`: credentials of tool providers that come with the server or with plugins.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A credential of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCredential {
    /// Id.
    pub id: Uuid,
    /// The provider's id, short in rows of older releases.
    pub provider: String,
    /// Who made it.
    pub user_id: Uuid,
    /// Its name.
    pub name: String,
    /// JSON text, secrets encrypted.
    pub encrypted_credentials: Option<String>,
    /// `api-key` or `oauth2`.
    pub credential_type: String,
    /// Whether it serves where none is named.
    pub is_default: bool,
    /// Unix seconds; -1: never.
    pub expires_at: i64,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

/// A credential to store.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of ToolCredential")]
pub struct NewToolCredential<'a> {
    pub tenant: TenantId,
    pub user: AccountId,
    pub provider: &'a str,
    pub name: &'a str,
    pub encrypted_credentials: &'a str,
    pub credential_type: &'a str,
    pub expires_at: i64,
    pub now: NaiveDateTime,
}

/// The credentials of a provider under any of its names: the default one first, then by age.
#[tracing::instrument(name = "db.tool_builtin_provider.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    names: &[String],
) -> Result<Vec<ToolCredential>> {
    Ok(sqlx::query_as!(
        ToolCredential,
        r#"
        SELECT id, provider, user_id, name, encrypted_credentials, credential_type, is_default, expires_at, created_at
        FROM tool_builtin_providers
        WHERE tenant_id = $1 AND provider = ANY($2)
        ORDER BY is_default DESC, created_at, id
        "#,
        tenant as _,
        names,
    )
    .fetch_all(db)
    .await?)
}

/// All credentials of a workspace: the default ones first, then those made last.
#[tracing::instrument(name = "db.tool_builtin_provider.list_all", skip_all, err)]
#[boxed]
pub async fn list_all(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<ToolCredential>> {
    Ok(sqlx::query_as!(
        ToolCredential,
        r#"
        SELECT id, provider, user_id, name, encrypted_credentials, credential_type, is_default, expires_at, created_at
        FROM tool_builtin_providers
        WHERE tenant_id = $1
        ORDER BY is_default DESC, created_at DESC, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The credential, if it is the workspace's.
#[tracing::instrument(name = "db.tool_builtin_provider.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<ToolCredential>> {
    Ok(sqlx::query_as!(
        ToolCredential,
        r#"
        SELECT id, provider, user_id, name, encrypted_credentials, credential_type, is_default, expires_at, created_at
        FROM tool_builtin_providers
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores a credential.
#[tracing::instrument(name = "db.tool_builtin_provider.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewToolCredential<'_>) -> Result<Uuid> {
    Ok(sqlx::query_scalar!(
        r#"
        INSERT INTO tool_builtin_providers
            (tenant_id, user_id, provider, name, encrypted_credentials, credential_type, expires_at, created_at,
             updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        RETURNING id
        "#,
        new.tenant as _,
        new.user as _,
        new.provider,
        new.name,
        new.encrypted_credentials,
        new.credential_type,
        new.expires_at,
        new.now,
    )
    .fetch_one(db)
    .await?)
}

/// Changes what is given of a credential.
#[tracing::instrument(name = "db.tool_builtin_provider.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    encrypted_credentials: Option<&str>,
    name: Option<&str>,
    expires_at: Option<i64>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE tool_builtin_providers
        SET encrypted_credentials = COALESCE($3, encrypted_credentials), name = COALESCE($4, name),
            expires_at = COALESCE($5, expires_at), updated_at = $6
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        encrypted_credentials,
        name,
        expires_at,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes a credential the default one of its provider. Whether the workspace has it.
#[tracing::instrument(name = "db.tool_builtin_provider.make_default", skip_all, err)]
#[boxed]
pub async fn make_default(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
    id: Uuid,
) -> Result<bool> {
    let changed = sqlx::query!(
        r#"
        UPDATE tool_builtin_providers
        SET is_default = (id = $3)
        WHERE tenant_id = $1 AND (id = $3 OR (provider = $2 AND is_default))
          AND EXISTS (SELECT FROM tool_builtin_providers WHERE tenant_id = $1 AND id = $3)
        "#,
        tenant as _,
        provider,
        id,
    )
    .execute(db)
    .await?;
    Ok(0 < changed.rows_affected())
}

/// Removes a credential.
#[tracing::instrument(name = "db.tool_builtin_provider.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tool_builtin_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}
