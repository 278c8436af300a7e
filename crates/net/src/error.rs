//! What can go wrong between us and another server.

use std::error::Error as StdError;

use crate::guard::Denied;

/// Which of a call's clocks ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutKind {
    /// No TCP or TLS connection in time.
    Connect,
    /// No response head in time.
    FirstByte,
    /// The body stalled.
    Idle,
    /// The whole exchange took too long.
    Total,
    /// Too many guarded requests are in flight already.
    Pool,
}

/// A failed call. [`NetError::is_retryable`] tells transport trouble from wrong requests.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The URL does not parse, or is neither http nor https.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// A header, a body or a form of the request cannot be written.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// The client itself could not be set up (bad proxy URL, no TLS roots).
    #[error("could not set up the HTTP client: {0}")]
    Client(String),
    /// The target is refused, by the resolver here or by the SSRF proxy.
    #[error(
        "Access to '{url}' was blocked by SSRF protection. The URL may point to a private or local network address."
    )]
    Blocked {
        /// The URL as asked for.
        url: String,
    },
    /// Every attempt failed or answered 429/500/502/503/504.
    #[error("Reached maximum retries ({retries}) for URL {url}")]
    MaxRetries {
        /// The URL as asked for.
        url: String,
        /// Retries after the first attempt.
        retries: u32,
    },
    /// A clock ran out.
    #[error("{}", timeout_text(*.0))]
    Timeout(TimeoutKind),
    /// The server could not be reached.
    #[error("could not connect: {reason}")]
    Connect {
        /// The innermost cause in words.
        reason: String,
        /// The client's error.
        #[source]
        source: reqwest::Error,
    },
    /// More redirects than allowed, or a loop.
    #[error("Exceeded maximum allowed redirects.")]
    Redirects,
    /// The connection broke while sending or reading.
    #[error("connection failed: {reason}")]
    Transport {
        /// The innermost cause in words.
        reason: String,
        /// The client's error.
        #[source]
        source: reqwest::Error,
    },
    /// The body is longer than the caller allows.
    #[error("the response is larger than {limit} bytes")]
    BodyTooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The body is not what was expected (JSON, text).
    #[error("could not decode the response: {0}")]
    Decode(String),
}

impl NetError {
    /// True for trouble on the way (refused, reset, timed out), where another attempt may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::Connect { .. } | Self::Transport { .. })
    }

    /// True when a clock ran out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// True when no connection could be made, so the server has seen nothing of the request.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Timeout(TimeoutKind::Connect))
    }

    pub(crate) fn from_reqwest(err: reqwest::Error, url: &str) -> Self {
        if let Some(denied) = find::<Denied>(&err) {
            tracing::debug!(address = %denied.0, "refused a private address");
            return Self::Blocked { url: url.to_owned() };
        }
        if err.is_builder() || err.is_request() && find::<http::Error>(&err).is_some() {
            return Self::InvalidRequest(innermost(&err));
        }
        if err.is_redirect() {
            return Self::Redirects;
        }
        match (err.is_timeout(), err.is_connect()) {
            (true, true) => Self::Timeout(TimeoutKind::Connect),
            (true, false) => Self::Timeout(TimeoutKind::Idle),
            (false, true) => Self::Connect { reason: innermost(&err), source: err.without_url() },
            (false, false) if err.is_decode() && !err.is_body() => Self::Decode(innermost(&err)),
            (false, false) => {
                Self::Transport { reason: innermost(&err), source: err.without_url() }
            }
        }
    }
}

fn timeout_text(kind: TimeoutKind) -> &'static str {
    match kind {
        TimeoutKind::Connect => "timed out while connecting",
        TimeoutKind::FirstByte => "timed out while waiting for the response",
        TimeoutKind::Idle => "timed out while reading the response",
        TimeoutKind::Total => "the request took too long",
        TimeoutKind::Pool => "timed out while waiting for a free connection",
    }
}

/// The first error of type `T` in the chain.
fn find<'a, T: StdError + 'static>(err: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref::<T>() {
            return Some(found);
        }
        next = err.source();
    }
    None
}

fn innermost(err: &(dyn StdError + 'static)) -> String {
    let mut err = err;
    while let Some(source) = err.source() {
        err = source;
    }
    err.to_string()
}
