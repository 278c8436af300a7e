//! Keys of the service API (`/v1`): which app or workspace a bearer speaks for.

use boxed::boxed;
use std::time::Duration;

use db::{api_token::ApiToken, app::App};
use services_core::{Ctx, Failure, Fault, ctx::KeyedApp};
use types::TenantId;

use crate::session::{self, SessionError, SignedIn};

/// How long a key is remembered that exists; the reference's time.
pub const KEY_TTL: Duration = Duration::from_secs(600);

/// How long a use of a key waits for the beat to write it down.
const USE_TTL: Duration = Duration::from_secs(3600);

/// Why a key opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No header, or one without a scheme.
    #[error("Authorization header must be provided and start with 'Bearer'")]
    NoHeader,
    /// Another scheme.
    #[error("Authorization scheme must be 'Bearer'")]
    Scheme,
    /// No such key.
    #[error("Access token is invalid")]
    Invalid,
    /// The app was deleted.
    #[error("The app no longer exists.")]
    NoApp,
    /// The app is archived.
    #[error("The app's status is abnormal.")]
    AppStatus,
    /// The app's service API is switched off.
    #[error("The app's API service has been disabled.")]
    ApiDisabled,
    /// The workspace is gone.
    #[error("Tenant does not exist.")]
    NoTenant,
    /// The workspace is archived.
    #[error("The workspace's status is archived.")]
    Archived,
    /// The workspace has no owner to act as.
    #[error("Tenant owner account not found or tenant is not active.")]
    NoOwner,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for KeyError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for KeyError {
    fn status(&self) -> u16 {
        match self {
            Self::NoHeader | Self::Scheme | Self::Invalid | Self::NoOwner => 401,
            Self::NoApp | Self::AppStatus | Self::ApiDisabled | Self::Archived => 403,
            Self::NoTenant => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoHeader | Self::Scheme | Self::Invalid | Self::NoOwner => "unauthorized",
            Self::NoApp | Self::AppStatus | Self::ApiDisabled | Self::Archived => "forbidden",
            Self::NoTenant => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The key in an `Authorization` header.
///
/// # Errors
/// [`KeyError::NoHeader`], [`KeyError::Scheme`].
pub fn bearer(header: Option<&str>) -> Result<&str, KeyError> {
    let header = header.ok_or(KeyError::NoHeader)?;
    let (scheme, token) = header.split_once(char::is_whitespace).ok_or(KeyError::NoHeader)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(KeyError::Scheme);
    }
    Ok(token.trim_start())
}

/// The app a key opens.
///
/// # Errors
/// [`KeyError`].
#[boxed]
pub async fn app(ctx: &Ctx, token: &str) -> Result<App, KeyError> {
    let key = find(ctx, "app", token).await?;
    let id = key.app_id.ok_or(KeyError::NoApp)?;
    let read = async {
        let mut conn = ctx.db.acquire().await?;
        let Some(app) = db::app::find_by_credential(&mut conn, id).await? else { return Ok(None) };
        let tenant = db::tenant::find(&mut conn, app.tenant_id).await?;
        let tenant_status = tenant.map(|tenant| tenant.status);
        Ok::<_, db::DbError>(Some(KeyedApp { app, tenant_status }))
    };
    let found = ctx.keyed_apps().find(&id, read).await?;
    let KeyedApp { app, tenant_status } = found.ok_or(KeyError::NoApp)?;
    if app.status != "normal" {
        return Err(KeyError::AppStatus);
    }
    if !app.enable_api {
        return Err(KeyError::ApiDisabled);
    }
    match tenant_status.as_deref() {
        None => Err(KeyError::NoTenant),
        Some("archive") => Err(KeyError::Archived),
        Some(_) => Ok(app),
    }
}

/// The workspace a dataset key opens, as its owner.
///
/// # Errors
/// [`KeyError`].
#[boxed]
pub async fn dataset(ctx: &Ctx, token: &str) -> Result<SignedIn, KeyError> {
    let key = find(ctx, "dataset", token).await?;
    let tenant = key.tenant_id.ok_or(KeyError::NoTenant)?;
    owner(ctx, tenant).await
}

/// The owner of a workspace, for calls of the service API that name no user.
///
/// # Errors
/// [`KeyError::NoOwner`].
#[boxed]
pub async fn owner(ctx: &Ctx, tenant: TenantId) -> Result<SignedIn, KeyError> {
    session::owner_of(ctx, tenant).await.map_err(|err| match err {
        SessionError::Fault(fault) => KeyError::Fault(fault),
        _ => KeyError::NoOwner,
    })
}

/// The tag under which a key's cached row is kept.
#[must_use]
pub fn cache_tag(token: &str) -> String {
    format!("api_token:{token}")
}

async fn find(ctx: &Ctx, kind: &str, token: &str) -> Result<ApiToken, KeyError> {
    let row = ctx
        .keys()
        .find((kind.to_owned(), token.to_owned()), [cache_tag(token)], async {
            let mut conn = ctx.db.acquire().await?;
            db::api_token::find_by_token(&mut conn, kind, token).await
        })
        .await?
        .ok_or(KeyError::Invalid)?;
    note_use(ctx, kind, token).await;
    Ok(row)
}

/// Leaves a note for the beat, which writes `api_tokens.last_used_at`.
async fn note_use(ctx: &Ctx, kind: &str, token: &str) {
    if !ctx.due_this_minute(&format!("key_used:{kind}:{token}")) {
        return;
    }
    let now = ctx.now_naive().format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    let key = format!("api_token_active:{kind}:{token}");
    if let Err(err) = ctx.redis.set_ex(&key, now.as_bytes(), USE_TTL).await {
        tracing::debug!(error = %err, "could not note the use of an API key");
    }
}
