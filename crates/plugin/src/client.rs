//! Calls of the daemon: its envelope, in one answer or one a line.

use std::{pin::Pin, time::Duration};

use async_stream::try_stream;
use bytes::Bytes;
use futures::StreamExt;
use http::Method;
use model_runtime::upstream::Lines;
use net::{Call, Http, Response};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use types::TenantId;

use crate::error::DaemonError;

/// Where the daemon is and how long to wait for it.
#[derive(Debug, Clone)]
pub struct DaemonOptions {
    /// Base address.
    pub url: String,
    /// Its key.
    pub key: String,
    /// Longest silence; `None`: for as long as it takes.
    pub timeout: Option<Duration>,
    /// Most bytes of a file that a tool makes.
    pub max_file_size: usize,
    /// How long a model's schema is kept.
    pub schema_ttl: Duration,
    /// Endpoint addresses, with `{hook_id}`.
    pub endpoint_url_template: String,
}

impl Default for DaemonOptions {
    fn default() -> Self {
        Self {
            url: "http://localhost:5002".to_owned(),
            key: "plugin-api-key".to_owned(),
            timeout: Some(Duration::from_secs(600)),
            max_file_size: 50 << 20,
            schema_ttl: Duration::from_secs(3600),
            endpoint_url_template: "http://localhost:5002/e/{hook_id}".to_owned(),
        }
    }
}

/// Longest wait where the operator set none.
const FOREVER: Duration = Duration::from_secs(24 * 3600);
/// Most bytes of an answer in one piece.
const MAX_BODY: usize = 256 << 20;

/// Results as they come.
pub type Stream<T> = Pin<Box<dyn futures::Stream<Item = Result<T, DaemonError>> + Send>>;

/// The daemon. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Daemon {
    http: Http,
    options: std::sync::Arc<DaemonOptions>,
}

/// A call of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch<'a> {
    pub tenant: TenantId,
    pub plugin_id: &'a str,
    /// Path below `dispatch/`.
    pub action: &'a str,
    /// The whole body: `user_id`, `data` and what else the action takes.
    pub body: Value,
}

impl<'a> Dispatch<'a> {
    /// A call with the usual body.
    pub fn new(
        tenant: TenantId,
        plugin_id: &'a str,
        action: &'a str,
        user: &str,
        data: Value,
    ) -> Self {
        let mut body = serde_json::Map::new();
        body.insert("user_id".to_owned(), user.into());
        body.insert("data".to_owned(), data);
        Self { tenant, plugin_id, action, body: Value::Object(body) }
    }
}

#[derive(Debug, Deserialize)]
struct Envelope {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Value,
}

impl Daemon {
    /// A client.
    #[must_use]
    pub fn new(http: Http, mut options: DaemonOptions) -> Self {
        options.url.truncate(options.url.trim_end_matches('/').len());
        Self { http, options: options.into() }
    }

    /// Where the daemon is and how long to wait for it.
    #[must_use]
    pub fn options(&self) -> &DaemonOptions {
        &self.options
    }

    /// A request of a path below `plugin/{tenant}/`.
    pub(crate) fn call(&self, method: Method, tenant: TenantId, path: &str) -> Call {
        let patience = self.options.timeout.unwrap_or(FOREVER);
        self.http
            .upstream()
            .request(method, format!("{}/plugin/{tenant}/{path}", self.options.url))
            .header("X-Api-Key", &self.options.key)
            .first_byte_timeout(patience)
            .idle_timeout(patience)
    }

    /// Asks with GET.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, DaemonError> {
        let call = self.call(Method::GET, tenant, path).query(query);
        self.unary(call, tenant, path).await
    }

    /// Asks with POST and a JSON body.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        path: &str,
        body: &Value,
    ) -> Result<T, DaemonError> {
        let call = self.call(Method::POST, tenant, path).json(body);
        self.unary(call, tenant, path).await
    }

    /// Sends a call that is answered in one piece.
    pub(crate) async fn unary<T: DeserializeOwned>(
        &self,
        call: Call,
        tenant: TenantId,
        path: &str,
    ) -> Result<T, DaemonError> {
        let path = || format!("plugin/{tenant}/{path}");
        let not_reached = |error| {
            tracing::warn!(%error, "the plugin daemon was not reached");
            DaemonError::NotReached { path: path() }
        };
        let response = call.send().await.map_err(not_reached)?;
        if !response.is_success() {
            return Err(DaemonError::Status { status: response.status().as_u16(), path: path() });
        }
        let body = response.bytes(MAX_BODY).await.map_err(not_reached)?;
        let wrong = |error: serde_json::Error| {
            tracing::warn!(%error, "the plugin daemon's answer is not as expected");
            DaemonError::Value(format!(
                "Failed to parse response from plugin daemon to PluginDaemonBasicResponse [{}], url: {}",
                short_name::<T>(),
                path()
            ))
        };
        let Envelope { code, message, data } = serde_json::from_slice(&body).map_err(wrong)?;
        if code != 0 {
            return Err(DaemonError::decode(&message)
                .unwrap_or_else(|| DaemonError::Value(format!("{message}, code: {code}"))));
        }
        if data.is_null() {
            return Err(DaemonError::Value(format!(
                "got empty data from plugin daemon: {}",
                path()
            )));
        }
        serde_json::from_value(data).map_err(wrong)
    }

    /// Calls a plugin; results as they come.
    pub(crate) async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        dispatch: Dispatch<'_>,
    ) -> Result<Stream<T>, DaemonError> {
        let path = format!("dispatch/{}", dispatch.action);
        let call = self
            .call(Method::POST, dispatch.tenant, &path)
            .header("X-Plugin-ID", dispatch.plugin_id)
            .json(&dispatch.body);
        let response = call.send().await.map_err(|error| {
            tracing::warn!(%error, "the plugin daemon was not reached");
            DaemonError::Unreachable
        })?;
        Ok(Box::pin(lines(response)))
    }

    /// Calls a plugin for one result; `None` if it gives none.
    pub(crate) async fn first<T: DeserializeOwned + Send + 'static>(
        &self,
        dispatch: Dispatch<'_>,
    ) -> Result<Option<T>, DaemonError> {
        self.stream(dispatch).await?.next().await.transpose()
    }

    /// Bytes of a file.
    pub(crate) async fn bytes(&self, call: Call) -> Result<Result<Bytes, u16>, DaemonError> {
        let response = call.send().await.map_err(|_| DaemonError::Unreachable)?;
        if response.status().as_u16() != 200 {
            return Ok(Err(response.status().as_u16()));
        }
        Ok(Ok(response.bytes(MAX_BODY).await.map_err(|_| DaemonError::Unreachable)?))
    }
}

/// The last part of a type's name, which the reference's message shows.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let outer = name.split('<').next().unwrap_or(name);
    match outer.rsplit("::").next().unwrap_or(outer) {
        "Vec" => "list",
        "String" => "str",
        other => other,
    }
}

fn lines<T: DeserializeOwned + Send + 'static>(
    response: Response,
) -> impl futures::Stream<Item = Result<T, DaemonError>> + Send {
    let mut lines = Lines::new(response);
    try_stream! {
        while let Some(line) = lines.line().await.map_err(|_| DaemonError::Unreachable)? {
            let line = line.strip_prefix(b"data:").unwrap_or(&line).trim_ascii();
            if !line.is_empty() {
                yield decode::<T>(line)?;
            }
        }
    }
}

fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, DaemonError> {
    /// Read in one go, since most lines are good.
    #[derive(Deserialize)]
    struct Good<T> {
        code: i64,
        data: T,
    }
    if let Ok(Good { code: 0, data }) = serde_json::from_slice::<Good<T>>(line) {
        return Ok(data);
    }
    let text = || String::from_utf8_lossy(line).into_owned();
    let Ok(Envelope { code, message, data }) = serde_json::from_slice(line) else {
        let told = serde_json::from_slice::<Value>(line).ok();
        let told = told.and_then(|told| told.get("error")?.as_str().map(str::to_owned));
        return Err(DaemonError::Value(told.unwrap_or_else(text)));
    };
    Err(match code {
        0 if data.is_null() => DaemonError::Value("got empty data from plugin daemon".to_owned()),
        0 => DaemonError::Value(text()),
        -500 => DaemonError::decode(&message).unwrap_or(DaemonError::Inner { message }),
        // The reference decodes no other code here.
        _ => DaemonError::Value(format!("plugin daemon: {message}, code: {code}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_results_or_errors() {
        let read =
            |line: &str| decode::<Vec<u8>>(line.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"code":0,"message":"","data":[1,2]}"#), Ok(vec![1, 2]));
        for (line, message) in [
            ("404 page not found", "404 page not found"),
            (r#"{"error":"told"}"#, "told"),
            (r#"{"code":-404,"message":"m","data":null}"#, "plugin daemon: m, code: -404"),
            (r#"{"code":-500,"message":"m","data":null}"#, "m"),
            (r#"{"code":0,"message":"","data":null}"#, "got empty data from plugin daemon"),
        ] {
            assert_eq!(read(line), Err(message.to_owned()));
        }
        assert_eq!(short_name::<Vec<String>>(), "list");
        assert_eq!(short_name::<Envelope>(), "Envelope");
    }
}
