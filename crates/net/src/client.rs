//! The pools behind [`Http`], one per policy, TLS check and redirect rule.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use reqwest::{Proxy, redirect};
use tokio::sync::Semaphore;

use crate::call::Call;
use crate::error::NetError;
use crate::guard::{self, PublicOnly};

/// Redirects followed before giving up, as httpx counts.
const MAX_REDIRECTS: usize = 20;

/// Who chose the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The operator, in a setting.
    Upstream,
    /// A user, in an app or a request.
    Guarded,
}

/// Settings of the clients.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// `User-Agent` of calls that set none.
    pub user_agent: String,
    /// Time for TCP and TLS to operator-configured services.
    pub connect_timeout: Duration,
    /// Default time until the response head of an upstream call.
    pub first_byte_timeout: Duration,
    /// Default longest pause between two pieces of an upstream body.
    pub idle_timeout: Duration,
    /// How long unused upstream connections are kept.
    pub pool_idle_timeout: Duration,
    /// Unused upstream connections kept per host.
    pub pool_max_idle_per_host: usize,
    /// Settings of user-directed calls.
    pub ssrf: SsrfOptions,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("dify-api-rs/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(300),
            pool_idle_timeout: Duration::from_secs(60),
            pool_max_idle_per_host: 64,
            ssrf: SsrfOptions::default(),
        }
    }
}

/// Settings of user-directed calls (`SSRF_*`); the defaults are the reference's.
#[derive(Debug, Clone)]
pub struct SsrfOptions {
    /// `SSRF_PROXY_ALL_URL`: proxy for everything; wins over the two below.
    pub proxy_all: Option<String>,
    /// `SSRF_PROXY_HTTP_URL`; as in the reference only used when the https one is set too.
    pub proxy_http: Option<String>,
    /// `SSRF_PROXY_HTTPS_URL`; only used when the http one is set too.
    pub proxy_https: Option<String>,
    /// `SSRF_DEFAULT_MAX_RETRIES`: retries after the first attempt.
    pub max_retries: u32,
    /// Longest time for TCP and TLS (the larger of `SSRF_DEFAULT_CONNECT_TIME_OUT` and what a call may ask for).
    pub connect_timeout: Duration,
    /// `SSRF_DEFAULT_READ_TIME_OUT`.
    pub read_timeout: Duration,
    /// `SSRF_DEFAULT_WRITE_TIME_OUT`.
    pub write_timeout: Duration,
    /// `SSRF_DEFAULT_TIME_OUT`: longest wait for one of `max_connections`.
    pub pool_timeout: Duration,
    /// `SSRF_POOL_MAX_CONNECTIONS`: guarded requests in flight at once.
    pub max_connections: usize,
    /// `SSRF_POOL_MAX_KEEPALIVE_CONNECTIONS`, per host here.
    pub max_keepalive: usize,
    /// `SSRF_POOL_KEEPALIVE_EXPIRY`; `None` keeps idle connections.
    pub keepalive_expiry: Option<Duration>,
    /// Refuse loopback, private, link-local and metadata addresses when no SSRF proxy is set. Off by default,
    /// because the reference has no guard of its own and installations reach services on private addresses
    /// through it; operators that let strangers build apps should turn it on.
    pub deny_private: bool,
}

impl Default for SsrfOptions {
    fn default() -> Self {
        Self {
            proxy_all: None,
            proxy_http: None,
            proxy_https: None,
            max_retries: 3,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(5),
            pool_timeout: Duration::from_secs(5),
            max_connections: 100,
            max_keepalive: 20,
            keepalive_expiry: Some(Duration::from_secs(5)),
            deny_private: false,
        }
    }
}

/// The egress client. Clones share pools.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

struct Shared {
    options: HttpOptions,
    upstream: Pools,
    guarded: Pools,
    /// Bounds guarded requests in flight.
    permits: Arc<Semaphore>,
}

/// Clients by TLS check and redirect rule, each made when first needed.
#[derive(Default)]
struct Pools([OnceLock<Result<reqwest::Client, String>>; 4]);

impl Http {
    /// Sets up the pools.
    ///
    /// # Errors
    /// [`NetError::Client`] if a proxy URL is wrong or TLS has no roots.
    pub fn new(options: HttpOptions) -> Result<Self, NetError> {
        crate::install_crypto_provider();
        let permits = Arc::new(Semaphore::new(options.ssrf.max_connections.max(1)));
        let http = Self {
            shared: Arc::new(Shared {
                options,
                upstream: Pools::default(),
                guarded: Pools::default(),
                permits,
            }),
        };
        // Wrong settings must stop the start, not the first request.
        http.client(Policy::Upstream, true, true)?;
        http.client(Policy::Guarded, true, false)?;
        Ok(http)
    }

    /// Calls to services the operator configured.
    #[must_use]
    pub fn upstream(&self) -> Egress {
        Egress { http: self.clone(), policy: Policy::Upstream }
    }

    /// Calls to URLs that users chose.
    #[must_use]
    pub fn guarded(&self) -> Egress {
        Egress { http: self.clone(), policy: Policy::Guarded }
    }

    /// The settings in force.
    #[must_use]
    pub fn options(&self) -> &HttpOptions {
        &self.shared.options
    }

    /// A bare client with the policy's pool, proxy and guard, for libraries that bring their own transport
    /// (MCP, object storage). Timeouts other than connecting are the caller's.
    ///
    /// # Errors
    /// [`NetError::Client`] if it cannot be built.
    pub fn raw(&self, policy: Policy) -> Result<reqwest::Client, NetError> {
        self.client(policy, true, true)
    }

    pub(crate) fn permits(&self) -> &Arc<Semaphore> {
        &self.shared.permits
    }

    pub(crate) fn client(
        &self,
        policy: Policy,
        verify_tls: bool,
        follow_redirects: bool,
    ) -> Result<reqwest::Client, NetError> {
        let pools = match policy {
            Policy::Upstream => &self.shared.upstream,
            Policy::Guarded => &self.shared.guarded,
        };
        let [a, b, c, d] = &pools.0;
        let cell = match (verify_tls, follow_redirects) {
            (true, true) => a,
            (true, false) => b,
            (false, true) => c,
            (false, false) => d,
        };
        cell.get_or_init(|| build(&self.shared.options, policy, verify_tls, follow_redirects))
            .clone()
            .map_err(NetError::Client)
    }

    /// True when private addresses must be refused here, because no proxy does it.
    pub(crate) fn denies_private(&self) -> bool {
        let ssrf = &self.shared.options.ssrf;
        ssrf.deny_private && !has_proxy(ssrf)
    }
}

/// [`Http`] with a [`Policy`]: where calls start.
#[derive(Debug, Clone)]
pub struct Egress {
    pub(crate) http: Http,
    pub(crate) policy: Policy,
}

impl Egress {
    /// A call; a URL that does not parse is reported by [`Call::send`].
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> Call {
        Call::new(self.http.clone(), self.policy, method, url.as_ref())
    }

    /// A GET.
    pub fn get(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::GET, url)
    }

    /// A POST.
    pub fn post(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::POST, url)
    }

    /// A PUT.
    pub fn put(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::PUT, url)
    }

    /// A PATCH.
    pub fn patch(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::PATCH, url)
    }

    /// A DELETE.
    pub fn delete(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::DELETE, url)
    }

    /// A HEAD.
    pub fn head(&self, url: impl AsRef<str>) -> Call {
        self.request(Method::HEAD, url)
    }
}

fn has_proxy(ssrf: &SsrfOptions) -> bool {
    set(ssrf.proxy_all.as_ref()).is_some()
        || (set(ssrf.proxy_http.as_ref()).is_some() && set(ssrf.proxy_https.as_ref()).is_some())
}

fn set(value: Option<&String>) -> Option<&String> {
    value.filter(|value| !value.is_empty())
}

fn build(
    options: &HttpOptions,
    policy: Policy,
    verify_tls: bool,
    follow_redirects: bool,
) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        // Whom a redirect leads to need not learn where it came from.
        .referer(false)
        .tls_danger_accept_invalid_certs(!verify_tls)
        // HTTP/2 would put all calls to a provider on one connection, where one stalled stream stalls the rest.
        .http1_only()
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30));
    match policy {
        Policy::Upstream => {
            builder = builder
                .connect_timeout(options.connect_timeout)
                .pool_idle_timeout(options.pool_idle_timeout)
                .pool_max_idle_per_host(options.pool_max_idle_per_host)
                .redirect(redirects(follow_redirects, false));
        }
        Policy::Guarded => {
            let ssrf = &options.ssrf;
            let deny = ssrf.deny_private && !has_proxy(ssrf);
            builder = builder
                .connect_timeout(ssrf.connect_timeout)
                .pool_idle_timeout(ssrf.keepalive_expiry)
                .pool_max_idle_per_host(ssrf.max_keepalive)
                .redirect(redirects(follow_redirects, deny));
            if deny {
                builder = builder.dns_resolver(PublicOnly);
            }
            for proxy in proxies(ssrf)? {
                builder = builder.proxy(proxy);
            }
        }
    }
    builder.build().map_err(|err| err.to_string())
}

fn proxies(ssrf: &SsrfOptions) -> Result<Vec<Proxy>, String> {
    let wrong = |err: reqwest::Error| format!("SSRF proxy URL: {err}");
    if let Some(url) = set(ssrf.proxy_all.as_ref()) {
        return Ok(vec![Proxy::all(url).map_err(wrong)?]);
    }
    match (set(ssrf.proxy_http.as_ref()), set(ssrf.proxy_https.as_ref())) {
        (Some(http), Some(https)) => {
            Ok(vec![Proxy::http(http).map_err(wrong)?, Proxy::https(https).map_err(wrong)?])
        }
        _ => Ok(Vec::new()),
    }
}

fn redirects(follow: bool, deny_private: bool) -> redirect::Policy {
    if !follow {
        return redirect::Policy::none();
    }
    redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            return attempt.error(TooManyRedirects);
        }
        if deny_private && let Err(denied) = guard::check_literal(attempt.url()) {
            return attempt.error(denied);
        }
        attempt.follow()
    })
}

#[derive(Debug, thiserror::Error)]
#[error("Exceeded maximum allowed redirects.")]
struct TooManyRedirects;
