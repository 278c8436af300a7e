//! `http-request`: calls a URL that users wrote.

mod log;
mod request;
mod response;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use graph::{
    GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs, Value,
    pool::Selector,
};
use indexmap::IndexMap;
use net::NetError;
use serde::{Deserialize, Deserializer};

use self::{request::Request, response::Received};
use crate::{
    common::{Fail, file_list, nullable, object, template_entries},
    ports::Ports,
};

/// What HTTP nodes may ask for and receive.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// `HTTP_REQUEST_MAX_CONNECT_TIMEOUT`, for nodes that set none.
    pub connect: Duration,
    /// `HTTP_REQUEST_MAX_READ_TIMEOUT`, for nodes that set none.
    pub read: Duration,
    /// `HTTP_REQUEST_MAX_WRITE_TIMEOUT`, for nodes that set none.
    pub write: Duration,
    /// `HTTP_REQUEST_NODE_MAX_BINARY_SIZE` in bytes.
    pub max_binary_size: usize,
    /// `HTTP_REQUEST_NODE_MAX_TEXT_SIZE` in bytes.
    pub max_text_size: usize,
    /// `HTTP_REQUEST_NODE_SSL_VERIFY`, for nodes that do not say.
    pub verify_tls: bool,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(600),
            write: Duration::from_secs(600),
            max_binary_size: 10_485_760,
            max_text_size: 1_048_576,
            verify_tls: true,
        }
    }
}

/// A node that calls a URL.
pub(crate) struct HttpRequest {
    settings: Settings,
    /// Whether an answer that is no success is a failure: with retries or an error strategy.
    is_strict: bool,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    method: String,
    url: String,
    authorization: Authorization,
    #[serde(default, deserialize_with = "nullable")]
    headers: String,
    #[serde(default, deserialize_with = "nullable")]
    params: String,
    #[serde(default)]
    body: Option<Body>,
    #[serde(default)]
    timeout: Option<Timeout>,
    #[serde(default)]
    ssl_verify: Option<bool>,
}

#[derive(Deserialize)]
struct Authorization {
    r#type: String,
    #[serde(default)]
    config: Option<AuthorizationConfig>,
}

impl Authorization {
    fn is_key(&self) -> bool {
        self.r#type == "api-key"
    }
}

#[derive(Deserialize)]
struct AuthorizationConfig {
    r#type: String,
    #[serde(default, deserialize_with = "nullable")]
    api_key: String,
    #[serde(default, deserialize_with = "nullable")]
    header: String,
}

impl AuthorizationConfig {
    fn header(&self) -> &str {
        if self.header.is_empty() { "Authorization" } else { &self.header }
    }
}

#[derive(Deserialize)]
struct Body {
    r#type: BodyType,
    #[serde(default, deserialize_with = "items")]
    data: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BodyType {
    None,
    FormData,
    #[serde(rename = "x-www-form-urlencoded")]
    Form,
    RawText,
    Json,
    Binary,
}

impl BodyType {
    fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("application/json"),
            Self::Form => Some("application/x-www-form-urlencoded"),
            Self::FormData => Some("multipart/form-data"),
            Self::RawText => Some("text/plain"),
            Self::None | Self::Binary => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::FormData => "form-data",
            Self::Form => "x-www-form-urlencoded",
            Self::RawText => "raw-text",
            Self::Json => "json",
            Self::Binary => "binary",
        }
    }
}

#[derive(Default, Deserialize)]
struct Item {
    #[serde(default, deserialize_with = "nullable")]
    key: String,
    #[serde(default, deserialize_with = "nullable")]
    r#type: String,
    #[serde(default, deserialize_with = "nullable")]
    value: String,
    #[serde(default, deserialize_with = "nullable")]
    file: Selector,
}

impl Item {
    fn is_file(&self) -> bool {
        self.r#type == "file"
    }
}

/// Old graphs hold the body as a text.
fn items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Data {
        Text(String),
        Items(Vec<Item>),
    }
    Ok(match Option::<Data>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Data::Text(value)) => {
            vec![Item { r#type: "text".to_owned(), value, ..Item::default() }]
        }
        Some(Data::Items(items)) => items,
    })
}

#[derive(Default, Deserialize)]
struct Timeout {
    #[serde(default)]
    connect: Option<f64>,
    #[serde(default)]
    read: Option<f64>,
    #[serde(default)]
    write: Option<f64>,
}

#[derive(Deserialize)]
struct Strategy {
    #[serde(default)]
    error_strategy: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    retry_config: Retry,
}

#[derive(Default, Deserialize)]
struct Retry {
    #[serde(default)]
    retry_enabled: bool,
}

impl HttpRequest {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        let strategy: Strategy = config.parse()?;
        let is_strict = strategy.error_strategy.is_some() || strategy.retry_config.retry_enabled;
        Ok(Self { settings: config.parse()?, is_strict, ports })
    }

    async fn execute(
        &self,
        ctx: &NodeCtx,
        process_data: &mut Object,
    ) -> Result<NodeOutput, NodeError> {
        let request =
            Request::new(&self.settings, &self.ports, ctx).await.map_err(Fail::into_error)?;
        process_data.insert("request".to_owned(), Value::from(request.log()));
        let received = self.send(&request).await?;
        let file = match received.file(&request.url) {
            Some(new) => {
                let kept = self.ports.files.keep(&ctx.run, new).await;
                Some(kept.map_err(|err| Fail::from(err).into_error())?)
            }
            None => None,
        };
        let body = if file.is_some() { String::new() } else { received.text() };
        let mut outputs = Outputs::new();
        outputs.insert("status_code".to_owned(), i64::from(received.status.as_u16()).into());
        outputs.insert("body".to_owned(), body.into());
        outputs.insert("headers".to_owned(), received.shown_headers().into());
        outputs.insert("files".to_owned(), file_list(file));
        if self.is_strict && !received.status.is_success() {
            let message = format!("Request failed with status code {}", received.status.as_u16());
            return Err(NodeError::new(message, "HTTPResponseCodeError").with_outputs(outputs));
        }
        Ok(NodeOutput { process_data: process_data.clone(), outputs, ..NodeOutput::default() })
    }

    async fn send(&self, request: &Request<'_>) -> Result<Received, NodeError> {
        let limits = &self.ports.http_limits;
        let timeout = self.settings.timeout.as_ref();
        let seconds = |wanted: Option<f64>, default: Duration| {
            wanted
                .filter(|seconds| *seconds > 0.0)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .unwrap_or(default)
        };
        let connect = seconds(timeout.and_then(|it| it.connect), limits.connect);
        let read = seconds(timeout.and_then(|it| it.read), limits.read);
        let write = seconds(timeout.and_then(|it| it.write), limits.write);
        let method = request.method().map_err(Fail::into_error)?;
        let mut call = self
            .ports
            .http
            .guarded()
            .request(method, request.target())
            .verify_tls(self.settings.ssl_verify.unwrap_or(limits.verify_tls))
            .follow_redirects(true)
            .first_byte_timeout(connect.saturating_add(read).saturating_add(write))
            .idle_timeout(read);
        for (name, value) in request.sent_headers() {
            call = call.header(name, value);
        }
        if let Some(body) = request.body() {
            call = call.body(body);
        }
        let failed = |err: NetError| match err {
            NetError::MaxRetries { .. } => NodeError::new(
                format!("Reached maximum retries for URL {}", request.url),
                "HttpRequestNodeError",
            ),
            // The reference does not catch this one in the node.
            NetError::Blocked { .. } => NodeError::uncaught(format!("{err} ")),
            err => NodeError::new(err.to_string(), "HttpRequestNodeError"),
        };
        let response = call.send().await.map_err(failed)?;
        let received = Received::read(response, limits.max_binary_size.max(limits.max_text_size));
        let received = received.await.map_err(failed)?;
        received.check(limits).map_err(Fail::into_error)?;
        Ok(received)
    }
}

#[async_trait]
impl Node for HttpRequest {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let mut process_data = object([]);
        match self.execute(ctx, &mut process_data).await {
            Ok(output) => Ok(output.into()),
            Err(err) => Err(err.with_process_data(process_data)),
        }
    }

    fn retryable(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let settings = &self.settings;
        let mut mapping = IndexMap::new();
        for text in [&settings.url, &settings.headers, &settings.params] {
            mapping.extend(template_entries(node_id, text));
        }
        for item in settings.body.iter().flat_map(|body| &body.data) {
            mapping.extend(template_entries(node_id, &item.key));
            if item.file.is_empty() {
                mapping.extend(template_entries(node_id, &item.value));
            } else {
                let name = format!("{node_id}.#{}#", item.file.join("."));
                mapping.insert(name, item.file.clone());
            }
        }
        mapping
    }
}

#[cfg(test)]
mod tests;
