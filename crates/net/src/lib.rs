//! The one egress HTTP client: pooled, with timeouts, proxy rules and an SSRF guard.
//!
//! Two policies, chosen at the call:
//!
//! - [`Http::upstream`] for services the *operator* configured (model providers, plugin daemon, sandbox, billing).
//!   `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured; nothing is retried; no address is refused.
//! - [`Http::guarded`] for URLs that *users* wrote (HTTP nodes, remote files, custom tools). Traffic goes through
//!   `SSRF_PROXY_*` when those are set, is retried on transport errors and 429/5xx, and may be refused for private
//!   addresses ([`SsrfOptions::deny_private`]).
//!
//! Dropping a future or a stream of this crate closes the socket below it: that is how runs are cancelled.
//! Nothing here waits forever: every call has a first-byte timeout, and every body an idle timeout.
//!
//! ```ignore
//! let mut events = http
//!     .upstream()
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .bearer(key)
//!     .json(&body)
//!     .first_byte_timeout(Duration::from_secs(60))
//!     .send()
//!     .await?
//!     .sse();
//! while let Some(event) = events.next().await { … }
//! ```

mod call;
mod client;
mod context;
mod error;
mod guard;
mod response;
mod sse;

pub use call::Call;
pub use client::{Egress, Http, HttpOptions, Policy, SsrfOptions};
pub use context::{RequestContext, current_context, request_id, with_context};
pub use error::{NetError, TimeoutKind};
pub use guard::is_private;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use reqwest::multipart;
pub use response::{ByteStream, Response};
pub use sse::{Sse, SseDecoder, SseStream, sse};
pub use url::Url;

/// Makes ring the process's rustls provider. Idempotent; every TLS client panics at first use without one.
pub fn install_crypto_provider() {
    // An error means that a provider is installed already, which is all that is asked for.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
