//! Who made a row, in the short form lists show.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AccountId, EndUserId, TenantId};
use uuid::Uuid;

use crate::Result;

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleAccount {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
}

/// An end user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleEndUser {
    /// The end user.
    pub id: EndUserId,
    /// How it came.
    pub r#type: String,
    /// Whether nobody named it.
    pub is_anonymous: bool,
    /// What the caller named it.
    pub session_id: String,
}

/// Those of `ids` that are accounts, in no order. Accounts belong to no single workspace; `ids` come from its rows.
#[tracing::instrument(name = "db.creator.accounts", skip_all, err)]
#[boxed]
pub async fn accounts(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<SimpleAccount>> {
    Ok(sqlx::query_as!(
        SimpleAccount,
        "SELECT id, name, email FROM accounts WHERE id = ANY($1)",
        ids
    )
    .fetch_all(db)
    .await?)
}

/// Those of `ids` that are end users of `tenant`, in no order.
#[tracing::instrument(name = "db.creator.end_users", skip_all, err)]
#[boxed]
pub async fn end_users(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<SimpleEndUser>> {
    Ok(sqlx::query_as!(
        SimpleEndUser,
        "SELECT id, type, is_anonymous, session_id FROM end_users WHERE tenant_id = $1 AND id = ANY($2)",
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// The account with this address, if it is a member of `tenant`.
#[tracing::instrument(name = "db.creator.member_by_email", skip_all, err)]
#[boxed]
pub async fn member_by_email(
    db: &mut PgConnection,
    tenant: TenantId,
    email: &str,
) -> Result<Option<AccountId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT a.id
        FROM accounts a JOIN tenant_account_joins j ON j.account_id = a.id
        WHERE j.tenant_id = $1 AND a.email = $2
        LIMIT 1
        "#,
        tenant as _,
        email,
    )
    .fetch_optional(db)
    .await?)
}
