//! Guards of the console API: set up, signed in, with what role.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
};
use services_account::session::{self, SignedIn};
use services_core::Ctx;
use sha2::{Digest, Sha256};

use crate::{ApiError, AppState};

/// The server was set up.
#[derive(Debug, Clone, Copy)]
pub struct SetUp;

impl FromRequestParts<AppState> for SetUp {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let ctx = &state.ctx;
        if ctx.config.deploy.edition != "SELF_HOSTED" || session::is_set_up(ctx).await? {
            return Ok(Self);
        }
        let wants_password =
            ctx.config.direct.init_password.as_deref().is_some_and(|p| !p.is_empty());
        Err(if wants_password {
            ApiError::new(
                StatusCode::UNAUTHORIZED,
                "not_init_validated",
                "Init validation has not been completed yet. Please proceed with the init validation process first.",
            )
        } else {
            ApiError::new(
                StatusCode::UNAUTHORIZED,
                "not_setup",
                "Dify has not been initialized and installed yet. Please proceed with the initialization and \
                 installation process first.",
            )
        })
    }
}

/// A signed-in account, whatever its state.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// Whom the request speaks for.
    pub user: SignedIn,
    /// The access token it came with; `None` for the admin key.
    pub token: Option<String>,
}

impl FromRequestParts<AppState> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        SetUp::from_request_parts(parts, state).await?;
        let ctx = &state.ctx;
        let user = match admin(ctx, &parts.headers).await? {
            Some(owner) => Self { user: owner, token: None },
            None => {
                let token =
                    access_token(ctx, &parts.headers).ok_or(session::SessionError::NoToken)?;
                let user = session::authenticate(ctx, &token).await?;
                check_csrf(ctx, parts, &user)?;
                Self { user, token: Some(token) }
            }
        };
        tracing::Span::current().record("tenant_id", tracing::field::display(user.user.tenant));
        parts.extensions.insert(user.clone());
        Ok(user)
    }
}

/// A signed-in account that is ready to work: what nearly every console endpoint wants.
#[derive(Debug, Clone)]
pub struct Console(pub SignedIn);

impl FromRequestParts<AppState> for Console {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let LoggedIn { user, .. } = LoggedIn::from_request_parts(parts, state).await?;
        if user.account.status == "uninitialized" {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "account_not_initialized",
                "The account has not been initialized yet. Please proceed with the initialization process first.",
            ));
        }
        Ok(Self(user))
    }
}

macro_rules! role_guards {
    ($($(#[$doc:meta])* $name:ident if $may:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub SignedIn);

        impl FromRequestParts<AppState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &AppState,
            ) -> Result<Self, ApiError> {
                let Console(user) = Console::from_request_parts(parts, state).await?;
                let may: fn(session::Role) -> bool = $may;
                if may(user.role) { Ok(Self(user)) } else { Err(ApiError::forbidden()) }
            }
        }
    )*};
}

role_guards! {
    /// A [`Console`] user who may edit apps (owner, admin, editor).
    Editor if session::Role::is_editing;
    /// A [`Console`] user who may edit knowledge bases.
    DatasetEditor if session::Role::is_dataset_editing;
    /// A [`Console`] user who is owner or admin.
    Admin if session::Role::is_privileged;
    /// A [`Console`] user who owns the workspace.
    Owner if |role| role == session::Role::Owner;
}

/// The owner of the workspace the admin key asks for, if that key is on and was sent.
async fn admin(ctx: &Ctx, headers: &HeaderMap) -> Result<Option<SignedIn>, ApiError> {
    let settings = &ctx.config.feature;
    let Some(key) = settings
        .admin_api_key
        .as_deref()
        .filter(|key| settings.admin_api_key_enable && !key.is_empty())
    else {
        return Ok(None);
    };
    let sent = bearer(headers).is_some_and(|sent| is_same_secret(sent, key));
    let workspace = headers.get("x-workspace-id").and_then(|id| id.to_str().ok()?.parse().ok());
    match workspace {
        Some(workspace) if sent => Ok(Some(session::owner_of(ctx, workspace).await?)),
        _ => Ok(None),
    }
}

/// Compares digests, so that the time taken tells nothing about the key.
fn is_same_secret(sent: &str, key: &str) -> bool {
    Sha256::digest(sent) == Sha256::digest(key)
}

/// The access token of a request: cookie first, then `Authorization: Bearer`.
#[must_use]
pub fn access_token(ctx: &Ctx, headers: &HeaderMap) -> Option<String> {
    cookie(headers, &ctx.config.cookie_name("access_token"))
        .or_else(|| bearer(headers).map(str::to_owned))
        .filter(|token| !token.is_empty())
}

/// The bearer of the `Authorization` header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(char::is_whitespace)?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie's value.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

fn check_csrf(ctx: &Ctx, parts: &Parts, user: &SignedIn) -> Result<(), ApiError> {
    if parts.method == Method::OPTIONS || is_draft_path(parts.uri.path()) {
        return Ok(());
    }
    let header = parts.headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
    let cookie = cookie(&parts.headers, &ctx.config.cookie_name("csrf_token"));
    let fits = match (header, cookie) {
        (Some(header), Some(cookie)) if header == cookie && !header.is_empty() => {
            crypto::jwt::is_csrf_token_of(
                header,
                &user.account.id.to_string(),
                &ctx.secret,
                ctx.now().timestamp(),
            )
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(ApiError::unauthorized("CSRF token is missing or invalid.")) }
}

/// `/console/api/apps/<id>/workflows/draft…`: saved by a browser's beacon, which cannot send headers.
fn is_draft_path(path: &str) -> bool {
    path.strip_prefix("/console/api/apps/").and_then(|rest| rest.split_once('/')).is_some_and(
        |(id, rest)| {
            !id.is_empty()
                && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase() || b == b'-')
                && rest.starts_with("workflows/draft")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drafts_of_apps_go_without_csrf() {
        for (path, expected) in [
            ("/console/api/apps/0a-1/workflows/draft", true),
            ("/console/api/apps/0a-1/workflows/draft/variables", true),
            ("/console/api/apps/0a-1/workflows/publish", false),
            ("/console/api/apps/x/workflows/draft", false),
            ("/console/api/account/name", false),
        ] {
            assert_eq!(is_draft_path(path), expected, "{path}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; access_token=x.y.z;b=".parse().unwrap());
        assert_eq!(cookie(&headers, "access_token").as_deref(), Some("x.y.z"));
        assert_eq!(cookie(&headers, "token"), None);
    }
}
