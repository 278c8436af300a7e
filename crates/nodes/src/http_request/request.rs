//! The request of an HTTP node, made from its templates.

use base64::Engine as _;
use bytes::Bytes;
use graph::{File, NodeCtx, TransferMethod, Value};
use indexmap::IndexMap;
use net::Method;
use serde_json::Value as Json;

use super::{BodyType, Settings};
use crate::{common::Fail, ports::Ports};

/// A request, ready to be sent and to be shown.
pub(super) struct Request<'a> {
    pub(super) settings: &'a Settings,
    pub(super) url: String,
    pub(super) params: Vec<(String, String)>,
    /// As the user wrote them.
    pub(super) headers: IndexMap<String, String>,
    /// The key after its template was rendered.
    pub(super) key: String,
    pub(super) content: Content,
    pub(super) boundary: String,
}

/// What is sent.
pub(super) enum Content {
    None,
    Text(String),
    Binary(Bytes),
    Json(Json),
    Form(IndexMap<String, String>),
    Multipart { fields: IndexMap<String, String>, files: Vec<Part> },
}

/// A file in a form.
pub(super) struct Part {
    pub(super) key: String,
    pub(super) name: Option<String>,
    pub(super) content: Bytes,
    pub(super) mime_type: String,
}

impl<'a> Request<'a> {
    pub(super) async fn new(
        settings: &'a Settings,
        ports: &Ports,
        ctx: &NodeCtx,
    ) -> Result<Self, Fail> {
        let key = key(settings, ctx)?;
        let url = ctx.pool.render(&settings.url);
        if url.is_empty() {
            return Err(Fail::new("url is required", "InvalidURLError"));
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let message = "url should start with http:// or https://";
            return Err(Fail::new(message, "InvalidURLError"));
        }
        let params = settings.params.lines().filter_map(|line| {
            let (name, value) = split(line)?;
            let is_named = !name.is_empty();
            is_named.then(|| (ctx.pool.render(name), ctx.pool.render(value)))
        });
        let params = params.collect();
        let headers = ctx.pool.render(&settings.headers);
        let headers = headers.lines().filter_map(split);
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let content = content(settings, ports, ctx).await?;
        let boundary = format!("----WebKitFormBoundary{}", random_name());
        Ok(Self { settings, url, params, headers, key, content, boundary })
    }

    /// The method.
    pub(super) fn method(&self) -> Result<Method, Fail> {
        Ok(match self.settings.method.to_ascii_lowercase().as_str() {
            "get" => Method::GET,
            "head" => Method::HEAD,
            "post" => Method::POST,
            "put" => Method::PUT,
            "delete" => Method::DELETE,
            "patch" => Method::PATCH,
            _ => {
                let message = format!("Invalid http method {}", self.settings.method);
                return Err(Fail::new(message, "InvalidHttpMethodError"));
            }
        })
    }

    /// The URL with its parameters: they replace a query of the URL, as in the reference.
    pub(super) fn target(&self) -> String {
        if self.params.is_empty() {
            return self.url.clone();
        }
        let pairs = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query = urlencode(pairs);
        let (before, fragment) = match self.url.split_once('#') {
            Some((before, fragment)) => (before, format!("#{fragment}")),
            None => (self.url.as_str(), String::new()),
        };
        let before = before.split('?').next().unwrap_or_default();
        format!("{before}?{query}{fragment}")
    }

    /// Headers with authorization and content type, as the user sees them.
    pub(super) fn assembled_headers(&self) -> IndexMap<String, String> {
        let mut headers = self.headers.clone();
        let authorization = &self.settings.authorization;
        if let Some(config) = authorization.config.as_ref().filter(|_| authorization.is_key()) {
            let value = match config.r#type.as_str() {
                "bearer" => Some(format!("Bearer {}", self.key)),
                "basic" if self.key.contains(':') => {
                    let encoded = base64::engine::general_purpose::STANDARD.encode(&self.key);
                    Some(format!("Basic {encoded}"))
                }
                "basic" => Some(format!("Basic {}", self.key)),
                "custom" => Some(self.key.clone()),
                _ => None,
            };
            if let Some(value) = value {
                headers.insert(config.header().to_owned(), value);
            }
        }
        match self.settings.body.as_ref().map(|body| body.r#type) {
            // The boundary belongs to the header: a user's own content type cannot be right.
            Some(BodyType::FormData) => {
                headers.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
            }
            Some(kind) => {
                let is_set = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
                if let (false, Some(content_type)) = (is_set, kind.content_type()) {
                    headers.insert("Content-Type".to_owned(), content_type.to_owned());
                }
            }
            None => {}
        }
        headers
    }

    /// Headers as they are sent.
    pub(super) fn sent_headers(&self) -> IndexMap<String, String> {
        let mut headers = self.assembled_headers();
        if let Content::Multipart { .. } = self.content {
            let value = format!("multipart/form-data; boundary={}", self.boundary);
            headers.insert("Content-Type".to_owned(), value);
        }
        headers
    }

    /// The body as it is sent.
    pub(super) fn body(&self) -> Option<Bytes> {
        match &self.content {
            Content::None => None,
            Content::Text(text) => Some(Bytes::from(text.clone())),
            Content::Binary(bytes) => Some(bytes.clone()),
            Content::Json(json) => serde_json::to_vec(json).ok().map(Bytes::from),
            Content::Form(fields) => Some(Bytes::from(urlencode(
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            ))),
            Content::Multipart { fields, files } => Some(self.multipart(fields, files)),
        }
    }

    fn multipart(&self, fields: &IndexMap<String, String>, files: &[Part]) -> Bytes {
        let boundary = &self.boundary;
        let mut body: Vec<u8> = Vec::new();
        let mut add = |head: String, content: &[u8]| {
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        };
        for (name, value) in fields {
            let name = quoted(name);
            add(format!("Content-Disposition: form-data; name=\"{name}\""), value.as_bytes());
        }
        for part in files {
            let key = quoted(&part.key);
            let name = quoted(part.name.as_deref().unwrap_or("upload"));
            let mime_type: String = part.mime_type.chars().filter(|c| !c.is_control()).collect();
            let head = format!(
                "Content-Disposition: form-data; name=\"{key}\"; filename=\"{name}\"\r\nContent-Type: {mime_type}"
            );
            add(head, &part.content);
        }
        if files.is_empty() {
            // Without a file the reference sends this one, which forces a multipart body.
            let head = "Content-Disposition: form-data; name=\"__multipart_placeholder__\"\r\n\
                        Content-Type: application/octet-stream";
            add(head.to_owned(), b"");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body.into()
    }
}

/// A name inside a header: nothing that ends it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn random_name() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(16).collect()
}

/// `name: value` of a line; `None` for an empty line.
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    Some((name.trim(), value.trim()))
}

fn key(settings: &Settings, ctx: &NodeCtx) -> Result<String, Fail> {
    if !settings.authorization.is_key() {
        return Ok(String::new());
    }
    let fail = |message: &str| Fail::new(message, "AuthorizationConfigError");
    let Some(config) = &settings.authorization.config else {
        return Err(fail("authorization config is required"));
    };
    let key = ctx.pool.render(&config.api_key);
    if key.trim().is_empty() {
        return Err(fail(
            "API key is required for authorization but was empty. Please provide a valid API key.",
        ));
    }
    Ok(key)
}

async fn content(settings: &Settings, ports: &Ports, ctx: &NodeCtx) -> Result<Content, Fail> {
    let Some(body) = &settings.body else { return Ok(Content::None) };
    let render = |text: &str| ctx.pool.render(text);
    let only = || match body.data.as_slice() {
        [item] => Ok(item),
        _ => {
            let kind = body.r#type.as_str();
            let message = format!("{kind} body type should have exactly one item");
            Err(Fail::new(message, "RequestBodyError"))
        }
    };
    Ok(match body.r#type {
        BodyType::None => Content::None,
        BodyType::RawText => Content::Text(render(&only()?.value)),
        BodyType::Json => Content::Json(json(&render(&only()?.value))?),
        BodyType::Binary => {
            let selector = &only()?.file;
            let found = ctx.pool.get(selector).and_then(|found| found.value.as_file().cloned());
            let Some(file) = found else {
                let shown = graph::value::py_list_repr(selector);
                let message = format!("cannot fetch file with selector {shown}");
                return Err(Fail::new(message, "FileFetchError"));
            };
            Content::Binary(ports.files.read(ctx.run.tenant_id, &file).await?)
        }
        BodyType::Form => {
            let fields = body.data.iter().map(|item| (render(&item.key), render(&item.value)));
            Content::Form(fields.collect())
        }
        BodyType::FormData => {
            let fields = body.data.iter().filter(|item| !item.is_file());
            let fields = fields.map(|item| (render(&item.key), render(&item.value))).collect();
            let mut files = Vec::new();
            for item in body.data.iter().filter(|item| item.is_file()) {
                let key = render(&item.key);
                let found = ctx.pool.get(&item.file);
                for file in found.iter().flat_map(|found| attached(&found.value)) {
                    let content = ports.files.read(ctx.run.tenant_id, file).await?;
                    let mime_type = file.mime_type.clone().filter(|kind| !kind.is_empty());
                    files.push(Part {
                        key: key.clone(),
                        name: file.filename.clone(),
                        content,
                        mime_type: mime_type
                            .unwrap_or_else(|| "application/octet-stream".to_owned()),
                    });
                }
            }
            Content::Multipart { fields, files }
        }
    })
}

fn attached(value: &Value) -> Vec<&File> {
    let files: Vec<&File> = match value {
        Value::File(file) => vec![file],
        Value::Array(items) => {
            items.iter().filter_map(|item| item.as_file().map(|file| &**file)).collect()
        }
        _ => Vec::new(),
    };
    let has_content = |file: &&File| {
        file.related_id.is_some()
            || (file.transfer_method == TransferMethod::RemoteUrl && file.remote_url.is_some())
    };
    files.into_iter().filter(has_content).collect()
}

/// A JSON body, repaired if it is not quite JSON.
fn json(text: &str) -> Result<Json, Fail> {
    if let Ok(json) = serde_json::from_str(text) {
        return Ok(json);
    }
    match template::json_repair::repair(text) {
        Json::String(_) => {
            Err(Fail::new(format!("Failed to parse JSON: {text}"), "RequestBodyError"))
        }
        json => Ok(json),
    }
}

/// Pairs as Python's `urlencode` writes them.
pub(super) fn urlencode<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let pairs = pairs.map(|(name, value)| format!("{}={}", quote_plus(name), quote_plus(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn quote_plus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
