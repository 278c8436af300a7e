//! A response whose body is read with limits.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{NetError, TimeoutKind};
use crate::sse::{SseStream, sse};

/// A body as it arrives. Dropping it closes the connection.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, NetError>> + Send>>;

/// A response head, and the body still to come.
#[derive(Debug)]
pub struct Response {
    inner: reqwest::Response,
    idle: Duration,
    deadline: Option<Instant>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Response {
    pub(crate) fn new(inner: reqwest::Response, idle: Duration, deadline: Option<Instant>) -> Self {
        Self { inner, idle, deadline, permit: None }
    }

    /// Keeps the pool's place taken until the body is read or dropped.
    pub(crate) fn holding(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        self.permit = permit;
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// True for 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status().is_success()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The header as text, if present and printable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// The URL answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    /// The announced length of the body, unless it was compressed or chunked.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.inner.content_length()
    }

    /// The body in pieces, each within the idle timeout.
    #[must_use]
    pub fn stream(self) -> ByteStream {
        let Self { mut inner, idle, deadline, permit } = self;
        let url = inner.url().to_string();
        // Headers are views into the connection's first buffer; as long as one is held, all of it is.
        *inner.headers_mut() = HeaderMap::new();
        Box::pin(async_stream::stream! {
            let _permit = permit;
            loop {
                match next(&mut inner, idle, deadline).await {
                    Ok(Some(bytes)) => yield Ok(bytes),
                    Ok(None) => return,
                    Err(ReadError::Timeout(kind)) => {
                        yield Err(NetError::Timeout(kind));
                        return;
                    }
                    Err(ReadError::Broken(err)) => {
                        yield Err(NetError::from_reqwest(err, &url));
                        return;
                    }
                }
            }
        })
    }

    /// The body as server-sent events; one larger than 16 MiB is an error.
    #[must_use]
    pub fn sse(self) -> SseStream {
        sse(self.stream())
    }

    /// The whole body, at most `limit` bytes.
    ///
    /// # Errors
    /// [`NetError::BodyTooLarge`], or what broke the transfer.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, NetError> {
        if self.content_length().is_some_and(|length| length > limit as u64) {
            return Err(NetError::BodyTooLarge { limit });
        }
        let mut stream = self.stream();
        let mut body = BytesMut::new();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            if body.len() + piece.len() > limit {
                return Err(NetError::BodyTooLarge { limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// The body as text in the charset of its content type (UTF-8 if none), wrong bytes replaced.
    ///
    /// # Errors
    /// As [`Response::bytes`].
    pub async fn text(self, limit: usize) -> Result<String, NetError> {
        let encoding = self
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(charset)
            .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
            .unwrap_or(encoding_rs::UTF_8);
        let bytes = self.bytes(limit).await?;
        Ok(encoding.decode(&bytes).0.into_owned())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`NetError::Decode`], or as [`Response::bytes`].
    pub async fn json<T: DeserializeOwned>(self, limit: usize) -> Result<T, NetError> {
        let bytes = self.bytes(limit).await?;
        serde_json::from_slice(&bytes).map_err(|err| NetError::Decode(err.to_string()))
    }
}

enum ReadError {
    Timeout(TimeoutKind),
    Broken(reqwest::Error),
}

async fn next(
    inner: &mut reqwest::Response,
    idle: Duration,
    deadline: Option<Instant>,
) -> Result<Option<Bytes>, ReadError> {
    let idle_end = Instant::now() + idle;
    let (until, kind) = match deadline {
        Some(deadline) if deadline < idle_end => (deadline, TimeoutKind::Total),
        _ => (idle_end, TimeoutKind::Idle),
    };
    match timeout_at(until, inner.chunk()).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(err)) => Err(ReadError::Broken(err)),
        Err(_) => Err(ReadError::Timeout(kind)),
    }
}

fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}
