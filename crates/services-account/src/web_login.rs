//! Signing in to web apps of the enterprise edition.

use boxed::boxed;
use crypto::jwt::WebLoginClaims;
use db::account::Account;
use services_core::Ctx;

use crate::{AccountError, code_login, limit::Guesses, locale, password};

/// Signs in with a password; answers the access token.
///
/// # Errors
/// [`AccountError::BadCredentials`], [`AccountError::Banned`], [`AccountError::LoginLocked`].
#[boxed]
pub async fn with_password(ctx: &Ctx, email: &str, text: &str) -> Result<String, AccountError> {
    let normal = email.to_lowercase();
    Guesses::Login.count(ctx, &normal).await?;
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, email).await?;
    drop(conn);
    if account.as_ref().is_some_and(|account| account.status == "banned") {
        Guesses::Login.take_back(ctx, &normal).await;
        return Err(AccountError::Banned);
    }
    if !password::verify(account.as_ref(), text).await? {
        return Err(AccountError::BadCredentials);
    }
    let account = account.ok_or(AccountError::BadCredentials)?;
    Guesses::Login.forget(ctx, &normal).await;
    Ok(token(ctx, &account))
}

/// Mails a code to an account, and returns the token that goes with it.
///
/// # Errors
/// [`AccountError::BadCredentials`] for an unknown address; the limit.
#[boxed]
pub async fn send_code(
    ctx: &Ctx,
    email: &str,
    language: Option<&str>,
) -> Result<String, AccountError> {
    let account = find(ctx, email).await?;
    code_login::send_to(ctx, &account, locale::mail_language(language)).await
}

/// Signs in with a code; answers the access token.
///
/// # Errors
/// [`AccountError::BadToken`], [`AccountError::WrongEmail`], [`AccountError::BadCode`].
#[boxed]
pub async fn with_code(
    ctx: &Ctx,
    email: &str,
    guess: &str,
    code_token: &str,
) -> Result<String, AccountError> {
    let address = code_login::prove(ctx, email, guess, code_token).await?;
    let account = find(ctx, &address).await?;
    Guesses::Login.forget(ctx, &email.to_lowercase()).await;
    Ok(token(ctx, &account))
}

async fn find(ctx: &Ctx, email: &str) -> Result<Account, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    let account =
        db::account::find_by_email(&mut conn, email).await?.ok_or(AccountError::BadCredentials)?;
    if account.status == "banned" {
        return Err(AccountError::BannedUnauthorized);
    }
    Ok(account)
}

fn token(ctx: &Ctx, account: &Account) -> String {
    let minutes = ctx.config.feature.access_token_expire_minutes.saturating_mul(24);
    let claims = WebLoginClaims {
        sub: crypto::jwt::WEB_SUBJECT.to_owned(),
        user_id: account.id.to_string(),
        session_id: account.email.clone(),
        token_source: "webapp_login_token".to_owned(),
        auth_type: "internal".to_owned(),
        exp: ctx.now().timestamp() + minutes.saturating_mul(60),
    };
    crypto::jwt::encode(&claims, &ctx.secret).unwrap_or_default()
}
