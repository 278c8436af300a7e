//! Our side of OAuth: programs that sign people in with their account here.

use boxed::boxed;
use std::time::Duration;

use db::account::Account;
pub use db::oauth_provider_app::OAuthProviderApp;
use serde_json::Value;
use services_core::{Ctx, Failure, Fault};
use types::AccountId;
use uuid::Uuid;

use crate::session::{self, SessionError};

const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long an access token opens an account.
pub const ACCESS_LIFE: Duration = Duration::from_secs(12 * 3600);
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a program gets nothing.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// No such program.
    #[error("client_id is invalid")]
    NoClient,
    /// What it sent cannot be used.
    #[error("{0}")]
    BadRequest(&'static str),
    /// No token that opens an account; the body is the reference's own.
    #[error("{0}")]
    BadToken(&'static str),
    /// The account was banned.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for OAuthError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for OAuthError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for OAuthError {
    fn status(&self) -> u16 {
        match self {
            Self::NoClient => 404,
            Self::BadRequest(_) => 400,
            Self::BadToken(_) => 401,
            Self::Session(err) => err.status(),
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoClient => "not_found",
            Self::BadRequest(_) => "bad_request",
            Self::BadToken(_) => "unauthorized",
            Self::Session(err) => err.code(),
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::BadToken(error) => Some(serde_json::json!({"error": error})),
            Self::Session(err) => err.data(),
            _ => None,
        }
    }
}

/// The program with that id.
///
/// # Errors
/// [`OAuthError::NoClient`].
#[boxed]
pub async fn client(ctx: &Ctx, id: &str) -> Result<OAuthProviderApp, OAuthError> {
    let mut conn = ctx.db.acquire().await?;
    db::oauth_provider_app::find(&mut conn, id).await?.ok_or(OAuthError::NoClient)
}

/// Refuses an address the program did not register.
///
/// # Errors
/// [`OAuthError::BadRequest`].
pub fn check_redirect(client: &OAuthProviderApp, uri: Option<&str>) -> Result<(), OAuthError> {
    let known = client.redirect_uris.as_array().is_some_and(|uris| {
        uris.iter().any(|known| known.as_str().is_some_and(|known| Some(known) == uri))
    });
    if known { Ok(()) } else { Err(OAuthError::BadRequest("redirect_uri is invalid")) }
}

/// A code the program swaps for tokens, good for ten minutes.
///
/// # Errors
/// Redis's.
#[boxed]
pub async fn authorize(
    ctx: &Ctx,
    client: &OAuthProviderApp,
    account: AccountId,
) -> Result<String, OAuthError> {
    sign(ctx, client, "authorization_code", account.to_string().as_bytes(), CODE_LIFE).await
}

/// What a program shows for tokens.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// `authorization_code` or `refresh_token`.
    pub grant_type: &'a str,
    /// The code of [`authorize`].
    pub code: Option<&'a str>,
    /// What only the program knows.
    pub client_secret: Option<&'a str>,
    /// The address the code was sent to.
    pub redirect_uri: Option<&'a str>,
    /// A refresh token.
    pub refresh_token: Option<&'a str>,
}

/// Access token and refresh token.
///
/// # Errors
/// [`OAuthError::BadRequest`].
#[boxed]
pub async fn tokens(
    ctx: &Ctx,
    client: &OAuthProviderApp,
    request: TokenRequest<'_>,
) -> Result<(String, String), OAuthError> {
    match request.grant_type {
        "authorization_code" => {
            let code = request.code.filter(|code| !code.is_empty());
            let code = code.ok_or(OAuthError::BadRequest("code is required"))?;
            check_secret(client, request.client_secret)?;
            check_redirect(client, request.redirect_uri)?;
            let key = key(client, "authorization_code", code);
            let account =
                ctx.redis.getdel(&key).await?.ok_or(OAuthError::BadRequest("invalid code"))?;
            let access = sign(ctx, client, "access_token", &account, ACCESS_LIFE).await?;
            let refresh = sign(ctx, client, "refresh_token", &account, REFRESH_LIFE).await?;
            Ok((access, refresh))
        }
        "refresh_token" => {
            let token = request.refresh_token.filter(|token| !token.is_empty());
            let token = token.ok_or(OAuthError::BadRequest("refresh_token is required"))?;
            let account = ctx.redis.get(&key(client, "refresh_token", token)).await?;
            let account = account.ok_or(OAuthError::BadRequest("invalid refresh token"))?;
            let access = sign(ctx, client, "access_token", &account, ACCESS_LIFE).await?;
            Ok((access, token.to_owned()))
        }
        _ => Err(OAuthError::BadRequest("invalid grant_type")),
    }
}

/// The account an `Authorization` header opens.
///
/// # Errors
/// [`OAuthError::BadToken`], [`OAuthError::Session`].
#[boxed]
pub async fn account(
    ctx: &Ctx,
    client: &OAuthProviderApp,
    header: Option<&str>,
) -> Result<Account, OAuthError> {
    let header = header
        .filter(|header| !header.is_empty())
        .ok_or(OAuthError::BadToken("Authorization header is required"))?;
    let (scheme, token) = header
        .trim()
        .split_once(char::is_whitespace)
        .ok_or(OAuthError::BadToken("Invalid Authorization header format"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(OAuthError::BadToken("token_type is invalid"));
    }
    let invalid = || OAuthError::BadToken("access_token or client_id is invalid");
    let holder = ctx.redis.get_string(&key(client, "access_token", token.trim())).await?;
    let id = holder.and_then(|id| id.parse().ok()).ok_or_else(invalid)?;
    match session::load(ctx, id).await {
        Ok(user) => Ok(user.account),
        Err(SessionError::Nobody) => Err(invalid()),
        Err(err) => Err(err.into()),
    }
}

fn check_secret(client: &OAuthProviderApp, secret: Option<&str>) -> Result<(), OAuthError> {
    let right = secret.is_some_and(|secret| {
        crypto::hash::same(secret.as_bytes(), client.client_secret.as_bytes())
    });
    if right { Ok(()) } else { Err(OAuthError::BadRequest("client_secret is invalid")) }
}

async fn sign(
    ctx: &Ctx,
    client: &OAuthProviderApp,
    kind: &str,
    account: &[u8],
    life: Duration,
) -> Result<String, OAuthError> {
    let token = Uuid::new_v4().to_string();
    ctx.redis.set_ex(&key(client, kind, &token), account, life).await?;
    Ok(token)
}

fn key(client: &OAuthProviderApp, kind: &str, token: &str) -> String {
    format!("oauth_provider:{}:{kind}:{token}", client.client_id)
}
