//! Tracing providers of an app: whether one is on, and their credentials.

mod check;
mod provider;
mod url;

use boxed::boxed;
pub use provider::Provider;

use db::app::App;
use serde_json::{Value, json};
use services_core::{Ctx, Failure, Fault, tenant_secret};
use types::{AppId, TenantId};

use crate::json::{Object, text};

/// Why a use case on tracing has no result.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A value that cannot be used, where the reference answers `invalid_param`.
    #[error("{0}")]
    Invalid(String),
    /// A value that cannot be used, where the reference answers `bad_request`.
    #[error("{0}")]
    Refused(String),
    /// The provider has credentials already.
    #[error("400 Bad Request: Trace config is exist.")]
    Exists,
    /// The provider has no credentials.
    #[error("400 Bad Request: Trace config not exist.")]
    NotExists,
    /// The credentials open nothing, or there is no such provider.
    #[error("400 Bad Request: Invalid Credentials.")]
    BadCredentials,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for TraceError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for TraceError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Refused(_) | Self::Exists | Self::NotExists | Self::BadCredentials => {
                "bad_request"
            }
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Which provider an app uses, as its row has it.
///
/// # Errors
/// [`TraceError::Invalid`] if there is no such app.
#[boxed]
pub async fn setting(ctx: &Ctx, tenant: TenantId, app: AppId) -> Result<Value, TraceError> {
    let app = find_app(ctx, tenant, app).await?;
    let stored = app.tracing.as_deref().filter(|text| !text.is_empty());
    let stored = stored.and_then(|text| serde_json::from_str(text).ok());
    Ok(stored.unwrap_or_else(|| json!({"enabled": false, "tracing_provider": null})))
}

/// Switches tracing on or off.
///
/// # Errors
/// [`TraceError::Invalid`] if there is no such app or provider.
#[boxed]
pub async fn set(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    enabled: bool,
    provider: Option<&str>,
) -> Result<(), TraceError> {
    if let Some(name) = provider
        && Provider::find(name).is_none()
    {
        return Err(TraceError::Invalid(format!("Invalid tracing provider: {name}")));
    }
    let app = find_app(ctx, tenant, app).await?;
    let setting = crate::json::dumps(&json!({"enabled": enabled, "tracing_provider": provider}));
    let mut conn = ctx.db.acquire().await?;
    db::app::set_tracing(&mut conn, tenant, app.id, &setting, ctx.now_naive()).await?;
    Ok(())
}

/// The credentials of a provider, secrets masked; `None` if there are none.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn credentials(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    name: &str,
) -> Result<Option<Value>, TraceError> {
    let Some(row) = find_row(ctx, tenant, app, name).await? else { return Ok(None) };
    let Some(provider) = Provider::find(name) else { return Ok(None) };
    let stored =
        row.tracing_config.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let clear = open(ctx, tenant, provider, &stored).await?;
    let mut shown = provider.complete(&clear).map_err(TraceError::Refused)?;
    for key in provider.secrets {
        if let Some(Value::String(secret)) = shown.get_mut(*key) {
            *secret = crypto::mask::obfuscated_token(secret);
        }
    }
    let page = match text(&stored, "project_url").filter(|page| !page.is_empty()) {
        Some(page) => page.to_owned(),
        None => provider.page(&clear),
    };
    shown.insert("project_url".to_owned(), json!(page));
    Ok(Some(json!({
        "id": row.id,
        "app_id": row.app_id,
        "tracing_provider": row.tracing_provider,
        "tracing_config": shown,
        "is_active": row.is_active,
        "created_at": python_time(row.created_at),
        "updated_at": python_time(row.updated_at),
    })))
}

/// Saves the credentials of a provider after trying them.
///
/// # Errors
/// [`TraceError::BadCredentials`], [`TraceError::Exists`], [`TraceError::Refused`] for fields that do not fit.
#[boxed]
pub async fn create(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    name: &str,
    given: &Object,
) -> Result<(), TraceError> {
    let provider = Provider::find(name).ok_or(TraceError::BadCredentials)?;
    let config = provider.complete(given).map_err(TraceError::Refused)?;
    // An app that is not the caller's looks like one that has credentials already, as in the reference.
    let app = find_app(ctx, tenant, app).await.map_err(|_| TraceError::Exists)?;
    if !check::accepts(ctx, provider, &config).await {
        return Err(TraceError::BadCredentials);
    }
    if find_row(ctx, tenant, app.id, name).await?.is_some() {
        return Err(TraceError::Exists);
    }
    let mut sealed = seal(ctx, tenant, provider, &config, None).await?;
    sealed.insert("project_url".to_owned(), json!(provider.page(&config)));
    let mut conn = ctx.db.acquire().await?;
    let sealed = Value::Object(sealed);
    db::trace_app_config::insert(&mut conn, app.id, name, &sealed, ctx.now_naive()).await?;
    Ok(())
}

/// Replaces the credentials of a provider after trying them; a secret that comes back masked stays.
///
/// # Errors
/// [`TraceError::NotExists`], [`TraceError::Refused`] for fields that do not fit or open nothing.
#[boxed]
pub async fn update(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    name: &str,
    given: &Object,
) -> Result<(), TraceError> {
    let provider = Provider::find(name)
        .ok_or_else(|| TraceError::Refused(format!("Invalid tracing provider: {name}")))?;
    let row = find_row(ctx, tenant, app, name).await?.ok_or(TraceError::NotExists)?;
    let stored = row.tracing_config.as_ref().and_then(Value::as_object);
    let config = provider.complete(given).map_err(TraceError::Refused)?;
    let sealed = seal(ctx, tenant, provider, &config, stored).await?;
    let clear = open(ctx, tenant, provider, &sealed).await?;
    if !check::accepts(ctx, provider, &clear).await {
        return Err(TraceError::Refused("Invalid Credentials".to_owned()));
    }
    let mut conn = ctx.db.acquire().await?;
    let sealed = Value::Object(sealed);
    db::trace_app_config::update(&mut conn, row.app_id, row.id, &sealed, ctx.now_naive()).await?;
    Ok(())
}

/// Forgets the credentials of a provider.
///
/// # Errors
/// [`TraceError::NotExists`].
#[boxed]
pub async fn delete(ctx: &Ctx, tenant: TenantId, app: AppId, name: &str) -> Result<(), TraceError> {
    let row = find_row(ctx, tenant, app, name).await?.ok_or(TraceError::NotExists)?;
    let mut conn = ctx.db.acquire().await?;
    db::trace_app_config::delete(&mut conn, row.app_id, name).await?;
    Ok(())
}

async fn find_app(ctx: &Ctx, tenant: TenantId, app: AppId) -> Result<App, TraceError> {
    let mut conn = ctx.db.acquire().await?;
    let found = db::app::find(&mut conn, tenant, app).await?;
    found.ok_or_else(|| TraceError::Invalid("App not found".to_owned()))
}

/// The row of a provider, if the app is the caller's. (The reference does not ask whose app it is.)
async fn find_row(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    name: &str,
) -> Result<Option<db::trace_app_config::TraceAppConfig>, TraceError> {
    let mut conn = ctx.db.acquire().await?;
    if db::app::find(&mut conn, tenant, app).await?.is_none() {
        return Ok(None);
    }
    Ok(db::trace_app_config::find(&mut conn, app, name).await?)
}

async fn seal(
    ctx: &Ctx,
    tenant: TenantId,
    provider: &Provider,
    config: &Object,
    stored: Option<&Object>,
) -> Result<Object, Fault> {
    let mut sealed = config.clone();
    for key in provider.secrets {
        let Some(Value::String(secret)) = sealed.get_mut(*key) else { continue };
        let kept = stored.and_then(|stored| text(stored, key)).filter(|_| secret.contains('*'));
        *secret = match kept {
            Some(kept) => kept.to_owned(),
            None => tenant_secret::encrypt(ctx, tenant, secret).await?,
        };
    }
    Ok(sealed)
}

async fn open(
    ctx: &Ctx,
    tenant: TenantId,
    provider: &Provider,
    stored: &Object,
) -> Result<Object, Fault> {
    let mut clear = stored.clone();
    for key in provider.secrets {
        if let Some(Value::String(secret)) = clear.get_mut(*key) {
            *secret = tenant_secret::decrypt(ctx, tenant, secret).await?.unwrap_or_default();
        }
    }
    Ok(clear)
}

/// A time as Python's `str` prints it.
fn python_time(time: chrono::NaiveDateTime) -> String {
    let micros = time.and_utc().timestamp_subsec_micros();
    let format = if micros == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.6f" };
    time.format(format).to_string()
}
