//! `accounts`: console users.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId, UploadFileId};

use crate::Result;

/// A console user.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account.
    pub id: AccountId,
    /// Display name.
    pub name: String,
    /// As registered; older rows may hold capitals.
    pub email: String,
    /// Base64 of the hex digest; `None` until a password was set.
    pub password: Option<String>,
    /// Base64.
    pub password_salt: Option<String>,
    /// An upload file's id or a URL.
    pub avatar: Option<String>,
    /// Like `en-US`.
    pub interface_language: Option<String>,
    /// `light` or `dark`.
    pub interface_theme: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Last sign-in.
    pub last_login_at: Option<NaiveDateTime>,
    /// Address of the last sign-in.
    pub last_login_ip: Option<String>,
    /// `pending`, `uninitialized`, `active`, `banned` or `closed`.
    pub status: String,
    /// When the account became active.
    pub initialized_at: Option<NaiveDateTime>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
    /// Last request, to about ten minutes.
    pub last_active_at: NaiveDateTime,
}

/// The account.
#[tracing::instrument(name = "db.account.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, id: AccountId) -> Result<Option<Account>> {
    Ok(sqlx::query_as!(
        Account,
        r#"
        SELECT id, name, email, password, password_salt, avatar, interface_language, interface_theme, timezone,
               last_login_at, last_login_ip, status, initialized_at, created_at, updated_at, last_active_at
        FROM accounts
        WHERE id = $1
        "#,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// The account with that address: an exact match, else one in small letters.
#[tracing::instrument(name = "db.account.find_by_email", skip_all, err)]
#[boxed]
pub async fn find_by_email(db: &mut PgConnection, email: &str) -> Result<Option<Account>> {
    Ok(sqlx::query_as!(
        Account,
        r#"
        SELECT id, name, email, password, password_salt, avatar, interface_language, interface_theme, timezone,
               last_login_at, last_login_ip, status, initialized_at, created_at, updated_at, last_active_at
        FROM accounts
        WHERE email = $1 OR email = lower($1)
        ORDER BY (email = $1) DESC
        LIMIT 1
        "#,
        email,
    )
    .fetch_optional(db)
    .await?)
}

/// Notes that the account was just active.
#[tracing::instrument(name = "db.account.touch", skip_all, err)]
#[boxed]
pub async fn touch(db: &mut PgConnection, id: AccountId, now: NaiveDateTime) -> Result<()> {
    sqlx::query!("UPDATE accounts SET last_active_at = $2 WHERE id = $1", id as _, now)
        .execute(db)
        .await?;
    Ok(())
}

/// What a new account is made of.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// The account.
    pub id: AccountId,
    /// Display name.
    pub name: &'a str,
    /// In small letters.
    pub email: &'a str,
    /// Hash and salt, both Base64.
    pub password: Option<(&'a str, &'a str)>,
    /// Like `en-US`.
    pub interface_language: &'a str,
    /// IANA name.
    pub timezone: &'a str,
    /// `active` or `pending`.
    pub status: &'a str,
    /// When it became active, or was invited.
    pub initialized_at: Option<NaiveDateTime>,
    /// Address of who set the server up.
    pub last_login_ip: Option<&'a str>,
}

/// Adds an account with the light theme. Call [`lock_email`] first: nothing else keeps addresses unique.
#[tracing::instrument(name = "db.account.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewAccount<'_>) -> Result<Account> {
    Ok(sqlx::query_as!(
        Account,
        r#"
        INSERT INTO accounts (id, name, email, password, password_salt, interface_language, interface_theme, timezone,
                              status, initialized_at, last_login_ip)
        VALUES ($1, $2, $3, $4, $5, $6, 'light', $7, $8, $9, $10)
        RETURNING id, name, email, password, password_salt, avatar, interface_language, interface_theme, timezone,
                  last_login_at, last_login_ip, status, initialized_at, created_at, updated_at, last_active_at
        "#,
        new.id as _,
        new.name,
        new.email,
        new.password.map(|(hash, _)| hash),
        new.password.map(|(_, salt)| salt),
        new.interface_language,
        new.timezone,
        new.status,
        new.initialized_at,
        new.last_login_ip,
    )
    .fetch_one(db)
    .await?)
}

/// Holds `email` for this transaction, so that two registrations of one address cannot both find it free.
#[tracing::instrument(name = "db.account.lock_email", skip_all, err)]
#[boxed]
pub async fn lock_email(db: &mut PgConnection, email: &str) -> Result<()> {
    crate::lock::hold(db, &format!("account:{}", email.to_lowercase())).await
}

/// Whether an account has exactly that address.
#[tracing::instrument(name = "db.account.email_taken", skip_all, err)]
#[boxed]
pub async fn email_taken(db: &mut PgConnection, email: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM accounts WHERE email = $1) AS "taken!""#,
        email
    )
    .fetch_one(db)
    .await?)
}

/// Preferences to change; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProfileChange<'a> {
    /// Display name.
    pub name: Option<&'a str>,
    /// An upload file's id or a URL.
    pub avatar: Option<&'a str>,
    /// Like `en-US`.
    pub interface_language: Option<&'a str>,
    /// `light` or `dark`.
    pub interface_theme: Option<&'a str>,
    /// IANA name.
    pub timezone: Option<&'a str>,
}

/// Changes preferences of an account.
#[tracing::instrument(name = "db.account.update_profile", skip_all, err)]
#[boxed]
pub async fn update_profile(
    db: &mut PgConnection,
    id: AccountId,
    change: ProfileChange<'_>,
) -> Result<Option<Account>> {
    Ok(sqlx::query_as!(
        Account,
        r#"
        UPDATE accounts
        SET name = COALESCE($2, name), avatar = COALESCE($3, avatar),
            interface_language = COALESCE($4, interface_language), interface_theme = COALESCE($5, interface_theme),
            timezone = COALESCE($6, timezone), updated_at = CURRENT_TIMESTAMP
        WHERE id = $1
        RETURNING id, name, email, password, password_salt, avatar, interface_language, interface_theme, timezone,
                  last_login_at, last_login_ip, status, initialized_at, created_at, updated_at, last_active_at
        "#,
        id as _,
        change.name,
        change.avatar,
        change.interface_language,
        change.interface_theme,
        change.timezone,
    )
    .fetch_optional(db)
    .await?)
}

/// Sets the password: hash and salt, both Base64.
#[tracing::instrument(name = "db.account.set_password", skip_all, err)]
#[boxed]
pub async fn set_password(
    db: &mut PgConnection,
    id: AccountId,
    hash: &str,
    salt: &str,
) -> Result<()> {
    sqlx::query!(
        "UPDATE accounts SET password = $2, password_salt = $3, updated_at = CURRENT_TIMESTAMP WHERE id = $1",
        id as _,
        hash,
        salt,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Moves the account to another address.
#[tracing::instrument(name = "db.account.set_email", skip_all, err)]
#[boxed]
pub async fn set_email(
    db: &mut PgConnection,
    id: AccountId,
    email: &str,
) -> Result<Option<Account>> {
    Ok(sqlx::query_as!(
        Account,
        r#"
        UPDATE accounts SET email = $2, updated_at = CURRENT_TIMESTAMP WHERE id = $1
        RETURNING id, name, email, password, password_salt, avatar, interface_language, interface_theme, timezone,
                  last_login_at, last_login_ip, status, initialized_at, created_at, updated_at, last_active_at
        "#,
        id as _,
        email,
    )
    .fetch_optional(db)
    .await?)
}

/// Makes a pending account active; answers whether it was pending.
#[tracing::instrument(name = "db.account.activate", skip_all, err)]
#[boxed]
pub async fn activate(db: &mut PgConnection, id: AccountId, now: NaiveDateTime) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE accounts SET status = 'active', initialized_at = $2, updated_at = CURRENT_TIMESTAMP
        WHERE id = $1 AND status = 'pending'
        "#,
        id as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Makes the account active with the preferences its user chose, and the light theme.
#[tracing::instrument(name = "db.account.initialize", skip_all, err)]
#[boxed]
pub async fn initialize(
    db: &mut PgConnection,
    id: AccountId,
    name: Option<&str>,
    language: &str,
    timezone: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE accounts
        SET name = COALESCE($2, name), interface_language = $3, timezone = $4, interface_theme = 'light',
            status = 'active', initialized_at = $5, updated_at = CURRENT_TIMESTAMP
        WHERE id = $1
        "#,
        id as _,
        name,
        language,
        timezone,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes a sign-in.
#[tracing::instrument(name = "db.account.note_login", skip_all, err)]
#[boxed]
pub async fn note_login(
    db: &mut PgConnection,
    id: AccountId,
    now: NaiveDateTime,
    ip: &str,
) -> Result<()> {
    sqlx::query!(
        "UPDATE accounts SET last_login_at = $2, last_login_ip = $3, updated_at = CURRENT_TIMESTAMP WHERE id = $1",
        id as _,
        now,
        ip,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes a pending account that belongs to no workspace; answers whether there was one.
#[tracing::instrument(name = "db.account.delete_orphan", skip_all, err)]
#[boxed]
pub async fn delete_orphan(db: &mut PgConnection, id: AccountId) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        DELETE FROM accounts
        WHERE id = $1 AND status = 'pending'
          AND NOT EXISTS (SELECT 1 FROM tenant_account_joins WHERE account_id = $1)
        "#,
        id as _,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Whether the file is one of the workspace's, or the account's own.
#[tracing::instrument(name = "db.account.may_show_file", skip_all, err)]
#[boxed]
pub async fn may_show_file(
    db: &mut PgConnection,
    tenant: TenantId,
    account: AccountId,
    file: UploadFileId,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1 FROM upload_files
            WHERE id = $3 AND (tenant_id = $1 OR created_by_role = 'account' AND created_by = $2)
        ) AS "known!"
        "#,
        tenant as _,
        account.0,
        file as _,
    )
    .fetch_one(db)
    .await?)
}

/// The accounts with these addresses.
#[tracing::instrument(name = "db.account.ids_by_email", skip_all, err)]
#[boxed]
pub async fn ids_by_email(db: &mut PgConnection, emails: &[String]) -> Result<Vec<AccountId>> {
    Ok(sqlx::query_scalar!("SELECT id FROM accounts WHERE email = ANY($1)", emails)
        .fetch_all(db)
        .await?)
}
