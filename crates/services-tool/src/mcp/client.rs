//! The client's side of the protocol: JSON-RPC over streamable HTTP, or over server-sent events as older servers speak.

use boxed::boxed;
use std::time::Duration;

use futures::StreamExt;
use net::{Call, Http, Method, NetError, Response, SseStream, Url};
use serde_json::{Map, Value, json};

/// The version that is offered.
const VERSION: &str = "2025-06-18";
/// Versions that are understood.
const VERSIONS: [&str; 3] = ["2024-11-05", "2025-03-26", VERSION];
/// Most bytes of an answer.
const MAX_ANSWER: usize = 64 << 20;
/// Events that may come before an answer.
const MAX_EVENTS: usize = 10_000;

/// Why a server did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    /// It wants to know who asks.
    #[error("{0}")]
    Unauthorized(Challenge),
    /// It is not reached, or does not speak the protocol.
    #[error("{0}")]
    Connection(String),
    /// It answered with an error of the protocol.
    #[error("{0}")]
    Answer(String),
}

/// What a server says to those it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// Where it describes who may come in.
    pub resource_metadata: Option<String>,
    /// What to ask leave for.
    pub scope: Option<String>,
}

impl std::fmt::Display for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authentication required")
    }
}

impl Challenge {
    fn of(header: Option<&str>) -> Self {
        let part = |name: &str| {
            let header = header?;
            let at = header.find(&format!("{name}="))? + name.len() + 1;
            let rest = header.get(at..)?;
            let value = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => rest.split([',', ' ']).next(),
            };
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        Self { resource_metadata: part("resource_metadata"), scope: part("scope") }
    }
}

/// Where a server is and how to ask it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Seconds to wait for an answer.
    pub timeout: f64,
    /// Seconds to wait for the next event.
    pub sse_read_timeout: f64,
}

impl Target {
    fn call(&self, http: &Http, method: Method, url: &str) -> Call {
        let seconds =
            |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(30));
        let mut call = http
            .guarded()
            .request(method, url)
            .any_status()
            .follow_redirects(true)
            .first_byte_timeout(seconds(self.timeout))
            .idle_timeout(seconds(self.sse_read_timeout));
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        call
    }

    /// The tools of the server.
    ///
    /// # Errors
    /// [`McpError`].
    #[boxed]
    pub async fn list_tools(&self, http: &Http) -> Result<Vec<Map<String, Value>>, McpError> {
        let mut session = Session::open(http, self).await?;
        let listed = session.request("tools/list", None).await;
        session.close().await;
        let tools = listed?.get_mut("tools").map(Value::take);
        let Some(Value::Array(tools)) = tools else {
            return Err(McpError::Connection("the server lists no tools".to_owned()));
        };
        let object = |tool: Value| match tool {
            Value::Object(mut tool) => {
                if tool.get("description").is_none_or(Value::is_null) {
                    tool.insert("description".to_owned(), "".into());
                }
                Some(tool)
            }
            _ => None,
        };
        Ok(tools.into_iter().filter_map(object).collect())
    }

    /// Whether the server lets us in.
    ///
    /// # Errors
    /// [`McpError`].
    #[boxed]
    pub async fn check(&self, http: &Http) -> Result<(), McpError> {
        Session::open(http, self).await?.close().await;
        Ok(())
    }

    /// Calls a tool; the `result` of the protocol.
    ///
    /// # Errors
    /// [`McpError`].
    #[boxed]
    pub async fn call_tool(
        &self,
        http: &Http,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Value, McpError> {
        let mut session = Session::open(http, self).await?;
        let params = json!({"name": name, "arguments": arguments});
        let result = session.request("tools/call", Some(params)).await;
        session.close().await;
        result
    }
}

enum Wire {
    /// Each request is answered to itself.
    Requests { session: Option<String> },
    /// Requests go to `endpoint`, answers come over `events`.
    Events { events: SseStream, endpoint: String },
}

struct Session<'a> {
    http: &'a Http,
    target: &'a Target,
    wire: Wire,
    next: u64,
    version: Option<String>,
}

fn connection(err: &NetError) -> McpError {
    McpError::Connection(err.to_string())
}

/// Whether an answer lets us in.
fn checked(response: Response) -> Result<Response, McpError> {
    match response.status().as_u16() {
        401 => Err(McpError::Unauthorized(Challenge::of(response.header("www-authenticate")))),
        404 => Err(McpError::Connection("Session terminated by server".to_owned())),
        _ if response.is_success() => Ok(response),
        status => Err(McpError::Connection(format!("the server answered with status {status}"))),
    }
}

impl<'a> Session<'a> {
    async fn open(http: &'a Http, target: &'a Target) -> Result<Self, McpError> {
        let url = Url::parse(&target.url).map_err(|err| McpError::Connection(err.to_string()))?;
        let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
        match last {
            Some("mcp") => Self::greet(http, target, Wire::Requests { session: None }).await,
            Some("sse") => Self::open_events(http, target).await,
            _ => match Self::open_events(http, target).await {
                Err(McpError::Connection(reason)) => {
                    tracing::debug!(reason, "no events from this MCP server; trying requests");
                    Self::greet(http, target, Wire::Requests { session: None }).await
                }
                other => other,
            },
        }
    }

    async fn open_events(http: &'a Http, target: &'a Target) -> Result<Self, McpError> {
        let call =
            target.call(http, Method::GET, &target.url).header("accept", "text/event-stream");
        let response = checked(call.send().await.map_err(|err| connection(&err))?)?;
        if !is_events(&response) {
            return Err(McpError::Connection("the server sends no events".to_owned()));
        }
        let mut events = response.sse();
        let first = events.next().await;
        let first = first
            .ok_or_else(|| McpError::Connection("the server names no endpoint".to_owned()))?
            .map_err(|err| connection(&err))?;
        if first.event.as_deref() != Some("endpoint") {
            return Err(McpError::Connection("the server names no endpoint".to_owned()));
        }
        let base = Url::parse(&target.url).map_err(|err| McpError::Connection(err.to_string()))?;
        let endpoint = base
            .join(first.data.trim())
            .map_err(|err| McpError::Connection(format!("the server names no endpoint: {err}")))?;
        // Our headers hold secrets: they go nowhere else.
        if endpoint.origin() != base.origin() {
            return Err(McpError::Connection("the endpoint is on another server".to_owned()));
        }
        Self::greet(http, target, Wire::Events { events, endpoint: endpoint.into() }).await
    }

    async fn greet(http: &'a Http, target: &'a Target, wire: Wire) -> Result<Self, McpError> {
        let mut session = Self { http, target, wire, next: 0, version: None };
        let params = json!({
            "protocolVersion": VERSION, "capabilities": {},
            "clientInfo": {"name": "Dify", "version": types::DIFY_VERSION},
        });
        let answer = session.request("initialize", Some(params)).await?;
        let version = answer.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        if !VERSIONS.contains(&version) {
            return Err(McpError::Connection(format!(
                "Unsupported protocol version from the server: {version}"
            )));
        }
        session.version = Some(version.to_owned());
        session.notify("notifications/initialized").await?;
        Ok(session)
    }

    fn post(&self, body: &Value) -> Call {
        let url = match &self.wire {
            Wire::Requests { .. } => &self.target.url,
            Wire::Events { endpoint, .. } => endpoint,
        };
        let mut call = self
            .target
            .call(self.http, Method::POST, url)
            .header("accept", "application/json, text/event-stream")
            .json(body);
        if let Wire::Requests { session: Some(session) } = &self.wire {
            call = call.header("mcp-session-id", session);
        }
        if let Some(version) = &self.version {
            call = call.header("mcp-protocol-version", version);
        }
        call
    }

    async fn notify(&mut self, method: &str) -> Result<(), McpError> {
        let call = self.post(&json!({"jsonrpc": "2.0", "method": method}));
        checked(call.send().await.map_err(|err| connection(&err))?)?;
        Ok(())
    }

    async fn request(&mut self, method: &str, params: Option<Value>) -> Result<Value, McpError> {
        let id = self.next;
        self.next += 1;
        let mut body = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if let (Some(params), Some(body)) = (params, body.as_object_mut()) {
            body.insert("params".to_owned(), params);
        }
        let response = checked(self.post(&body).send().await.map_err(|err| connection(&err))?)?;
        let message = match &mut self.wire {
            Wire::Events { events, .. } => awaited(events, id).await?,
            Wire::Requests { session } => {
                if let Some(given) = response.header("mcp-session-id") {
                    *session = Some(given.to_owned());
                }
                if is_events(&response) {
                    awaited(&mut response.sse(), id).await?
                } else {
                    response.json(MAX_ANSWER).await.map_err(|err| connection(&err))?
                }
            }
        };
        settled(message)
    }

    /// Tells the server that its session is over. That it does not hear this harms nobody.
    async fn close(self) {
        if let Wire::Requests { session: Some(session) } = &self.wire {
            let call = self.target.call(self.http, Method::DELETE, &self.target.url);
            let call = call.header("mcp-session-id", session).timeout(Duration::from_secs(5));
            let _ = call.send().await;
        }
    }
}

fn is_events(response: &Response) -> bool {
    response.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// The message that answers the request `id`.
async fn awaited(events: &mut SseStream, id: u64) -> Result<Value, McpError> {
    for _ in 0..MAX_EVENTS {
        let Some(event) = events.next().await else { break };
        let event = event.map_err(|err| connection(&err))?;
        if let Ok(message) = serde_json::from_str::<Value>(&event.data)
            && message.get("id").and_then(Value::as_u64) == Some(id)
            && message.get("method").is_none()
        {
            return Ok(message);
        }
    }
    Err(McpError::Connection("the server did not answer".to_owned()))
}

/// The result of a message, or its error as the reference prints it.
fn settled(mut message: Value) -> Result<Value, McpError> {
    if let Some(error) = message.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        let told = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let told = graph::Value::from(told).py_repr();
        let data = graph::Value::from_json(error.get("data").cloned().unwrap_or_default());
        return Err(McpError::Answer(format!(
            "code={code} message={told} data={}",
            data.py_repr()
        )));
    }
    message
        .get_mut("result")
        .map(Value::take)
        .ok_or_else(|| McpError::Connection("the server's answer has no result".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_results_or_errors() {
        assert_eq!(settled(json!({"id": 1, "result": {"a": 1}})), Ok(json!({"a": 1})));
        assert_eq!(
            settled(json!({"id": 1, "error": {"code": -32602, "message": "no"}})),
            Err(McpError::Answer("code=-32602 message='no' data=None".to_owned()))
        );
        assert!(settled(json!({"id": 1})).is_err());
    }

    #[test]
    fn challenges_are_read() {
        let read = Challenge::of(Some(
            r#"Bearer realm="x", resource_metadata="http://a/b", scope="tools:read", error=invalid"#,
        ));
        assert_eq!(read.resource_metadata.as_deref(), Some("http://a/b"));
        assert_eq!(read.scope.as_deref(), Some("tools:read"));
        assert_eq!(Challenge::of(None), Challenge::default());
    }
}
