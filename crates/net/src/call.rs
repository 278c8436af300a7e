//! One outgoing request: built, sent, retried by the rules of its policy.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::multipart::Form;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::client::{Http, Policy};
use crate::context::current_context;
use crate::error::{NetError, TimeoutKind};
use crate::guard;
use crate::response::Response;

/// First pause between two attempts; doubles each time.
const BACKOFF: Duration = Duration::from_millis(500);
/// A sender this slow is not stuck: large bodies get more time until the response head.
const SLOWEST_UPLOAD_BYTES_PER_SECOND: u64 = 64 * 1024;
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request being built; [`Call::send`] runs it.
#[must_use = "a call does nothing until sent"]
pub struct Call {
    http: Http,
    policy: Policy,
    method: Method,
    url: Result<Url, NetError>,
    headers: HeaderMap,
    body: Body,
    /// First mistake made while building, reported by `send`.
    mistake: Option<NetError>,
    first_byte: Duration,
    idle: Duration,
    total: Option<Duration>,
    retries: u32,
    any_status: bool,
    verify_tls: bool,
    follow_redirects: bool,
}

enum Body {
    Empty,
    Bytes(Bytes),
    Form(Form),
}

impl Call {
    pub(crate) fn new(http: Http, policy: Policy, method: Method, url: &str) -> Self {
        let options = http.options();
        let ssrf = &options.ssrf;
        let (first_byte, idle, retries, follow_redirects) = match policy {
            Policy::Upstream => (options.first_byte_timeout, options.idle_timeout, 0, true),
            // httpx, which the reference calls with, does not follow redirects unless told.
            Policy::Guarded => (
                ssrf.connect_timeout + ssrf.write_timeout + ssrf.read_timeout,
                ssrf.read_timeout,
                ssrf.max_retries,
                false,
            ),
        };
        Self {
            url: parse(url),
            http,
            policy,
            method,
            headers: HeaderMap::new(),
            body: Body::Empty,
            mistake: None,
            first_byte,
            idle,
            total: None,
            retries,
            any_status: false,
            verify_tls: true,
            follow_redirects,
        }
    }

    /// Sets a header, replacing values set before.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = HeaderName::from_bytes(name.as_ref().as_bytes());
        let value = HeaderValue::from_bytes(value.as_ref().as_bytes());
        match (name, value) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            (Err(err), _) => self.note(NetError::InvalidRequest(err.to_string())),
            (_, Err(err)) => self.note(NetError::InvalidRequest(err.to_string())),
        }
        self
    }

    /// Sets several headers, replacing values set before.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        for name in headers.keys() {
            self.headers.remove(name);
        }
        self.headers.extend(headers);
        self
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(mut self, token: &str) -> Self {
        match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
            }
            // The message must not hold the token.
            Err(_) => self.note(NetError::InvalidRequest("the token cannot be sent".to_owned())),
        }
        self
    }

    /// Appends to the query string.
    pub fn query<T: Serialize + ?Sized>(mut self, query: &T) -> Self {
        let Ok(url) = &mut self.url else { return self };
        let mut pairs = url.query_pairs_mut();
        let failed = query.serialize(serde_urlencoded::Serializer::new(&mut pairs)).err();
        drop(pairs);
        if url.query() == Some("") {
            url.set_query(None);
        }
        if let Some(err) = failed {
            self.note(NetError::InvalidRequest(err.to_string()));
        }
        self
    }

    /// A JSON body, with its content type unless one is set.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.typed(bytes.into(), "application/json"),
            Err(err) => {
                self.note(NetError::InvalidRequest(err.to_string()));
                self
            }
        }
    }

    /// An `application/x-www-form-urlencoded` body.
    pub fn form<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_urlencoded::to_string(body) {
            Ok(text) => self.typed(text.into(), "application/x-www-form-urlencoded"),
            Err(err) => {
                self.note(NetError::InvalidRequest(err.to_string()));
                self
            }
        }
    }

    /// A multipart body. It cannot be sent twice, so such a call is never retried.
    pub fn multipart(mut self, form: Form) -> Self {
        self.body = Body::Form(form);
        self.retries = 0;
        self
    }

    /// A body as it is.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes(body.into());
        self
    }

    /// Longest wait for the response head, connecting and sending included.
    pub fn first_byte_timeout(mut self, limit: Duration) -> Self {
        self.first_byte = limit;
        self
    }

    /// Longest pause within the body.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle = limit;
        self
    }

    /// Longest time for everything, body included, per attempt. Not set unless asked for.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// Retries after the first attempt, on transport errors and on 429, 500, 502, 503, 504.
    /// With retries, an answer of those statuses becomes [`NetError::MaxRetries`]; with 0 too, as in the
    /// reference, for guarded calls, while an upstream call without retries returns whatever came.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sends once and returns whatever came, also the statuses a guarded call would retry: for callers to whom
    /// an error's text is the answer.
    pub fn any_status(mut self) -> Self {
        self.retries = 0;
        self.any_status = true;
        self
    }

    /// Whether certificates are checked (they are by default).
    pub fn verify_tls(mut self, verify: bool) -> Self {
        self.verify_tls = verify;
        self
    }

    /// Whether redirects are followed: yes by default upstream, no for guarded calls.
    pub fn follow_redirects(mut self, follow: bool) -> Self {
        self.follow_redirects = follow;
        self
    }

    /// Sends and returns once the response head is there. Any status is `Ok` unless the retry rule consumed it.
    ///
    /// # Errors
    /// See [`NetError`].
    pub async fn send(self) -> Result<Response, NetError> {
        let Self { http, policy, method, url, body, mistake, .. } = self;
        let url = url?;
        if let Some(mistake) = mistake {
            return Err(mistake);
        }
        if policy == Policy::Guarded && http.denies_private() && guard::check_literal(&url).is_err()
        {
            return Err(NetError::Blocked { url: url.into() });
        }
        let client = http.client(policy, self.verify_tls, self.follow_redirects)?;
        let permit = permit(&http, policy).await?;
        let mut headers = self.headers;
        add_context(&mut headers, policy);

        let mut attempt = Attempt {
            client,
            method,
            url,
            headers,
            body,
            first_byte: self.first_byte,
            idle: self.idle,
            total: self.total,
        };
        if policy == Policy::Upstream && self.retries == 0 {
            return Ok(attempt.run().await?.holding(permit));
        }
        for retry in 0..=self.retries {
            if let Some(doublings) = retry.checked_sub(1) {
                tokio::time::sleep(BACKOFF * 2_u32.saturating_pow(doublings)).await;
            }
            match attempt.run().await {
                Ok(response) if squid_refused(&response) => {
                    return Err(NetError::Blocked { url: attempt.url.into() });
                }
                Ok(response) if self.any_status || !must_retry(response.status()) => {
                    return Ok(response.holding(permit));
                }
                Ok(response) => {
                    tracing::warn!(
                        http.host = attempt.url.host_str(),
                        http.status = response.status().as_u16(),
                        http.attempt = retry + 1,
                        "a request was answered with a status that is retried"
                    );
                }
                Err(err) if err.is_retryable() && self.retries > 0 => {
                    tracing::warn!(
                        http.host = attempt.url.host_str(),
                        http.attempt = retry + 1,
                        error = %err,
                        "a request failed"
                    );
                }
                Err(err) => return Err(err),
            }
        }
        Err(NetError::MaxRetries { url: attempt.url.into(), retries: self.retries })
    }

    fn typed(mut self, body: Bytes, content_type: &'static str) -> Self {
        self.body = Body::Bytes(body);
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        self
    }

    fn note(&mut self, mistake: NetError) {
        self.mistake.get_or_insert(mistake);
    }
}

struct Attempt {
    client: reqwest::Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    first_byte: Duration,
    idle: Duration,
    total: Option<Duration>,
}

impl Attempt {
    async fn run(&mut self) -> Result<Response, NetError> {
        let mut first_byte = self.first_byte;
        let mut request = self.client.request(self.method.clone(), self.url.clone());
        match std::mem::replace(&mut self.body, Body::Empty) {
            Body::Empty => {}
            Body::Bytes(bytes) => {
                let extra = bytes.len() as u64 / SLOWEST_UPLOAD_BYTES_PER_SECOND;
                first_byte = first_byte.saturating_add(Duration::from_secs(extra));
                request = request.body(bytes.clone());
                self.body = Body::Bytes(bytes);
            }
            Body::Form(form) => request = request.multipart(form),
        }
        let deadline = self.total.map(|total| Instant::now() + total);
        let head = timeout(first_byte, request.headers(self.headers.clone()).send());
        let head = match deadline {
            None => head.await,
            Some(deadline) => timeout_at(deadline, head)
                .await
                .map_err(|_| NetError::Timeout(TimeoutKind::Total))?,
        };
        let inner = head
            .map_err(|_| NetError::Timeout(TimeoutKind::FirstByte))?
            .map_err(|err| NetError::from_reqwest(err, self.url.as_str()))?;
        Ok(Response::new(inner, self.idle, deadline))
    }
}

fn parse(text: &str) -> Result<Url, NetError> {
    let url = Url::parse(text).map_err(|err| NetError::InvalidUrl(err.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(NetError::InvalidUrl("should start with http:// or https://".to_owned())),
    }
}

async fn permit(http: &Http, policy: Policy) -> Result<Option<OwnedSemaphorePermit>, NetError> {
    match policy {
        Policy::Upstream => Ok(None),
        Policy::Guarded => {
            let wait = http.permits().clone().acquire_owned();
            match timeout(http.options().ssrf.pool_timeout, wait).await {
                Ok(Ok(permit)) => Ok(Some(permit)),
                Ok(Err(_)) | Err(_) => Err(NetError::Timeout(TimeoutKind::Pool)),
            }
        }
    }
}

/// Carries the request's ids along: the id to services of the operator only, the trace to everyone as the
/// reference does.
fn add_context(headers: &mut HeaderMap, policy: Policy) {
    let Some(context) = current_context() else { return };
    if policy == Policy::Upstream
        && !headers.contains_key(&X_REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&context.request_id)
    {
        headers.insert(X_REQUEST_ID, id);
    }
    if !headers.contains_key(&TRACEPARENT)
        && let Some(Ok(parent)) = context.traceparent.as_deref().map(HeaderValue::from_str)
    {
        headers.insert(TRACEPARENT, parent);
    }
}

fn must_retry(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// The SSRF proxy of the compose file is Squid, which answers refusals itself.
fn squid_refused(response: &Response) -> bool {
    let names_squid = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains("squid"))
    };
    matches!(response.status().as_u16(), 401 | 403) && (names_squid("server") || names_squid("via"))
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers and bodies may hold secrets.
        f.debug_struct("Call")
            .field("policy", &self.policy)
            .field("method", &self.method)
            .field("user_agent", &self.headers.get(USER_AGENT))
            .finish_non_exhaustive()
    }
}
