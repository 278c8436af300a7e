//! Moving an account to another address: a code to the old one, then a code to the new one, then the change.
//!
//! Every token is bound to the account that asked for it, and the change takes only the token of a proved code that
//! went to exactly the new address. (The reference takes any token of the flow.)

use boxed::boxed;
use db::account::Account;
use services_core::{Ctx, Fault};

use crate::{
    AccountError, billing,
    code::{self, Grant, Purpose},
    limit::{self, Guesses},
    locale,
    outbox::{self, Letter},
    registration::Proof,
    session::SignedIn,
};

const OLD_PROVED: &str = "old_email_proved";
const NEW_PROVED: &str = "new_email_proved";
/// The step of a token whose code went to the new address and is not proved yet.
const NEW_SENT: &str = "new_email_sent";

/// What a mail with a code is asked for with.
#[derive(Debug, Clone, Copy)]
pub struct Send<'a> {
    /// Where to.
    pub email: &'a str,
    /// `old_email` or `new_email`.
    pub phase: Option<&'a str>,
    /// The proved token of the first phase, in the second.
    pub token: Option<&'a str>,
    /// Of the mail.
    pub language: Option<&'a str>,
    /// The client's address.
    pub ip: &'a str,
}

/// Mails a code to the old or the new address, and returns the token that goes with it.
///
/// # Errors
/// [`AccountError::NoAccount`] if the old address is not the user's, [`AccountError::BadToken`]; the limits.
#[boxed]
pub async fn send_code(ctx: &Ctx, user: &SignedIn, ask: Send<'_>) -> Result<String, AccountError> {
    limit::check_ip(ctx, ask.ip).await?;
    let own = &user.account.email;
    let (to, phase, step) = match ask.phase {
        Some("new_email") => {
            let token = ask.token.ok_or(AccountError::BadToken)?;
            let grant = code::read(ctx, Purpose::ChangeEmail, token).await?;
            if grant.email.to_lowercase() != own.to_lowercase() {
                return Err(AccountError::WrongEmail);
            }
            if !grant.is_in(OLD_PROVED) || grant.account_id != Some(user.account.id) {
                return Err(AccountError::BadToken);
            }
            (ask.email.to_lowercase(), "new_email", Some(NEW_SENT))
        }
        phase => {
            if ask.email.to_lowercase() != own.to_lowercase() {
                return Err(AccountError::NoAccount);
            }
            let phase = phase
                .filter(|phase| !phase.is_empty())
                .ok_or_else(|| AccountError::Invalid("phase must be provided.".to_owned()))?;
            (own.clone(), phase, None)
        }
    };
    limit::CHANGE_EMAIL.take(ctx, &to).await?;
    let mut grant = Grant::to(user.account.id, &to);
    grant.old_email = Some(own.clone());
    grant.phase = step.map(str::to_owned);
    let language = locale::mail_language(ask.language);
    outbox::post(ctx, Letter::ChangeEmail { language, to: &to, code: &grant.code, phase }).await?;
    // The token of the first phase stays good, so that the second mail can be asked for again.
    code::issue(ctx, Purpose::ChangeEmail, grant, step.is_none()).await
}

/// Swaps a token whose code was proved for one of the next step.
///
/// # Errors
/// [`AccountError::ChangeEmailLocked`], [`AccountError::BadToken`], [`AccountError::WrongEmail`],
/// [`AccountError::BadCode`].
#[boxed]
pub async fn prove(
    ctx: &Ctx,
    user: &SignedIn,
    email: &str,
    guess: &str,
    token: &str,
) -> Result<Proof, AccountError> {
    let email = email.to_lowercase();
    Guesses::ChangeEmail.check(ctx, &email).await?;
    let grant = code::read(ctx, Purpose::ChangeEmail, token).await?;
    if grant.email.to_lowercase() != email {
        return Err(AccountError::WrongEmail);
    }
    if grant.account_id != Some(user.account.id) {
        return Err(AccountError::BadToken);
    }
    Guesses::ChangeEmail.count(ctx, &email).await?;
    if !code::proves(&grant, guess) {
        return Err(AccountError::BadCode);
    }
    code::use_up(ctx, Purpose::ChangeEmail, token).await?;
    Guesses::ChangeEmail.forget(ctx, &email).await;
    let is_new = grant.is_in(NEW_SENT) || grant.is_in(NEW_PROVED);
    let next = grant.advanced(if is_new { NEW_PROVED } else { OLD_PROVED });
    Ok((email, code::issue(ctx, Purpose::ChangeEmail, next, false).await?))
}

/// Moves the account to the new address and unlinks the services it was linked to.
///
/// # Errors
/// [`AccountError::EmailTaken`], [`AccountError::Frozen`], [`AccountError::BadToken`], [`AccountError::NoAccount`].
#[boxed]
pub async fn finish(
    ctx: &Ctx,
    user: &SignedIn,
    new_email: &str,
    token: &str,
) -> Result<Account, AccountError> {
    let email = new_email.to_lowercase();
    check_free(ctx, &email).await?;
    let grant = code::read(ctx, Purpose::ChangeEmail, token).await?;
    if !grant.is_in(NEW_PROVED)
        || grant.account_id != Some(user.account.id)
        || grant.email.to_lowercase() != email
    {
        return Err(AccountError::BadToken);
    }
    if grant.old_email.as_deref().map(str::to_lowercase) != Some(user.account.email.to_lowercase())
    {
        return Err(AccountError::NoAccount);
    }
    code::use_up(ctx, Purpose::ChangeEmail, token).await?;

    let mut tx = ctx.db.begin().await?;
    db::account::lock_email(&mut tx, &email).await?;
    if db::account::email_taken(&mut tx, &email).await? {
        return Err(AccountError::EmailTaken);
    }
    db::account_integrate::unlink_all(&mut tx, user.account.id).await?;
    let account = db::account::set_email(&mut tx, user.account.id, &email)
        .await?
        .ok_or_else(|| Fault::Other("the account went away during its own request".to_owned()))?;
    tx.commit().await?;

    outbox::post(ctx, Letter::EmailChanged { language: "en-US", to: &email }).await?;
    Ok(account)
}

/// Refuses an address somebody has.
///
/// # Errors
/// [`AccountError::EmailTaken`], [`AccountError::Frozen`].
#[boxed]
pub async fn check_free(ctx: &Ctx, email: &str) -> Result<(), AccountError> {
    let email = email.to_lowercase();
    billing::check_not_frozen(ctx, &email).await?;
    let mut conn = ctx.db.acquire().await?;
    if db::account::email_taken(&mut conn, &email).await? {
        return Err(AccountError::EmailTaken);
    }
    Ok(())
}
