//! `tenants` and `tenant_account_joins`: workspaces and who belongs to them.

use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId};

use crate::Result;

/// A workspace.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The workspace.
    pub id: TenantId,
    /// Display name.
    pub name: String,
    /// SPKI PEM of the workspace's key pair.
    pub encrypt_public_key: Option<String>,
    /// `basic` on self-hosted.
    pub plan: String,
    /// `normal` or `archive`.
    pub status: String,
    /// JSON: logo replacement and the like.
    pub custom_config: Option<String>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// An account's place in a workspace.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The workspace.
    pub tenant_id: TenantId,
    /// `owner`, `admin`, `editor`, `normal` or `dataset_operator`.
    pub role: String,
    /// Whether it is the workspace the account works in.
    pub current: bool,
}

/// The workspace.
#[tracing::instrument(name = "db.tenant.find", skip_all, err)]
pub async fn find(db: &mut PgConnection, id: TenantId) -> Result<Option<Tenant>> {
    Ok(sqlx::query_as!(
        Tenant,
        "SELECT id, name, encrypt_public_key, plan, status, custom_config, created_at FROM tenants WHERE id = $1",
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The membership the account works in: the current one, else the first.
#[tracing::instrument(name = "db.tenant.membership", skip_all, err)]
pub async fn current_membership(
    db: &mut PgConnection,
    account: AccountId,
) -> Result<Option<Membership>> {
    Ok(sqlx::query_as!(
        Membership,
        r#"
        SELECT tenant_id, role, current
        FROM tenant_account_joins
        WHERE account_id = $1
        ORDER BY current DESC, id
        LIMIT 1
        "#,
        account as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Makes `tenant` the one workspace the account works in; answers whether the account belongs to it.
#[tracing::instrument(name = "db.tenant.set_current", skip_all, err)]
pub async fn set_current(
    db: &mut PgConnection,
    account: AccountId,
    tenant: TenantId,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE tenant_account_joins
        SET current = (tenant_id = $2)
        WHERE account_id = $1
          AND EXISTS (SELECT 1 FROM tenant_account_joins WHERE account_id = $1 AND tenant_id = $2)
        "#,
        account as _,
        tenant as _,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// The account that owns the workspace.
#[tracing::instrument(name = "db.tenant.owner", skip_all, err)]
pub async fn owner(db: &mut PgConnection, tenant: TenantId) -> Result<Option<AccountId>> {
    Ok(sqlx::query_scalar!(
        "SELECT account_id FROM tenant_account_joins WHERE tenant_id = $1 AND role = 'owner' ORDER BY id LIMIT 1",
        tenant as _,
    )
    .fetch_optional(db)
    .await?)
}
