//! Extensions: a workspace's own HTTP endpoints for moderation and external data.

use boxed::boxed;
use std::time::Duration;

pub use db::extension::Extension;
use db::extension::Fields;
use net::NetError;
use serde::Serialize;
use serde_json::{Map, Value};
use services_core::{Ctx, Failure, Fault, tenant_secret};
use types::TenantId;
use uuid::Uuid;

/// What a submitted key says that is to stay as it is.
const HIDDEN: &str = "[__HIDDEN__]";

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How much of an endpoint's answer is read.
const MAX_ANSWER: usize = 4 << 20;

/// How many characters of an answer that went wrong are shown.
const MAX_SHOWN: usize = 100;

/// Why an extension is not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    /// No such extension in the workspace.
    #[error("API based extension is not found")]
    NotFound,
    /// The name is empty.
    #[error("name must not be empty")]
    NoName,
    /// The workspace has one of that name.
    #[error("name must be unique, it is already existed")]
    NameTaken,
    /// The endpoint is empty.
    #[error("api_endpoint must not be empty")]
    NoEndpoint,
    /// The key is empty.
    #[error("api_key must not be empty")]
    NoKey,
    /// The key is too short to be hidden behind stars.
    #[error("api_key must be at least 5 characters")]
    ShortKey,
    /// The endpoint did not answer as it should.
    #[error("connection error: {0}")]
    Endpoint(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for ExtensionError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for ExtensionError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "invalid_param",
        }
    }
}

/// What an extension is made of.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Display name, unique in the workspace.
    pub name: String,
    /// Where it is asked.
    pub api_endpoint: String,
    /// The bearer it is asked with.
    pub api_key: String,
}

/// The workspace's extensions, newest first, with their keys in the clear.
///
/// # Errors
/// Faults only.
#[boxed]
pub async fn list(ctx: &Ctx, tenant: TenantId) -> Result<Vec<Extension>, ExtensionError> {
    let mut conn = ctx.db.acquire().await?;
    let mut all = db::extension::list(&mut conn, tenant).await?;
    drop(conn);
    let sealed = all.iter().map(|extension| extension.api_key.clone()).collect();
    let keys = tenant_secret::decrypt_all(ctx, tenant, sealed).await?;
    for (extension, key) in all.iter_mut().zip(keys) {
        extension.api_key = key.ok_or_else(foreign_key)?;
    }
    Ok(all)
}

/// One extension, with its key in the clear.
///
/// # Errors
/// [`ExtensionError::NotFound`].
#[boxed]
pub async fn find(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<Extension, ExtensionError> {
    let mut conn = ctx.db.acquire().await?;
    let found =
        db::extension::find(&mut conn, tenant, id).await?.ok_or(ExtensionError::NotFound)?;
    drop(conn);
    let api_key = tenant_secret::decrypt(ctx, tenant, &found.api_key).await?;
    Ok(Extension { api_key: api_key.ok_or_else(foreign_key)?, ..found })
}

fn foreign_key() -> Fault {
    Fault::Other("an extension's key was not sealed for its workspace".to_owned())
}

/// Makes an extension, after asking its endpoint for a sign of life. The key in the answer is sealed.
///
/// # Errors
/// [`ExtensionError`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn create(ctx: &Ctx, tenant: TenantId, wish: Wish) -> Result<Extension, ExtensionError> {
    check(ctx, tenant, None, &wish).await?;
    let sealed = tenant_secret::encrypt(ctx, tenant, &wish.api_key).await?;
    let mut conn = ctx.db.acquire().await?;
    let new = Fields { name: &wish.name, api_endpoint: &wish.api_endpoint, api_key: &sealed };
    Ok(db::extension::insert(&mut conn, tenant, new).await?)
}

/// Changes an extension, after asking its endpoint for a sign of life. The key in the answer is sealed.
///
/// # Errors
/// [`ExtensionError`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn update(
    ctx: &Ctx,
    tenant: TenantId,
    id: Uuid,
    mut wish: Wish,
) -> Result<Extension, ExtensionError> {
    let known = find(ctx, tenant, id).await?;
    if wish.api_key == HIDDEN {
        wish.api_key = known.api_key;
    }
    check(ctx, tenant, Some(id), &wish).await?;
    let sealed = tenant_secret::encrypt(ctx, tenant, &wish.api_key).await?;
    let mut conn = ctx.db.acquire().await?;
    let new = Fields { name: &wish.name, api_endpoint: &wish.api_endpoint, api_key: &sealed };
    db::extension::update(&mut conn, tenant, id, new).await?.ok_or(ExtensionError::NotFound)
}

/// Removes an extension.
///
/// # Errors
/// [`ExtensionError::NotFound`].
#[boxed]
pub async fn delete(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<(), ExtensionError> {
    let mut conn = ctx.db.acquire().await?;
    match db::extension::delete(&mut conn, tenant, id).await? {
        true => Ok(()),
        false => Err(ExtensionError::NotFound),
    }
}

async fn check(
    ctx: &Ctx,
    tenant: TenantId,
    id: Option<Uuid>,
    wish: &Wish,
) -> Result<(), ExtensionError> {
    if wish.name.is_empty() {
        return Err(ExtensionError::NoName);
    }
    let mut conn = ctx.db.acquire().await?;
    if db::extension::is_name_taken(&mut conn, tenant, &wish.name, id).await? {
        return Err(ExtensionError::NameTaken);
    }
    drop(conn);
    if wish.api_endpoint.is_empty() {
        return Err(ExtensionError::NoEndpoint);
    }
    if wish.api_key.is_empty() {
        return Err(ExtensionError::NoKey);
    }
    if wish.api_key.chars().count() < 5 {
        return Err(ExtensionError::ShortKey);
    }
    let answer = ask(ctx, &wish.api_endpoint, &wish.api_key, "ping", Map::new())
        .await
        .map_err(ExtensionError::Endpoint)?;
    match answer.get("result").and_then(Value::as_str) {
        Some("pong") => Ok(()),
        _ => Err(ExtensionError::Endpoint(python_repr(&answer))),
    }
}

#[derive(Serialize)]
struct Question<'a> {
    point: &'a str,
    params: Map<String, Value>,
}

/// Asks an endpoint about a point (`ping`, `app.moderation.input`, `app.external_data_tool.query` …).
///
/// # Errors
/// What went wrong, in the reference's words.
#[boxed]
pub async fn ask(
    ctx: &Ctx,
    endpoint: &str,
    key: &str,
    point: &str,
    params: Map<String, Value>,
) -> Result<Value, String> {
    let sent = ctx
        .http
        .guarded()
        .post(endpoint)
        .bearer(key)
        .json(&Question { point, params })
        .any_status()
        .timeout(TIMEOUT)
        .send()
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(err) if err.is_timeout() => return Err("request timeout".to_owned()),
        Err(err @ NetError::Blocked { .. }) => return Err(err.to_string()),
        Err(_) => return Err("request connection error".to_owned()),
    };
    let status = response.status();
    if status != net::StatusCode::OK {
        let content = response.text(MAX_ANSWER).await.unwrap_or_default();
        let content: String = content.chars().take(MAX_SHOWN).collect();
        return Err(format!("request error, status_code: {}, content: {content}", status.as_u16()));
    }
    response.json(MAX_ANSWER).await.map_err(|err| err.to_string())
}

/// A JSON value the way Python prints it.
fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let members: Vec<_> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}: {}", python_repr(&Value::String(key.clone())), python_repr(value))
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_print_as_in_python() {
        for (value, expected) in [
            (json!({"result": "ping"}), "{'result': 'ping'}"),
            (json!([1, null, true, 1.5]), "[1, None, True, 1.5]"),
            (json!("it's"), "\"it's\""),
        ] {
            assert_eq!(python_repr(&value), expected);
        }
    }
}
