//! A request as text, for the record: keys are masked, files are named only.

use std::fmt::Write as _;

use super::{
    BodyType,
    request::{Content, Request, urlencode},
};

impl Request<'_> {
    /// The request as it would stand on the wire, nearly.
    pub(super) fn log(&self) -> String {
        let (host, path, query) = split(&self.url);
        let mut target = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        if !self.params.is_empty() {
            let pairs = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            target = format!("{target}?{}", urlencode(pairs));
        } else if !query.is_empty() {
            target = format!("{target}?{query}");
        }
        let method = self.settings.method.to_uppercase();
        let mut raw = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
        let authorization = &self.settings.authorization;
        let secret = authorization.is_key().then(|| {
            authorization.config.as_ref().map_or("Authorization", |config| config.header())
        });
        let mut headers = self.assembled_headers();
        if self.settings.body.as_ref().is_some_and(|body| body.r#type == BodyType::FormData) {
            let value = format!("multipart/form-data; boundary={}", self.boundary);
            headers.insert("Content-Type".to_owned(), value);
        }
        for (name, value) in &headers {
            let is_secret = secret.is_some_and(|secret| secret.eq_ignore_ascii_case(name));
            let value = if is_secret { "*".repeat(value.chars().count()) } else { value.clone() };
            // Writing into a `String` cannot fail.
            let _ = write!(raw, "{name}: {value}\r\n");
        }
        let body = self.shown_body();
        if !body.is_empty() {
            let _ = write!(raw, "Content-Length: {}\r\n", body.chars().count());
        }
        raw.push_str("\r\n");
        raw.push_str(&body);
        raw
    }

    fn shown_body(&self) -> String {
        let boundary = &self.boundary;
        match &self.content {
            Content::None => String::new(),
            Content::Text(text) => text.clone(),
            Content::Binary(bytes) if bytes.is_empty() => String::new(),
            Content::Binary(bytes) => format!("<binary_content: size={} bytes>", bytes.len()),
            Content::Json(json) if !graph::Value::from_json(json.clone()).is_truthy() => {
                String::new()
            }
            Content::Json(json) => types::pyjson::dumps(json).unwrap_or_default(),
            Content::Form(fields) => {
                urlencode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
            Content::Multipart { fields, files } if files.is_empty() => {
                let mut body = String::new();
                for (name, value) in fields {
                    let head = format!("Content-Disposition: form-data; name=\"{name}\"");
                    let _ = write!(body, "--{boundary}\r\n{head}\r\n\r\n{value}\r\n");
                }
                if !fields.is_empty() {
                    let _ = write!(body, "--{boundary}--\r\n");
                }
                body
            }
            Content::Multipart { files, .. } => {
                let mut body = String::new();
                for part in files {
                    let head = format!("Content-Disposition: form-data; name=\"{}\"", part.key);
                    let name =
                        part.name.as_deref().filter(|it| !it.is_empty()).unwrap_or("unknown");
                    let _ = write!(
                        body,
                        "--{boundary}\r\n{head}\r\n\r\n<file_content_binary: '{name}', type='{}', size={} bytes>\r\n",
                        part.mime_type,
                        part.content.len()
                    );
                }
                let _ = write!(body, "--{boundary}--\r\n");
                body
            }
        }
    }
}

/// Host, path and query of a URL, without decoding anything.
fn split(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    match rest.find('/') {
        Some(at) => {
            let (host, path) = rest.split_at(at);
            (host, path, query)
        }
        None => (rest, "", query),
    }
}
