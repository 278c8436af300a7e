//! Signing in and out: passwords, sessions, refresh tokens.

use boxed::boxed;
use std::time::Duration;

use db::account::Account;
use services_core::{Ctx, Failure, Fault};
use types::AccountId;

use crate::{
    AccountError, Policy, billing, invitation,
    limit::Guesses,
    password,
    session::{self, SessionError},
};

/// What a browser gets when it signs in.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Tokens {
    /// The access token, a JWT.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// What a request shows beside its cookies.
    pub csrf_token: String,
}

/// An attempt to sign in with a password.
#[derive(Debug, Clone, Copy)]
pub struct PasswordLogin<'a> {
    /// As typed.
    pub email: &'a str,
    /// In the clear.
    pub password: &'a str,
    /// An invitation, which may set the account's first password.
    pub invite_token: Option<&'a str>,
    /// The client's address.
    pub ip: &'a str,
}

/// Signs in with a password; `None` if the account belongs to no workspace.
///
/// # Errors
/// [`AccountError::BadCredentials`], [`AccountError::LoginLocked`], [`AccountError::Banned`], …
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn with_password(
    ctx: &Ctx,
    policy: Policy,
    login: PasswordLogin<'_>,
) -> Result<Option<Tokens>, AccountError> {
    let email = login.email.to_lowercase();
    billing::check_not_frozen(ctx, &email).await?;
    Guesses::Login.check(ctx, &email).await?;
    let invited = match login.invite_token.filter(|token| !token.is_empty()) {
        Some(token) => invitation::find(ctx, None, Some(login.email), token).await?,
        None => None,
    };
    if invited.as_ref().is_some_and(|found| found.email.to_lowercase() != email) {
        return Err(AccountError::WrongEmail);
    }

    Guesses::Login.count(ctx, &email).await?;
    let account = match authenticate(ctx, &login, invited.is_some()).await {
        Ok(account) => account,
        Err(AccountError::BadCredentials) => return Err(AccountError::BadCredentials),
        Err(err) => {
            Guesses::Login.take_back(ctx, &email).await;
            return Err(err);
        }
    };
    let mut conn = ctx.db.acquire().await?;
    let homeless = db::tenant::joined(&mut conn, account.id).await?.is_empty();
    drop(conn);
    if homeless {
        Guesses::Login.take_back(ctx, &email).await;
        if policy.allow_create_workspace && !policy.workspaces_available {
            return Err(AccountError::WorkspacesExhausted);
        }
        return Ok(None);
    }
    let tokens = open(ctx, account.id, Some(login.ip)).await?;
    Guesses::Login.forget(ctx, &email).await;
    Ok(Some(tokens))
}

/// The account of that address, exactly written or in small letters, if the password is right.
async fn authenticate(
    ctx: &Ctx,
    login: &PasswordLogin<'_>,
    invited: bool,
) -> Result<Account, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    let account = db::account::find_by_email(&mut conn, login.email).await?;
    drop(conn);
    if account.as_ref().is_some_and(|account| account.status == "banned") {
        return Err(AccountError::Banned);
    }
    let first_password = match &account {
        Some(account) if invited && account.password.is_none() && !login.password.is_empty() => {
            Some(password::hash(login.password).await?)
        }
        _ => None,
    };
    if first_password.is_none() && !password::verify(account.as_ref(), login.password).await? {
        return Err(AccountError::BadCredentials);
    }
    let account = account.ok_or(AccountError::BadCredentials)?;
    let mut conn = ctx.db.acquire().await?;
    if let Some(stored) = first_password {
        db::account::set_password(&mut conn, account.id, &stored.hash, &stored.salt).await?;
    }
    db::account::activate(&mut conn, account.id, ctx.now_naive()).await?;
    Ok(account)
}

/// Opens a session for an account. The caller has made sure that it may.
///
/// # Errors
/// The ground's.
#[boxed]
pub async fn open(ctx: &Ctx, id: AccountId, ip: Option<&str>) -> Result<Tokens, AccountError> {
    let mut conn = ctx.db.acquire().await?;
    if let Some(ip) = ip.filter(|ip| !ip.is_empty()) {
        let ip: String = ip.chars().take(255).collect();
        db::account::note_login(&mut conn, id, ctx.now_naive(), &ip).await?;
    }
    db::account::activate(&mut conn, id, ctx.now_naive()).await?;
    drop(conn);
    Ok(issue(ctx, id).await?)
}

async fn issue(ctx: &Ctx, id: AccountId) -> Result<Tokens, Fault> {
    let expires = ctx.now().timestamp() + ctx.config.feature.access_token_expire_minutes * 60;
    let account = id.to_string();
    let refresh = crypto::token::refresh_token();
    let ttl = refresh_ttl(ctx);
    ctx.redis.set_ex(&refresh_key(&refresh), account.as_bytes(), ttl).await?;
    ctx.redis.set_ex(&newest_key(id), refresh.as_bytes(), ttl).await?;
    let claims = Claims {
        user_id: id,
        exp: expires,
        iss: &ctx.config.deploy.edition,
        sub: crypto::jwt::CONSOLE_SUBJECT,
        jti: crypto::token::nonce(),
    };
    Ok(Tokens {
        access_token: crypto::jwt::encode(&claims, &ctx.secret)
            .ok_or_else(|| Fault::Other("an access token cannot be signed".to_owned()))?,
        refresh_token: refresh,
        csrf_token: crypto::jwt::csrf_token(&account, expires, &ctx.secret),
    })
}

/// The reference's claims, and one that tells two sessions of the same second apart: signing one out must not end the
/// other.
#[derive(serde::Serialize)]
struct Claims<'a> {
    user_id: AccountId,
    exp: i64,
    iss: &'a str,
    sub: &'a str,
    jti: String,
}

/// Why a session is not renewed: always 401, the message in a body of its own.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// No cookie.
    #[error("No refresh token provided")]
    Missing,
    /// An unknown or used token.
    #[error("Invalid refresh token")]
    Invalid,
    /// The account is gone or belongs to no workspace.
    #[error("Invalid account")]
    InvalidAccount,
    /// The account was banned.
    #[error("401 Unauthorized: Account is banned.")]
    Banned,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure for RefreshError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 401,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "",
        }
    }

    fn data(&self) -> Option<serde_json::Value> {
        match self {
            Self::Fault(_) => None,
            other => Some(serde_json::json!({"result": "fail", "message": other.to_string()})),
        }
    }
}

/// Renews a session: the token is used up, and of two calls at once only one gets a new one.
///
/// # Errors
/// [`RefreshError`].
#[boxed]
pub async fn refresh(ctx: &Ctx, token: Option<&str>) -> Result<Tokens, RefreshError> {
    let token = token.filter(|token| !token.is_empty()).ok_or(RefreshError::Missing)?;
    let key = refresh_key(token);
    let holder = ctx.redis.get(&key).await.map_err(Fault::from)?.ok_or(RefreshError::Invalid)?;
    let id = std::str::from_utf8(&holder)
        .ok()
        .and_then(|id| id.parse::<AccountId>().ok())
        .ok_or(RefreshError::Invalid)?;
    match session::load(ctx, id).await {
        Ok(_) => {}
        Err(SessionError::Banned) => return Err(RefreshError::Banned),
        Err(SessionError::Fault(fault)) => return Err(RefreshError::Fault(fault)),
        Err(_) => return Err(RefreshError::InvalidAccount),
    }
    if ctx.redis.del(&[&key]).await.map_err(Fault::from)? == 0 {
        return Err(RefreshError::Invalid);
    }
    Ok(issue(ctx, id).await?)
}

/// Ends a session: its access token and its refresh token open nothing any more. A browser that shows no refresh
/// token loses the newest one of the account, as in the reference.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn sign_out(
    ctx: &Ctx,
    id: AccountId,
    access: Option<&str>,
    refresh: Option<&str>,
) -> Result<(), AccountError> {
    if let Some(access) = access {
        session::revoke(ctx, access).await;
    }
    let newest = ctx.redis.get(&newest_key(id)).await?;
    let newest = newest.and_then(|token| String::from_utf8(token).ok());
    let ours = match refresh.filter(|token| !token.is_empty()) {
        Some(token) if is_holder(ctx, id, token).await? => Some(token.to_owned()),
        _ => newest.clone(),
    };
    if let Some(token) = &ours {
        ctx.redis.del(&[&refresh_key(token)]).await?;
    }
    if ours == newest {
        ctx.redis.del(&[&newest_key(id)]).await?;
    }
    Ok(())
}

/// Ends the newest session of an account whose password was reset by mail.
///
/// # Errors
/// Redis's.
pub(crate) async fn drop_newest(ctx: &Ctx, id: AccountId) -> Result<(), AccountError> {
    if let Some(token) = ctx.redis.get(&newest_key(id)).await? {
        ctx.redis.del(&[&refresh_key(&String::from_utf8_lossy(&token))]).await?;
        ctx.redis.del(&[&newest_key(id)]).await?;
    }
    Ok(())
}

async fn is_holder(ctx: &Ctx, id: AccountId, token: &str) -> Result<bool, Fault> {
    let holder = ctx.redis.get(&refresh_key(token)).await?;
    Ok(holder.is_some_and(|holder| holder == id.to_string().into_bytes()))
}

fn refresh_ttl(ctx: &Ctx) -> Duration {
    Duration::try_from_secs_f64(ctx.config.feature.refresh_token_expire_days * 86_400.0)
        .unwrap_or(Duration::from_secs(30 * 86_400))
}

fn refresh_key(token: &str) -> String {
    format!("refresh_token:{token}")
}

fn newest_key(id: AccountId) -> String {
    format!("account_refresh_token:{id}")
}
