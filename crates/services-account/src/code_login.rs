//! Signing in with a code from a mail.

use boxed::boxed;
use db::account::Account;
use services_core::Ctx;

use crate::{
    AccountError, Policy, billing,
    code::{self, Grant, Purpose},
    limit::{self, Guesses},
    locale,
    outbox::{self, Letter},
    registration::{self, Newcomer},
    sign_in::{self, Tokens},
    tenancy,
};

/// Mails a code, and returns the token that goes with it.
///
/// # Errors
/// [`AccountError::NoAccount`] for an unknown address where nobody may register; the limits.
#[boxed]
pub async fn send_code(
    ctx: &Ctx,
    policy: Policy,
    email: &str,
    language: Option<&str>,
    ip: &str,
) -> Result<String, AccountError> {
    limit::check_ip(ctx, ip).await?;
    let language = locale::mail_language(language);
    match find(ctx, email).await? {
        Some(account) => send_to(ctx, &account, language).await,
        None if policy.allow_register => {
            let to = email.to_lowercase();
            limit::CODE_LOGIN.take(ctx, &to).await?;
            let grant = Grant::to_address(&to);
            outbox::post(ctx, Letter::CodeLogin { language, to: &to, code: &grant.code }).await?;
            code::issue(ctx, Purpose::Login, grant, false).await
        }
        None => Err(AccountError::NoAccount),
    }
}

/// Mails a code to an account.
pub(crate) async fn send_to(
    ctx: &Ctx,
    account: &Account,
    language: &str,
) -> Result<String, AccountError> {
    limit::CODE_LOGIN.take(ctx, &account.email).await?;
    let grant = Grant::to(account.id, &account.email);
    outbox::post(ctx, Letter::CodeLogin { language, to: &account.email, code: &grant.code })
        .await?;
    code::issue(ctx, Purpose::Login, grant, true).await
}

/// Proves a code and uses its token up; answers the address it went to.
///
/// # Errors
/// [`AccountError::BadToken`], [`AccountError::WrongEmail`], [`AccountError::BadCode`].
pub(crate) async fn prove(
    ctx: &Ctx,
    email: &str,
    guess: &str,
    token: &str,
) -> Result<String, AccountError> {
    let grant = code::read(ctx, Purpose::Login, token).await?;
    if grant.email.to_lowercase() != email.to_lowercase() {
        return Err(AccountError::WrongEmail);
    }
    if !code::proves_within_tries(ctx, Purpose::Login, token, &grant, guess).await? {
        return Err(AccountError::BadCode);
    }
    code::use_up(ctx, Purpose::Login, token).await?;
    Ok(grant.email)
}

/// Signs in with a code; an unknown address gets an account, an account without workspace gets one, where allowed.
///
/// # Errors
/// As [`prove`]; [`AccountError::NoWorkspace`] and its kin.
#[boxed]
pub async fn finish(
    ctx: &Ctx,
    policy: Policy,
    email: &str,
    guess: &str,
    token: &str,
    language: Option<&str>,
    ip: &str,
) -> Result<Tokens, AccountError> {
    prove(ctx, email, guess, token).await?;
    let normal = email.to_lowercase();
    let account = match find(ctx, email).await? {
        Some(account) => {
            let mut conn = ctx.db.acquire().await?;
            let homeless = db::tenant::joined(&mut conn, account.id).await?.is_empty();
            drop(conn);
            if homeless {
                if !policy.workspaces_available {
                    return Err(AccountError::WorkspacesExhausted);
                }
                let name = format!("{}'s Workspace", account.name);
                tenancy::create_for(ctx, policy, account.id, &name).await?;
            }
            account
        }
        None => {
            let new = Newcomer {
                email: &normal,
                name: &normal,
                password: None,
                language: locale::language_or_default(language),
            };
            registration::create_with_workspace(ctx, policy, new).await?
        }
    };
    let tokens = sign_in::open(ctx, account.id, Some(ip)).await?;
    Guesses::Login.forget(ctx, &normal).await;
    Ok(tokens)
}

async fn find(ctx: &Ctx, email: &str) -> Result<Option<Account>, AccountError> {
    billing::check_not_frozen(ctx, &email.to_lowercase()).await?;
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, email).await?;
    if account.as_ref().is_some_and(|account| account.status == "banned") {
        return Err(AccountError::BannedUnauthorized);
    }
    Ok(account)
}
