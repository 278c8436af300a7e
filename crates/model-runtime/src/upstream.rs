//! Calls to providers: time limits, one retry while nothing was answered, bodies in pieces, failures in words.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::StatusCode;
use net::{ByteStream, Call, NetError, Response};
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
        self.worded(Self::sdk_text)
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

/// Sends a request and waits for the head of a good answer. `make` makes the request, once more if it reached nobody:
/// only then is it sent again, since a model call costs money.
///
/// # Errors
/// When nobody is reached, or the status is not a good one.
pub async fn send(make: impl Fn() -> Call + Send, limits: Limits) -> Result<Response, Failure> {
    let mut left = limits.retries;
    loop {
        match attempt(make(), limits).await {
            Ok(response) => return good(response).await,
            Err(error) if 0 < left && error.is_connect() => {
                left -= 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(down(&error)),
        }
    }
}

/// Sends a request that was made already, without another try.
///
/// # Errors
/// Those of [`send`].
pub async fn send_once(call: Call, limits: Limits) -> Result<Response, Failure> {
    match attempt(call, limits).await {
        Ok(response) => good(response).await,
        Err(error) => Err(down(&error)),
    }
}

async fn attempt(call: Call, limits: Limits) -> Result<Response, NetError> {
    call.first_byte_timeout(limits.first_byte).idle_timeout(limits.idle).send().await
}

async fn good(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let mut body = Body::new(response);
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

fn down(error: &NetError) -> Failure {
    Failure::Down(match error {
        error if error.is_timeout() => "Request timed out.".to_owned(),
        NetError::InvalidUrl(_) | NetError::InvalidRequest(_) | NetError::Client(_) => {
            error.to_string()
        }
        _ => "Connection error.".to_owned(),
    })
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// Those of [`send`], and when the answer breaks off or is larger than 64 MiB.
pub async fn fetch(make: impl Fn() -> Call + Send, limits: Limits) -> Result<Bytes, Failure> {
    let mut body = Body::new(send(make, limits).await?);
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
    make: impl Fn() -> Call + Send,
    limits: Limits,
) -> Result<T, Failure> {
    let body = fetch(make, limits).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::Malformed(format!("The answer is not as expected: {error}")))
}

/// The body of an answer, in pieces as they come.
pub struct Body(ByteStream);

impl Body {
    /// The body of `response`.
    #[must_use]
    pub fn new(response: Response) -> Self {
        Self(response.stream())
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or nothing comes within the time limit.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        match self.0.next().await {
            None => Ok(None),
            Some(Ok(piece)) => Ok(Some(piece)),
            Some(Err(error)) if error.is_timeout() => Err(down(&error)),
            Some(Err(_)) => Err(Failure::Broken),
        }
    }
}

/// The lines of an answer.
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
    pub fn new(response: Response) -> Self {
        Self { body: Body::new(response), buffer: BytesMut::new(), scanned: 0, ended: false }
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
