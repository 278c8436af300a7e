//! `accounts`: console users.

use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::AccountId;

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
pub async fn touch(db: &mut PgConnection, id: AccountId, now: NaiveDateTime) -> Result<()> {
    sqlx::query!("UPDATE accounts SET last_active_at = $2 WHERE id = $1", id as _, now)
        .execute(db)
        .await?;
    Ok(())
}
