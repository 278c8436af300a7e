//! Keys of website crawlers.

use boxed::boxed;
use db::data_source_key::{DataSourceKey, NewDataSourceKey};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Failure, Fault, tenant_secret};
use types::{TenantId, pyjson};
use uuid::Uuid;

/// How much of a crawler's answer is read.
const MAX_ANSWER: usize = 1 << 20;

/// Why a key is not bound.
#[derive(Debug, thiserror::Error)]
pub enum CrawlerError {
    /// A field the request has to fill is empty.
    #[error("{0} is required")]
    Missing(&'static str),
    /// The crawler is unknown, the key is incomplete or the crawler refuses it.
    #[error("{0}")]
    Refused(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for CrawlerError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for CrawlerError {
    fn status(&self) -> u16 {
        match self {
            Self::Missing(_) => 400,
            // The reference's status; the console shows the message of this code.
            Self::Refused(_) => 500,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "invalid_param",
            Self::Refused(_) => "auth_failed",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// A key to bind.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `website`.
    pub category: String,
    /// `firecrawl`, `watercrawl` or `jinareader`.
    pub provider: String,
    /// `{auth_type, config: {api_key, base_url?}}`.
    pub credentials: Map<String, Value>,
}

/// The workspace's keys that are switched on, oldest first.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, tenant: TenantId) -> Result<Vec<DataSourceKey>, CrawlerError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::data_source_key::list(&mut conn, tenant).await?)
}

/// Binds a key, after the crawler has taken it.
///
/// # Errors
/// [`CrawlerError`].
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn bind(ctx: &Ctx, tenant: TenantId, wish: Wish) -> Result<(), CrawlerError> {
    if wish.category.is_empty() {
        return Err(CrawlerError::Missing("category"));
    }
    if wish.provider.is_empty() {
        return Err(CrawlerError::Missing("provider"));
    }
    if wish.credentials.is_empty() {
        return Err(CrawlerError::Missing("credentials"));
    }
    let auth_type = wish.credentials.get("auth_type").and_then(Value::as_str).unwrap_or_default();
    if auth_type.is_empty() {
        return Err(CrawlerError::Missing("auth_type"));
    }
    let crawler = Crawler::parse(&wish.provider)?;
    let key = crawler.key(auth_type, &wish.credentials)?.to_owned();
    crawler.try_key(ctx, &key, &wish.credentials).await?;

    let mut credentials = wish.credentials;
    let sealed = tenant_secret::encrypt(ctx, tenant, &key).await?;
    if let Some(Value::Object(config)) = credentials.get_mut("config") {
        config.insert("api_key".to_owned(), Value::String(sealed));
    }
    let credentials = pyjson::dumps_utf8(&credentials)
        .map_err(|err| Fault::caused("credentials do not print", err))?;
    let mut conn = ctx.db.acquire().await?;
    let new = NewDataSourceKey {
        tenant,
        category: &wish.category,
        provider: &wish.provider,
        credentials: &credentials,
    };
    db::data_source_key::insert(&mut conn, new).await?;
    Ok(())
}

/// Unbinds a key, if it is there.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn unbind(ctx: &Ctx, tenant: TenantId, id: Uuid) -> Result<(), CrawlerError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::data_source_key::delete(&mut conn, tenant, id).await?)
}

#[derive(Debug, Clone, Copy)]
enum Crawler {
    Firecrawl,
    Watercrawl,
    Jina,
}

impl Crawler {
    fn parse(provider: &str) -> Result<Self, CrawlerError> {
        match provider {
            "firecrawl" => Ok(Self::Firecrawl),
            "watercrawl" => Ok(Self::Watercrawl),
            "jinareader" => Ok(Self::Jina),
            _ => Err(CrawlerError::Refused("Invalid provider".to_owned())),
        }
    }

    fn key<'c>(
        self,
        auth_type: &str,
        credentials: &'c Map<String, Value>,
    ) -> Result<&'c str, CrawlerError> {
        let (wanted, complaint) = match self {
            Self::Firecrawl => ("bearer", "Invalid auth type, Firecrawl auth type must be Bearer"),
            Self::Watercrawl => {
                ("x-api-key", "Invalid auth type, WaterCrawl auth type must be x-api-key")
            }
            Self::Jina => ("bearer", "Invalid auth type, Jina Reader auth type must be Bearer"),
        };
        if auth_type != wanted {
            return Err(CrawlerError::Refused(complaint.to_owned()));
        }
        setting(credentials, "api_key")
            .filter(|key| !key.is_empty())
            .ok_or_else(|| CrawlerError::Refused("No API key provided".to_owned()))
    }

    /// Asks the crawler for the smallest thing it does.
    async fn try_key(
        self,
        ctx: &Ctx,
        key: &str,
        credentials: &Map<String, Value>,
    ) -> Result<(), CrawlerError> {
        let http = ctx.http.guarded();
        let base = |default| {
            setting(credentials, "base_url").unwrap_or(default).trim_end_matches('/').to_owned()
        };
        let call = match self {
            Self::Firecrawl => http
                .post(format!("{}/v1/crawl", base("https://api.firecrawl.dev")))
                .bearer(key)
                .json(&json!({
                    "url": "https://example.com",
                    "includePaths": [],
                    "excludePaths": [],
                    "limit": 1,
                    "scrapeOptions": {"onlyMainContent": true},
                })),
            Self::Watercrawl => http
                .get(join(&base("https://app.watercrawl.dev"), "/api/v1/core/crawl-requests/"))
                .header("Content-Type", "application/json")
                .header("X-API-KEY", key),
            Self::Jina => http
                .post("https://r.jina.ai")
                .bearer(key)
                .json(&json!({"url": "https://example.com"})),
        };
        let response =
            call.any_status().send().await.map_err(|err| CrawlerError::Refused(err.to_string()))?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(());
        }
        let text = response.text(MAX_ANSWER).await.unwrap_or_default();
        Err(CrawlerError::Refused(format!(
            "Failed to authorize. Status code: {status}. Error: {}",
            complaint(&text)
        )))
    }
}

/// What an answer that is no success says: its `error`, its `message`, or its text.
fn complaint(text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    ["error", "message"]
        .into_iter()
        .find_map(|key| answer.get(key)?.as_str().filter(|said| !said.is_empty()))
        .or_else(|| Some(text).filter(|text| !text.is_empty()))
        .unwrap_or("Unknown error occurred")
        .to_owned()
}

fn setting<'c>(credentials: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    credentials.get("config")?.get(name)?.as_str()
}

/// An absolute path on a base's host, whatever path the base has.
fn join(base: &str, path: &str) -> String {
    base.parse::<url::Url>()
        .and_then(|base| base.join(path))
        .map_or_else(|_| format!("{base}{path}"), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_crawlers_words() {
        for (text, expected) in [
            (r#"{"error": "out of credits"}"#, "out of credits"),
            (r#"{"message": "no"}"#, "no"),
            ("oops", "oops"),
            ("", "Unknown error occurred"),
        ] {
            assert_eq!(complaint(text), expected);
        }
    }

    #[test]
    fn each_crawler_wants_its_kind_of_key() {
        let credentials = |key: &str| {
            let Value::Object(map) = json!({"config": {"api_key": key}}) else { unreachable!() };
            map
        };
        assert_eq!(Crawler::Firecrawl.key("bearer", &credentials("k")).unwrap(), "k");
        assert!(Crawler::Firecrawl.key("basic", &credentials("k")).is_err());
        assert!(Crawler::Watercrawl.key("x-api-key", &credentials("")).is_err());
        assert!(Crawler::parse("spider").is_err());
    }
}
