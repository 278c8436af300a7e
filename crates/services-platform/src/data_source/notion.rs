//! Connections to Notion: connecting, switching on and off, reading which pages they open.

use boxed::boxed;
use std::{collections::HashMap, time::Duration};

pub use db::data_source_oauth::DataSourceOauth;
use serde_json::{Map, Value, json};
use services_core::{Ctx, Failure, Fault};
use types::TenantId;
use url::Url;
use uuid::Uuid;

mod api;

use api::{Notion, unreachable};

const API: &str = "https://api.notion.com/v1";
const VERSION: &str = "2022-06-28";
const PROVIDER: &str = "notion";

/// How much of one answer is read.
const MAX_ANSWER: usize = 16 << 20;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Pages of a search that are read at the most (100 entries each), and blocks walked up to a page.
const MAX_STEPS: usize = 1000;

/// Why a connection is not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum NotionError {
    /// Only Notion is known.
    #[error("Invalid provider")]
    Provider,
    /// The request has an empty code.
    #[error("Invalid code")]
    Code,
    /// An internal integration without `NOTION_INTERNAL_SECRET`.
    #[error("Internal secret is not set")]
    NoSecret,
    /// Notion refused.
    #[error("OAuth data source process failed")]
    Process,
    /// No such connection in the workspace, where the reference answers 404.
    #[error("Data source binding not found.")]
    NotFound,
    /// No such connection that is switched on, where the reference answers 400.
    #[error("Data source binding not found")]
    NoBinding,
    /// The connection is switched on already.
    #[error("Data source is not disabled.")]
    NotDisabled,
    /// The connection is switched off already.
    #[error("Data source is disabled.")]
    Disabled,
    /// Notion's own words.
    #[error("{0}")]
    Refused(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for NotionError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for NotionError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Fault(fault) => fault.code(),
            _ => "invalid_param",
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Provider | Self::Code | Self::NoSecret | Self::Process => {
                Some(json!({ "error": self.to_string() }))
            }
            _ => None,
        }
    }
}

/// Checks the provider's name in a path.
///
/// # Errors
/// [`NotionError::Provider`].
pub fn check_provider(provider: &str) -> Result<(), NotionError> {
    if provider == PROVIDER { Ok(()) } else { Err(NotionError::Provider) }
}

/// The workspace's connections that are switched on, oldest first.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, tenant: TenantId) -> Result<Vec<DataSourceOauth>, NotionError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::data_source_oauth::list(&mut conn, tenant, PROVIDER).await?)
}

/// Switches a connection on or off.
///
/// # Errors
/// [`NotionError::NotFound`], [`NotionError::NotDisabled`], [`NotionError::Disabled`].
#[boxed]
pub async fn set_disabled(
    ctx: &Ctx,
    tenant: TenantId,
    id: Uuid,
    disabled: bool,
) -> Result<(), NotionError> {
    let mut conn = ctx.db.acquire().await?;
    let known =
        db::data_source_oauth::find(&mut conn, tenant, id).await?.ok_or(NotionError::NotFound)?;
    match (known.disabled, disabled) {
        (true, true) => Err(NotionError::Disabled),
        (false, false) => Err(NotionError::NotDisabled),
        _ => Ok(db::data_source_oauth::set_disabled(&mut conn, tenant, id, disabled).await?),
    }
}

/// Whether the workspace has that connection, switched on or not.
///
/// # Errors
/// [`NotionError::NotFound`].
#[boxed]
pub async fn check(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<(), NotionError> {
    let mut conn = ctx.db.acquire().await?;
    let known = db::data_source_oauth::find(&mut conn, tenant, id).await?;
    known.map(|_| ()).ok_or(NotionError::NotFound)
}

/// Where a browser goes to connect, or `internal` when an internal integration was connected on the spot.
///
/// # Errors
/// [`NotionError::Provider`], [`NotionError::NoSecret`], [`NotionError::Refused`].
#[boxed]
pub async fn begin(ctx: &Ctx, tenant: TenantId, provider: &str) -> Result<String, NotionError> {
    check_provider(provider)?;
    let settings = &ctx.config.extra;
    if settings.notion_integration_type.as_deref() != Some("internal") {
        let client = settings.notion_client_id.as_deref().unwrap_or_default();
        return Ok(authorization_url(client, &redirect_uri(ctx)));
    }
    let token = settings.notion_internal_secret.as_deref().ok_or(NotionError::NoSecret)?;
    let notion = Notion { ctx, token };
    let mut info = notion.source_info().await?;
    info.insert("workspace_name".into(), notion.workspace_name().await?.into());
    info.insert("workspace_icon".into(), Value::Null);
    info.insert("workspace_id".into(), tenant.to_string().into());
    save(ctx, tenant, token, info).await?;
    Ok("internal".to_owned())
}

/// Connects with the code Notion sent the browser back with.
///
/// # Errors
/// [`NotionError::Provider`], [`NotionError::Code`], [`NotionError::Process`], [`NotionError::Refused`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn connect(
    ctx: &Ctx,
    tenant: TenantId,
    provider: &str,
    code: &str,
) -> Result<(), NotionError> {
    check_provider(provider)?;
    if code.is_empty() {
        return Err(NotionError::Code);
    }
    let settings = &ctx.config.extra;
    let basic = crypto::base64::encode(
        format!(
            "{}:{}",
            settings.notion_client_id.as_deref().unwrap_or_default(),
            settings.notion_client_secret.as_deref().unwrap_or_default()
        )
        .as_bytes(),
    );
    let redirect_uri = redirect_uri(ctx);
    let answer: Value = ctx
        .http
        .upstream()
        .post(format!("{API}/oauth/token"))
        .header("Accept", "application/json")
        .header("Authorization", format!("Basic {basic}"))
        .form(&[
            ("code", code),
            ("grant_type", "authorization_code"),
            ("redirect_uri", redirect_uri.as_str()),
        ])
        .timeout(TIMEOUT)
        .send()
        .await
        .map_err(|err| unreachable(&err))?
        .json(MAX_ANSWER)
        .await
        .map_err(|err| unreachable(&err))?;
    let token = answer
        .get("access_token")
        .and_then(Value::as_str)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| NotionError::Refused(format!("Error in Notion OAuth: {answer}")))?;
    let mut info = Notion { ctx, token }.source_info().await?;
    for name in ["workspace_name", "workspace_icon", "workspace_id"] {
        info.insert(name.to_owned(), answer.get(name).cloned().unwrap_or_default());
    }
    save(ctx, tenant, token, info).await
}

/// Reads again which pages a connection opens.
///
/// # Errors
/// [`NotionError::Provider`], [`NotionError::NoBinding`], [`NotionError::Refused`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn sync(
    ctx: &Ctx,
    tenant: TenantId,
    provider: &str,
    id: Uuid,
) -> Result<(), NotionError> {
    check_provider(provider)?;
    let mut conn = ctx.db.acquire().await?;
    let known = db::data_source_oauth::find(&mut conn, tenant, id)
        .await?
        .filter(|known| !known.disabled && known.provider == PROVIDER)
        .ok_or(NotionError::NoBinding)?;
    drop(conn);
    let mut info = Notion { ctx, token: &known.access_token }.source_info().await?;
    for name in ["workspace_name", "workspace_icon", "workspace_id"] {
        info.insert(name.to_owned(), known.source_info.get(name).cloned().unwrap_or_default());
    }
    let mut conn = ctx.db.acquire().await?;
    Ok(db::data_source_oauth::set_source_info(&mut conn, tenant, id, &Value::Object(info)).await?)
}

async fn save(
    ctx: &Ctx,
    tenant: TenantId,
    token: &str,
    info: Map<String, Value>,
) -> Result<(), NotionError> {
    let mut tx = ctx.db.begin().await?;
    db::data_source_oauth::save(&mut tx, tenant, PROVIDER, token, &Value::Object(info)).await?;
    tx.commit().await?;
    Ok(())
}

fn redirect_uri(ctx: &Ctx) -> String {
    format!("{}/console/api/oauth/data-source/callback/notion", ctx.config.feature.console_api_url)
}

fn authorization_url(client: &str, redirect_uri: &str) -> String {
    let query = form(&[
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("owner", "user"),
    ]);
    format!("{API}/oauth/authorize?{query}")
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Where the browser goes after Notion: the console, with the code or the error.
#[must_use]
pub fn return_url(ctx: &Ctx, code: Option<&str>, error: Option<&str>) -> String {
    let web = &ctx.config.feature.console_web_url;
    match (code, error) {
        // Both values come from outside: escaped, they stay values.
        (Some(code), _) => format!("{web}?type=notion&code={}", query_value(code)),
        (None, Some(error)) => format!("{web}?type=notion&error={}", query_value(error)),
        (None, None) => format!("{web}?type=notion&error=Access%20denied"),
    }
}

fn query_value(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_notion_with_our_address() {
        assert_eq!(
            authorization_url("me", "https://c.example/cb"),
            "https://api.notion.com/v1/oauth/authorize?client_id=me&response_type=code\
             &redirect_uri=https%3A%2F%2Fc.example%2Fcb&owner=user"
        );
    }

    #[test]
    fn values_from_outside_stay_values() {
        assert_eq!(query_value("a&b=c#d e"), "a%26b%3Dc%23d%20e");
        assert_eq!(query_value("access_denied"), "access_denied");
    }
}
