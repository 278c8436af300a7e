//! Calls to providers: time limits, one retry while nothing was answered, bodies in pieces, failures in words.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::{error::InvokeError, pyrepr};

/// How long to wait for what. Connecting has the limit of the client that is used.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From sending the request to the head of the answer. Answers that are not streamed take all their time here.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// How often a request that reached nobody is sent again.
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { first_byte: Duration::from_secs(600), idle: Duration::from_secs(300), retries: 1 }
    }
}

/// Most bytes of an answer that is read as a whole, and of one line of a streamed one.
const MAX_BODY: usize = 64 << 20;
/// Most bytes kept of an answer that reports an error.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Why there is no answer, or not all of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Nobody was reached, or nothing came within the time limit.
    #[error("{0}")]
    Down(String),
    /// The answer broke off.
    #[error(
        "peer closed connection without sending complete message body (incomplete chunked read)"
    )]
    Broken,
    /// The provider reports an error.
    #[error("Error code: {status} - {body}")]
    Status {
        /// HTTP status.
        status: StatusCode,
        /// Body, cut at 64 KiB.
        body: String,
    },
    /// The answer makes no sense.
    #[error("{0}")]
    Malformed(String),
}

impl Failure {
    /// As OpenAI's Python client words it: `Error code: 401 - {'error': …}`.
    #[must_use]
    pub fn sdk_text(&self) -> String {
        match self {
            Self::Status { status, body } => match serde_json::from_str::<Value>(body) {
                Ok(json) => format!("Error code: {} - {}", status.as_u16(), pyrepr::repr(&json)),
                Err(_) if body.trim().is_empty() => format!("Error code: {}", status.as_u16()),
                Err(_) => body.clone(),
            },
            other => other.to_string(),
        }
    }

    /// The error of a model call.
    #[must_use]
    pub fn invoke(self) -> InvokeError {
        self.worded(|failure| failure.sdk_text())
    }

    /// The error of a model call at a server whose error bodies may be anything.
    #[must_use]
    pub fn invoke_raw(self) -> InvokeError {
        match &self {
            Self::Status { status, body } => {
                let text = format!(
                    "[models] Error: API request failed with status code {}: {body}",
                    status.as_u16()
                );
                kind_of(*status)(text)
            }
            _ => self.invoke(),
        }
    }

    fn worded(self, words: impl FnOnce(&Self) -> String) -> InvokeError {
        let text = words(&self);
        match self {
            Self::Down(_) | Self::Broken => {
                InvokeError::Connection(format!("[models] Connection Error, {text}"))
            }
            Self::Status { status, .. } => {
                let label = match status.as_u16() {
                    429 => "Rate Limit Error, ",
                    500.. => "Server Unavailable Error, ",
                    _ => "Bad Request Error, ",
                };
                kind_of(status)(format!("[models] {label}{text}"))
            }
            Self::Malformed(_) => InvokeError::Provider(format!("[models] Error: {text}")),
        }
    }
}

fn kind_of(status: StatusCode) -> fn(String) -> InvokeError {
    match status.as_u16() {
        401 | 403 => InvokeError::Authorization,
        429 => InvokeError::RateLimit,
        500.. => InvokeError::ServerUnavailable,
        _ => InvokeError::BadRequest,
    }
}

/// Sends a request and waits for the head of a good answer.
///
/// # Errors
/// When nobody is reached, or the status is not a good one.
pub async fn send(request: RequestBuilder, limits: Limits) -> Result<Response, Failure> {
    let mut left = limits.retries;
    let mut request = request;
    let response = loop {
        let again = if left == 0 { None } else { request.try_clone() };
        match tokio::time::timeout(limits.first_byte, request.send()).await {
            Err(_) => return Err(Failure::Down("Request timed out.".to_owned())),
            Ok(Ok(response)) => break response,
            Ok(Err(error)) => match again {
                // Only what certainly reached nobody is sent again: a model call costs money.
                Some(again) if error.is_connect() => {
                    left -= 1;
                    request = again;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                _ => return Err(down(&error)),
            },
        }
    };
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let mut body = Body::new(response, limits);
    let mut kept = Vec::new();
    while let Ok(Some(piece)) = body.piece().await {
        kept.extend_from_slice(&piece);
        if MAX_ERROR_BODY <= kept.len() {
            kept.truncate(MAX_ERROR_BODY);
            break;
        }
    }
    Err(Failure::Status { status, body: String::from_utf8_lossy(&kept).into_owned() })
}

fn down(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::Down("Request timed out.".to_owned())
    } else if error.is_builder() {
        Failure::Down(format!("Connection error: {}", error.without_url_text()))
    } else {
        Failure::Down("Connection error.".to_owned())
    }
}

trait WithoutUrl {
    fn without_url_text(&self) -> String;
}

impl WithoutUrl for reqwest::Error {
    /// The cause alone: addresses may hold keys.
    fn without_url_text(&self) -> String {
        std::error::Error::source(self)
            .map_or_else(|| "invalid request".to_owned(), ToString::to_string)
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// Those of [`send`], and when the answer breaks off or is larger than 64 MiB.
pub async fn fetch(request: RequestBuilder, limits: Limits) -> Result<Bytes, Failure> {
    let mut body = Body::new(send(request, limits).await?, limits);
    let mut whole = BytesMut::new();
    while let Some(piece) = body.piece().await? {
        if MAX_BODY < whole.len() + piece.len() {
            return Err(Failure::Malformed("The answer is too large".to_owned()));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Sends a request and reads the whole answer as JSON.
///
/// # Errors
/// Those of [`fetch`], and when the answer is something else.
pub async fn fetch_json<T: serde::de::DeserializeOwned>(
    request: RequestBuilder,
    limits: Limits,
) -> Result<T, Failure> {
    let body = fetch(request, limits).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::Malformed(format!("The answer is not as expected: {error}")))
}

/// The body of an answer, in pieces as they come.
#[derive(Debug)]
pub struct Body {
    response: Response,
    limits: Limits,
}

impl Body {
    /// The body of `response`.
    #[must_use]
    pub const fn new(response: Response, limits: Limits) -> Self {
        Self { response, limits }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or nothing comes within the time limit.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(self.limits.idle, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(_)) => Err(Failure::Broken),
            Err(_) => Err(Failure::Down("Request timed out.".to_owned())),
        }
    }
}

/// The lines of an answer.
#[derive(Debug)]
pub struct Lines {
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    scanned: usize,
    ended: bool,
}

impl Lines {
    /// The lines of `response`.
    #[must_use]
    pub fn new(response: Response, limits: Limits) -> Self {
        Self {
            body: Body::new(response, limits),
            buffer: BytesMut::new(),
            scanned: 0,
            ended: false,
        }
    }

    /// The next line that is not empty, without its end; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks, nothing comes within the time limit, or a line is larger than 64 MiB.
    pub async fn line(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let fresh = self.buffer.get(self.scanned..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|&byte| byte == b'\n') {
                let line = self.buffer.split_to(self.scanned + at + 1).freeze();
                self.scanned = 0;
                let line = trimmed(&line);
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            self.scanned = self.buffer.len();
            if self.ended {
                let rest = std::mem::take(&mut self.buffer).freeze();
                self.scanned = 0;
                let rest = trimmed(&rest);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            match self.body.piece().await? {
                Some(piece) if MAX_BODY < self.buffer.len() + piece.len() => {
                    return Err(Failure::Malformed("A line of the answer is too large".to_owned()));
                }
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => self.ended = true,
            }
        }
    }

    /// Reads on to the end, for at most a second, so that the connection can be used again.
    pub async fn drain(&mut self) {
        let rest = async { while let Ok(Some(_)) = self.body.piece().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), rest).await;
    }

    /// What follows `data:` on the next such line of an event stream; `None` at the end.
    ///
    /// # Errors
    /// Those of [`Lines::line`].
    pub async fn data(&mut self) -> Result<Option<Bytes>, Failure> {
        while let Some(line) = self.line().await? {
            if let Some(data) = line.strip_prefix(b"data:") {
                let data = data.trim_ascii();
                if !data.is_empty() {
                    return Ok(Some(line.slice_ref(data)));
                }
            } else if line.starts_with(b"{") {
                // Some servers report an error without the framing.
                return Ok(Some(line));
            }
        }
        Ok(None)
    }
}

fn trimmed(line: &Bytes) -> Bytes {
    line.slice_ref(line.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_worded_as_the_references_plugins_word_them() {
        let status = |status: u16, body: &str| Failure::Status {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.to_owned(),
        };
        let body = r#"{"error": {"message": "slow down", "code": null}}"#;
        let cases = [
            (
                429,
                "InvokeRateLimitError",
                "[models] Rate Limit Error, Error code: 429 - {'error': {'message': 'slow down', 'code': None}}",
            ),
            (
                503,
                "InvokeServerUnavailableError",
                "[models] Server Unavailable Error, Error code: 503 - {'error': {'message': 'slow down', 'code': None}}",
            ),
            (
                404,
                "InvokeBadRequestError",
                "[models] Bad Request Error, Error code: 404 - {'error': {'message': 'slow down', 'code': None}}",
            ),
        ];
        for (code, class, text) in cases {
            let error = status(code, body).invoke();
            assert_eq!((error.class(), error.to_string().as_str()), (class, text));
        }
        assert_eq!(status(401, body).invoke().class(), "InvokeAuthorizationError");
        assert_eq!(
            status(500, "oops").invoke_raw().to_string(),
            "[models] Error: API request failed with status code 500: oops"
        );
        assert_eq!(
            Failure::Down("Connection error.".to_owned()).invoke().to_string(),
            "[models] Connection Error, Connection error."
        );
    }
}
