//! Forgotten passwords.

use boxed::boxed;
use services_core::Ctx;

use crate::{
    AccountError, Policy,
    code::{self, Grant, Purpose},
    limit::{self, Guesses},
    locale,
    outbox::{self, Letter},
    password,
    registration::{self, Proof},
    sign_in, tenancy,
};

/// The step of a token whose code was proved.
const PROVED: &str = "reset";

/// Mails a code, and returns the token that goes with it. Whether the address has an account is told by mail only.
///
/// # Errors
/// [`AccountError::IpLimited`] if `ip` is given, [`AccountError::TooManyMails`].
#[boxed]
pub async fn send_code(
    ctx: &Ctx,
    policy: Policy,
    email: &str,
    language: Option<&str>,
    ip: Option<&str>,
) -> Result<String, AccountError> {
    if let Some(ip) = ip {
        limit::check_ip(ctx, ip).await?;
    }
    let language = locale::mail_language(language);
    let normal = email.to_lowercase();
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, email).await?;
    drop(conn);
    let Some(account) = account else {
        limit::RESET_PASSWORD.take(ctx, &normal).await?;
        let letter = Letter::ResetPasswordNoAccount {
            language,
            to: &normal,
            is_allow_register: policy.allow_register,
        };
        outbox::post(ctx, letter).await?;
        return code::issue(ctx, Purpose::ResetPassword, Grant::to_address(&normal), false).await;
    };
    limit::RESET_PASSWORD.take(ctx, &account.email).await?;
    let grant = Grant::to(account.id, &account.email);
    outbox::post(ctx, Letter::ResetPassword { language, to: &account.email, code: &grant.code })
        .await?;
    code::issue(ctx, Purpose::ResetPassword, grant, true).await
}

/// Swaps a token whose code was proved for one that sets a password.
///
/// # Errors
/// [`AccountError::ResetLocked`], [`AccountError::BadToken`], [`AccountError::WrongEmail`], [`AccountError::BadCode`].
#[boxed]
pub async fn prove(
    ctx: &Ctx,
    email: &str,
    guess: &str,
    token: &str,
) -> Result<Proof, AccountError> {
    let purpose = Purpose::ResetPassword;
    registration::prove_by_mail(ctx, purpose, Guesses::ForgotPassword, PROVED, email, guess, token)
        .await
}

/// Sets a new password, and makes a workspace for an account that has none where that is allowed.
///
/// # Errors
/// [`AccountError::PasswordMismatch`], [`AccountError::BadToken`], [`AccountError::NoAccount`].
#[boxed]
pub async fn reset(
    ctx: &Ctx,
    policy: Policy,
    token: &str,
    new_password: &str,
    password_confirm: &str,
) -> Result<(), AccountError> {
    if new_password != password_confirm {
        return Err(AccountError::PasswordMismatch);
    }
    password::check_rule(new_password)?;
    let grant = code::read(ctx, Purpose::ResetPassword, token).await?;
    if !grant.is_in(PROVED) {
        return Err(AccountError::BadToken);
    }
    code::use_up(ctx, Purpose::ResetPassword, token).await?;
    let stored = password::hash(new_password).await?;

    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, &grant.email)
        .await?
        .ok_or(AccountError::NoAccount)?;
    db::account::set_password(&mut conn, account.id, &stored.hash, &stored.salt).await?;
    let homeless = db::tenant::joined(&mut conn, account.id).await?.is_empty();
    drop(conn);
    // Whoever knew the old password is not to stay signed in by it.
    sign_in::drop_newest(ctx, account.id).await?;
    if homeless && policy.allow_create_workspace {
        let name = format!("{}'s Workspace", account.name);
        tenancy::create(ctx, &name, Some(account.id)).await?;
    }
    Ok(())
}
