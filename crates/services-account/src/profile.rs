//! A user's own account: preferences and password.

use boxed::boxed;
pub use db::account::ProfileChange;
use db::{account::Account, account_integrate::AccountIntegrate};
use services_core::{Ctx, Fault};
use types::AccountId;

use crate::{AccountError, password, session::SignedIn};

/// Changes preferences.
///
/// # Errors
/// 400 for an avatar that is no file of the user's workspace.
#[boxed]
pub async fn update(
    ctx: &Ctx,
    user: &SignedIn,
    change: ProfileChange<'_>,
) -> Result<Account, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    if let Some(avatar) = change.avatar {
        let known = avatar.is_empty()
            || ["http://", "https://"].iter().any(|scheme| avatar.starts_with(scheme))
            || match avatar.parse() {
                // A signed link is made to the file: it must not be another workspace's.
                Ok(file) => {
                    db::account::may_show_file(&mut conn, user.tenant, user.account.id, file)
                        .await?
                }
                Err(_) => false,
            };
        if !known {
            return Err(AccountError::Invalid("Avatar file not found.".to_owned()));
        }
    }
    db::account::update_profile(&mut conn, user.account.id, change)
        .await?
        .ok_or_else(|| gone(user.account.id))
}

/// Changes the password. An account without one takes any current password.
///
/// # Errors
/// [`AccountError::WrongPassword`], 400 with the rule for a weak new one.
#[boxed]
pub async fn change_password(
    ctx: &Ctx,
    account: &Account,
    current: Option<&str>,
    new_password: &str,
) -> Result<Account, AccountError> {
    let has_one = account.password.as_deref().is_some_and(|stored| !stored.is_empty());
    if has_one && !password::verify(Some(account), current.unwrap_or_default()).await? {
        return Err(AccountError::WrongPassword);
    }
    password::check_rule(new_password)?;
    let stored = password::hash(new_password).await?;
    let mut conn = ctx.db.acquire().await?;
    db::account::set_password(&mut conn, account.id, &stored.hash, &stored.salt).await?;
    db::account::find(&mut conn, account.id).await?.ok_or_else(|| gone(account.id))
}

/// What an account that is not active yet chooses for itself.
#[derive(Debug, Clone, Copy)]
pub struct Initialization<'a> {
    /// What opens an account in the hosted edition.
    pub invitation_code: Option<&'a str>,
    /// A language of the console.
    pub language: &'a str,
    /// IANA name.
    pub timezone: &'a str,
}

/// Makes an account active.
///
/// # Errors
/// [`AccountError::BadInvitationCode`] in the hosted edition.
#[boxed]
pub async fn initialize(
    ctx: &Ctx,
    user: &SignedIn,
    choice: Initialization<'_>,
) -> Result<(), AccountError> {
    if user.account.status == "active" {
        return Err(AccountError::AlreadyInitialized);
    }
    let id = user.account.id;
    let mut tx = ctx.db.begin().await?;
    if ctx.config.is_cloud() {
        let code = choice
            .invitation_code
            .filter(|code| !code.is_empty())
            .ok_or_else(|| AccountError::Invalid("invitation_code is required".to_owned()))?;
        if !db::invitation_code::claim(&mut tx, code, user.tenant, id).await? {
            return Err(AccountError::BadInvitationCode);
        }
    }
    let now = ctx.now_naive();
    db::account::initialize(&mut tx, id, None, choice.language, choice.timezone, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The services an account is linked to.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn integrates(ctx: &Ctx, id: AccountId) -> Result<Vec<AccountIntegrate>, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::account_integrate::list(&mut conn, id).await?)
}

fn gone(id: AccountId) -> AccountError {
    Fault::Other(format!("account {id} went away during its own request")).into()
}
