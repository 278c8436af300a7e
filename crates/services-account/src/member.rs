//! Members of a workspace and their roles.

use boxed::boxed;
use db::tenant::Member;
use services_core::{Ctx, Failure};
use types::AccountId;

use crate::{
    AccountError, billing, enterprise,
    session::{Role, SignedIn},
};

/// The members of the workspace `user` works in; only those with `role`, if one is given.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    user: &SignedIn,
    role: Option<Role>,
) -> Result<Vec<Member>, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::tenant::members(&mut conn, user.tenant, role.map(Role::as_str)).await?)
}

/// Why a member stays; the bodies are the reference's own.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// Nobody removes himself.
    #[error("Cannot operate self.")]
    Oneself,
    /// Only the owner removes.
    #[error("No permission to remove member.")]
    NotAllowed,
    /// The account is not in the workspace.
    #[error("Member not in tenant.")]
    NotMember,
    /// Anything else.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<db::DbError> for RemoveError {
    fn from(err: db::DbError) -> Self {
        Self::Account(err.into())
    }
}

impl Failure for RemoveError {
    fn status(&self) -> u16 {
        match self {
            Self::Oneself => 400,
            Self::NotAllowed => 403,
            Self::NotMember => 404,
            Self::Account(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Oneself => "cannot-operate-self",
            Self::NotAllowed => "forbidden",
            Self::NotMember => "member-not-found",
            Self::Account(err) => err.code(),
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Account(err) => err.data(),
            own => Some(serde_json::json!({"code": own.code(), "message": own.to_string()})),
        }
    }
}

/// Takes a member out of the workspace. An account that was invited, never came and belongs nowhere else is deleted.
///
/// # Errors
/// [`RemoveError`].
#[boxed]
pub async fn remove(ctx: &Ctx, user: &SignedIn, id: AccountId) -> Result<(), RemoveError> {
    let mut tx = ctx.db.begin().await?;
    if db::account::find(&mut tx, id).await?.is_none() {
        return Err(AccountError::NoSuchMember.into());
    }
    if id == user.account.id {
        return Err(RemoveError::Oneself);
    }
    db::tenant::lock_members(&mut tx, user.tenant).await?;
    if !is_owner(&mut tx, user).await? {
        return Err(RemoveError::NotAllowed);
    }
    if !db::tenant::leave(&mut tx, user.tenant, id).await? {
        return Err(RemoveError::NotMember);
    }
    let orphan = db::account::delete_orphan(&mut tx, id).await?;
    tx.commit().await?;

    if orphan {
        tracing::info!(account.id = %id, "an account that was invited and never came is deleted");
    }
    billing::forget_plan(ctx, user.tenant).await;
    enterprise::note_removal(ctx, user.tenant, id, "workspace_member_removed").await;
    Ok(())
}

/// Gives a member another role. A new owner makes the old one an admin.
///
/// # Errors
/// 404 for an unknown account, 400 in words for everything else.
#[boxed]
pub async fn change_role(
    ctx: &Ctx,
    user: &SignedIn,
    id: AccountId,
    role: Role,
) -> Result<(), AccountError> {
    let mut tx = ctx.db.begin().await?;
    if db::account::find(&mut tx, id).await?.is_none() {
        return Err(AccountError::NoSuchMember);
    }
    assign_role(&mut tx, user, id, role).await?;
    tx.commit().await?;
    Ok(())
}

/// [`change_role`] inside a transaction.
pub(crate) async fn assign_role(
    db: &mut db::PgConnection,
    user: &SignedIn,
    id: AccountId,
    role: Role,
) -> Result<(), AccountError> {
    let refused = |words: &str| Err(AccountError::Invalid(words.to_owned()));
    if id == user.account.id {
        return refused("Cannot operate self.");
    }
    // The role is asked again behind the lock: two hand-overs at once must not make two owners.
    db::tenant::lock_members(db, user.tenant).await?;
    if !is_owner(db, user).await? {
        return refused("No permission to update member.");
    }
    let Some(membership) = db::tenant::membership(db, user.tenant, id).await? else {
        return refused("Member not in tenant.");
    };
    if membership.role == role.as_str() {
        return refused("The provided role is already assigned to the member.");
    }
    if role == Role::Owner {
        db::tenant::demote_owner(db, user.tenant).await?;
    }
    db::tenant::set_role(db, user.tenant, id, role.as_str()).await?;
    Ok(())
}

async fn is_owner(db: &mut db::PgConnection, user: &SignedIn) -> Result<bool, db::DbError> {
    let membership = db::tenant::membership(db, user.tenant, user.account.id).await?;
    Ok(membership.is_some_and(|membership| membership.role == "owner"))
}
