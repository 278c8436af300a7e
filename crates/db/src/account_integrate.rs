//! `account_integrates`: accounts of other services that sign in to ours.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::AccountId;

use crate::Result;

/// A link from an account to one at another service.
#[derive(Debug, Clone)]
pub struct AccountIntegrate {
    /// `github` or `google`.
    pub provider: String,
    /// When the link was made.
    pub created_at: NaiveDateTime,
}

/// The links of an account.
#[tracing::instrument(name = "db.account_integrate.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, account: AccountId) -> Result<Vec<AccountIntegrate>> {
    Ok(sqlx::query_as!(
        AccountIntegrate,
        "SELECT provider, created_at FROM account_integrates WHERE account_id = $1",
        account as _,
    )
    .fetch_all(db)
    .await?)
}

/// The account linked to `open_id` at `provider`.
#[tracing::instrument(name = "db.account_integrate.find_account", skip_all, err)]
#[boxed]
pub async fn find_account(
    db: &mut PgConnection,
    provider: &str,
    open_id: &str,
) -> Result<Option<AccountId>> {
    Ok(sqlx::query_scalar!(
        "SELECT account_id FROM account_integrates WHERE provider = $1 AND open_id = $2",
        provider,
        open_id,
    )
    .fetch_optional(db)
    .await?)
}

/// Links an account to `open_id` at `provider`, instead of what it was linked to there.
#[tracing::instrument(name = "db.account_integrate.link", skip_all, err)]
#[boxed]
pub async fn link(
    db: &mut PgConnection,
    account: AccountId,
    provider: &str,
    open_id: &str,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO account_integrates (id, account_id, provider, open_id, encrypted_token) VALUES ($1, $2, $3, $4, '')
        ON CONFLICT (account_id, provider)
        DO UPDATE SET open_id = $4, encrypted_token = '', updated_at = CURRENT_TIMESTAMP
        "#,
        uuid::Uuid::new_v4(),
        account as _,
        provider,
        open_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes every link of an account.
#[tracing::instrument(name = "db.account_integrate.unlink_all", skip_all, err)]
#[boxed]
pub async fn unlink_all(db: &mut PgConnection, account: AccountId) -> Result<()> {
    sqlx::query!("DELETE FROM account_integrates WHERE account_id = $1", account as _)
        .execute(db)
        .await?;
    Ok(())
}
