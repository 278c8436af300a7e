//! `api_based_extensions`: a workspace's own HTTP endpoints for moderation and external data.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// An endpoint of a workspace.
#[derive(Debug, Clone)]
pub struct Extension {
    /// The row.
    pub id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// Display name, unique in the workspace.
    pub name: String,
    /// Where it is asked.
    pub api_endpoint: String,
    /// Sealed with the workspace's key pair.
    pub api_key: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// What an endpoint is made of.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// See [`Extension::name`].
    pub name: &'a str,
    /// See [`Extension::api_endpoint`].
    pub api_endpoint: &'a str,
    /// See [`Extension::api_key`].
    pub api_key: &'a str,
}

/// The workspace's endpoints, newest first.
#[tracing::instrument(name = "db.extension.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<Extension>> {
    Ok(sqlx::query_as!(
        Extension,
        r#"
        SELECT id, tenant_id, name, api_endpoint, api_key, created_at
        FROM api_based_extensions
        WHERE tenant_id = $1
        ORDER BY created_at DESC, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The endpoint, if it is `tenant`'s.
#[tracing::instrument(name = "db.extension.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<Option<Extension>> {
    Ok(sqlx::query_as!(
        Extension,
        r#"
        SELECT id, tenant_id, name, api_endpoint, api_key, created_at
        FROM api_based_extensions
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Whether an endpoint of the workspace other than `except` has that name.
#[tracing::instrument(name = "db.extension.is_name_taken", skip_all, err)]
#[boxed]
pub async fn is_name_taken(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    except: Option<Uuid>,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1 FROM api_based_extensions
            WHERE tenant_id = $1 AND name = $2 AND ($3::uuid IS NULL OR id <> $3)
        ) AS "exists!"
        "#,
        tenant as _,
        name,
        except,
    )
    .fetch_one(db)
    .await?)
}

/// Adds an endpoint.
#[tracing::instrument(name = "db.extension.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, tenant: TenantId, new: Fields<'_>) -> Result<Extension> {
    Ok(sqlx::query_as!(
        Extension,
        r#"
        INSERT INTO api_based_extensions (id, tenant_id, name, api_endpoint, api_key)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id, tenant_id, name, api_endpoint, api_key, created_at
        "#,
        Uuid::new_v4(),
        tenant as _,
        new.name,
        new.api_endpoint,
        new.api_key,
    )
    .fetch_one(db)
    .await?)
}

/// Changes an endpoint; `None` if it is gone.
#[tracing::instrument(name = "db.extension.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    new: Fields<'_>,
) -> Result<Option<Extension>> {
    Ok(sqlx::query_as!(
        Extension,
        r#"
        UPDATE api_based_extensions
        SET name = $3, api_endpoint = $4, api_key = $5
        WHERE tenant_id = $1 AND id = $2
        RETURNING id, tenant_id, name, api_endpoint, api_key, created_at
        "#,
        tenant as _,
        id,
        new.name,
        new.api_endpoint,
        new.api_key,
    )
    .fetch_optional(db)
    .await?)
}

/// Removes an endpoint; answers whether it was there.
#[tracing::instrument(name = "db.extension.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM api_based_extensions WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
