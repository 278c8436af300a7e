//! Handing a workspace over: a code by mail to the owner, then the new owner.

use boxed::boxed;
use services_core::{Ctx, Fault};
use types::AccountId;

use crate::{
    AccountError,
    code::{self, Grant, Purpose},
    enterprise,
    limit::{self, Guesses},
    locale, member,
    outbox::{self, Letter},
    registration::Proof,
    session::{Role, SignedIn},
};

/// The step of a token whose code was proved.
const PROVED: &str = "transfer";

/// Refuses where the operator lets nobody hand a workspace over.
///
/// # Errors
/// [`AccountError::Forbidden`].
#[boxed]
pub async fn check_allowed(ctx: &Ctx, user: &SignedIn) -> Result<(), AccountError> {
    enterprise::check_may_transfer(ctx, user.tenant).await
}

/// Mails a code to the owner, and returns the token that goes with it.
///
/// # Errors
/// [`AccountError::NotOwner`]; the limits.
#[boxed]
pub async fn send_code(
    ctx: &Ctx,
    user: &SignedIn,
    language: Option<&str>,
    ip: &str,
) -> Result<String, AccountError> {
    limit::check_ip(ctx, ip).await?;
    check_owner(user)?;
    limit::OWNER_TRANSFER.take(ctx, &user.account.email).await?;
    let workspace = workspace_name(ctx, user).await?;
    let mut grant = Grant::to(user.account.id, &user.account.email);
    grant.tenant_id = Some(user.tenant);
    let letter = Letter::OwnerTransfer {
        language: locale::mail_language(language),
        to: &user.account.email,
        code: &grant.code,
        workspace: &workspace,
    };
    outbox::post(ctx, letter).await?;
    code::issue(ctx, Purpose::OwnerTransfer, grant, true).await
}

/// Swaps a token whose code was proved for one that hands the workspace over.
///
/// # Errors
/// [`AccountError::NotOwner`], [`AccountError::TransferLocked`], [`AccountError::BadToken`],
/// [`AccountError::WrongEmail`], [`AccountError::BadCode`].
#[boxed]
pub async fn prove(
    ctx: &Ctx,
    user: &SignedIn,
    guess: &str,
    token: &str,
) -> Result<Proof, AccountError> {
    check_owner(user)?;
    let email = &user.account.email;
    Guesses::OwnerTransfer.check(ctx, email).await?;
    let grant = read(ctx, user, token).await?;
    Guesses::OwnerTransfer.count(ctx, email).await?;
    if !code::proves(&grant, guess) {
        return Err(AccountError::BadCode);
    }
    code::use_up(ctx, Purpose::OwnerTransfer, token).await?;
    Guesses::OwnerTransfer.forget(ctx, email).await;
    let next = code::issue(ctx, Purpose::OwnerTransfer, grant.advanced(PROVED), true).await?;
    Ok((email.clone(), next))
}

/// Hands the workspace over to a member; the owner becomes an admin.
///
/// # Errors
/// As [`prove`]; [`AccountError::TransferToSelf`], [`AccountError::HeirNotMember`].
#[boxed]
pub async fn hand_over(
    ctx: &Ctx,
    user: &SignedIn,
    heir: AccountId,
    token: &str,
) -> Result<(), AccountError> {
    check_owner(user)?;
    if heir == user.account.id {
        return Err(AccountError::TransferToSelf);
    }
    let grant = read(ctx, user, token).await?;
    // The token of the *send* call proves nothing but that a mail was asked for.
    if !grant.is_in(PROVED) {
        return Err(AccountError::BadToken);
    }
    code::use_up(ctx, Purpose::OwnerTransfer, token).await?;

    let mut tx = ctx.db.begin().await?;
    let account = db::account::find(&mut tx, heir).await?.ok_or(AccountError::NoSuchMember)?;
    if db::tenant::membership(&mut tx, user.tenant, heir).await?.is_none() {
        return Err(AccountError::HeirNotMember);
    }
    member::assign_role(&mut tx, user, heir, Role::Owner).await?;
    tx.commit().await?;

    let workspace = workspace_name(ctx, user).await?;
    let language = "en-US";
    let to_heir = Letter::NewOwner { language, to: &account.email, workspace: &workspace };
    outbox::post(ctx, to_heir).await?;
    let to_owner = Letter::OldOwner {
        language,
        to: &user.account.email,
        workspace: &workspace,
        new_owner_email: &account.email,
    };
    Ok(outbox::post(ctx, to_owner).await?)
}

fn check_owner(user: &SignedIn) -> Result<(), AccountError> {
    if user.role == Role::Owner { Ok(()) } else { Err(AccountError::NotOwner) }
}

/// The token's grant, if it was made for this account in this workspace.
async fn read(ctx: &Ctx, user: &SignedIn, token: &str) -> Result<Grant, AccountError> {
    let grant = code::read(ctx, Purpose::OwnerTransfer, token).await?;
    if grant.email != user.account.email || grant.account_id != Some(user.account.id) {
        return Err(AccountError::WrongEmail);
    }
    if grant.tenant_id != Some(user.tenant) {
        return Err(AccountError::BadToken);
    }
    Ok(grant)
}

async fn workspace_name(ctx: &Ctx, user: &SignedIn) -> Result<String, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let tenant = db::tenant::find(&mut conn, user.tenant).await?;
    Ok(tenant.map(|tenant| tenant.name).unwrap_or_default())
}
