//! `tenants` and `tenant_account_joins`: workspaces and who belongs to them.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId, UploadFileId};

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
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
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
#[boxed]
pub async fn find(db: &mut PgConnection, id: TenantId) -> Result<Option<Tenant>> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"
        SELECT id, name, encrypt_public_key, plan, status, custom_config, created_at, updated_at
        FROM tenants
        WHERE id = $1
        "#,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The membership the account works in: the current one, else the first.
#[tracing::instrument(name = "db.tenant.membership", skip_all, err)]
#[boxed]
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
#[boxed]
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
#[boxed]
pub async fn owner(db: &mut PgConnection, tenant: TenantId) -> Result<Option<AccountId>> {
    Ok(sqlx::query_scalar!(
        "SELECT account_id FROM tenant_account_joins WHERE tenant_id = $1 AND role = 'owner' ORDER BY id LIMIT 1",
        tenant as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a workspace.
#[tracing::instrument(name = "db.tenant.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    id: TenantId,
    name: &str,
    public_key: &str,
) -> Result<Tenant> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"
        INSERT INTO tenants (id, name, encrypt_public_key) VALUES ($1, $2, $3)
        RETURNING id, name, encrypt_public_key, plan, status, custom_config, created_at, updated_at
        "#,
        id as _,
        name,
        public_key,
    )
    .fetch_one(db)
    .await?)
}

/// Renames the workspace.
#[tracing::instrument(name = "db.tenant.set_name", skip_all, err)]
#[boxed]
pub async fn set_name(db: &mut PgConnection, id: TenantId, name: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE tenants SET name = $2, updated_at = CURRENT_TIMESTAMP WHERE id = $1",
        id as _,
        name
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores the workspace's own look (JSON text).
#[tracing::instrument(name = "db.tenant.set_custom_config", skip_all, err)]
#[boxed]
pub async fn set_custom_config(db: &mut PgConnection, id: TenantId, config: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE tenants SET custom_config = $2, updated_at = CURRENT_TIMESTAMP WHERE id = $1",
        id as _,
        config,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces the public key (SPKI PEM).
#[tracing::instrument(name = "db.tenant.set_public_key", skip_all, err)]
#[boxed]
pub async fn set_public_key(db: &mut PgConnection, id: TenantId, key: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE tenants SET encrypt_public_key = $2, updated_at = CURRENT_TIMESTAMP WHERE id = $1",
        id as _,
        key,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many workspaces there are.
#[tracing::instrument(name = "db.tenant.count", skip_all, err)]
#[boxed]
pub async fn count(db: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM tenants"#).fetch_one(db).await?)
}

/// The ids of every workspace.
#[tracing::instrument(name = "db.tenant.ids", skip_all, err)]
#[boxed]
pub async fn ids(db: &mut PgConnection) -> Result<Vec<TenantId>> {
    Ok(sqlx::query_scalar!("SELECT id FROM tenants ORDER BY created_at, id").fetch_all(db).await?)
}

/// A page of all workspaces, the newest first. For the operator alone.
#[tracing::instrument(name = "db.tenant.list_all", skip_all, err)]
#[boxed]
pub async fn list_all(db: &mut PgConnection, limit: i64, offset: i64) -> Result<Vec<Tenant>> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"
        SELECT id, name, encrypt_public_key, plan, status, custom_config, created_at, updated_at
        FROM tenants
        ORDER BY created_at DESC, id
        LIMIT $1 OFFSET $2
        "#,
        limit,
        offset,
    )
    .fetch_all(db)
    .await?)
}

/// The workspaces an account belongs to that are not archived.
#[tracing::instrument(name = "db.tenant.joined", skip_all, err)]
#[boxed]
pub async fn joined(db: &mut PgConnection, account: AccountId) -> Result<Vec<Tenant>> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"
        SELECT t.id, t.name, t.encrypt_public_key, t.plan, t.status, t.custom_config, t.created_at, t.updated_at
        FROM tenants t
        JOIN tenant_account_joins j ON j.tenant_id = t.id
        WHERE j.account_id = $1 AND t.status = 'normal'
        ORDER BY j.created_at, j.id
        "#,
        account as _,
    )
    .fetch_all(db)
    .await?)
}

/// Whether the account belongs to any workspace.
#[tracing::instrument(name = "db.tenant.has_joined_any", skip_all, err)]
#[boxed]
pub async fn has_joined_any(db: &mut PgConnection, account: AccountId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM tenant_account_joins WHERE account_id = $1) AS "any!""#,
        account as _,
    )
    .fetch_one(db)
    .await?)
}

/// The account's place in the workspace.
#[tracing::instrument(name = "db.tenant.find_membership", skip_all, err)]
#[boxed]
pub async fn membership(
    db: &mut PgConnection,
    tenant: TenantId,
    account: AccountId,
) -> Result<Option<Membership>> {
    Ok(sqlx::query_as!(
        Membership,
        "SELECT tenant_id, role, current FROM tenant_account_joins WHERE tenant_id = $1 AND account_id = $2",
        tenant as _,
        account as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Holds the workspace's members for this transaction, so that two changes of roles follow one another.
#[tracing::instrument(name = "db.tenant.lock_members", skip_all, err)]
#[boxed]
pub async fn lock_members(db: &mut PgConnection, tenant: TenantId) -> Result<()> {
    sqlx::query!("SELECT id FROM tenants WHERE id = $1 FOR UPDATE", tenant as _)
        .fetch_optional(db)
        .await?;
    Ok(())
}

/// Makes the account a member with that role; one that is a member keeps its row and gets the role.
#[tracing::instrument(name = "db.tenant.join", skip_all, err)]
#[boxed]
pub async fn join(
    db: &mut PgConnection,
    tenant: TenantId,
    account: AccountId,
    role: &str,
    current: bool,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO tenant_account_joins (id, tenant_id, account_id, role, current) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, account_id) DO UPDATE SET role = $4, updated_at = CURRENT_TIMESTAMP
        "#,
        uuid::Uuid::new_v4(),
        tenant as _,
        account as _,
        role,
        current,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a member a role; answers whether the account is a member.
#[tracing::instrument(name = "db.tenant.set_role", skip_all, err)]
#[boxed]
pub async fn set_role(
    db: &mut PgConnection,
    tenant: TenantId,
    account: AccountId,
    role: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE tenant_account_joins SET role = $3, updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND account_id = $2
        "#,
        tenant as _,
        account as _,
        role,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Makes whoever owns the workspace an admin.
#[tracing::instrument(name = "db.tenant.demote_owner", skip_all, err)]
#[boxed]
pub async fn demote_owner(db: &mut PgConnection, tenant: TenantId) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE tenant_account_joins SET role = 'admin', updated_at = CURRENT_TIMESTAMP
        WHERE tenant_id = $1 AND role = 'owner'
        "#,
        tenant as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes an account out of the workspace; answers whether it was in.
#[tracing::instrument(name = "db.tenant.leave", skip_all, err)]
#[boxed]
pub async fn leave(db: &mut PgConnection, tenant: TenantId, account: AccountId) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM tenant_account_joins WHERE tenant_id = $1 AND account_id = $2",
        tenant as _,
        account as _,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// A member of a workspace, for lists.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub id: AccountId,
    /// Display name.
    pub name: String,
    /// Address.
    pub email: String,
    /// An upload file's id or a URL.
    pub avatar: Option<String>,
    /// Last sign-in.
    pub last_login_at: Option<NaiveDateTime>,
    /// Last request, to about ten minutes.
    pub last_active_at: NaiveDateTime,
    /// When the account was made.
    pub created_at: NaiveDateTime,
    /// See [`Membership::role`].
    pub role: String,
    /// The account's status.
    pub status: String,
}

/// The members of the workspace; only those with `role`, if one is given.
#[tracing::instrument(name = "db.tenant.members", skip_all, err)]
#[boxed]
pub async fn members(
    db: &mut PgConnection,
    tenant: TenantId,
    role: Option<&str>,
) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"
        SELECT a.id, a.name, a.email, a.avatar, a.last_login_at, a.last_active_at, a.created_at, j.role, a.status
        FROM tenant_account_joins j
        JOIN accounts a ON a.id = j.account_id
        WHERE j.tenant_id = $1 AND ($2::text IS NULL OR j.role = $2)
        ORDER BY j.created_at, j.id
        "#,
        tenant as _,
        role,
    )
    .fetch_all(db)
    .await?)
}

/// Whether the file is one of the workspace's.
#[tracing::instrument(name = "db.tenant.has_file", skip_all, err)]
#[boxed]
pub async fn has_file(db: &mut PgConnection, tenant: TenantId, file: UploadFileId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM upload_files WHERE id = $2 AND tenant_id = $1) AS "known!""#,
        tenant as _,
        file as _,
    )
    .fetch_one(db)
    .await?)
}

/// Deletes a workspace's custom model providers and models, whose credentials nobody can read any more.
#[tracing::instrument(name = "db.tenant.delete_unreadable_credentials", skip_all, err)]
#[boxed]
pub async fn delete_unreadable_credentials(db: &mut PgConnection, tenant: TenantId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM providers WHERE tenant_id = $1 AND provider_type = 'custom'",
        tenant as _,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM provider_models WHERE tenant_id = $1", tenant as _)
        .execute(db)
        .await?;
    Ok(())
}
