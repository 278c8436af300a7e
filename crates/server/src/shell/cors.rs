//! Cross-origin rules, one policy a surface, as the reference's blueprints have them.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use config::Config;

const METHODS: &str = "DELETE, GET, OPTIONS, PATCH, POST, PUT";
const METHODS_AND_HEAD: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
const EXPOSED: &str = "X-Env, X-Trace-Id, X-Version";

/// The policies of all surfaces.
#[derive(Clone)]
pub struct Policies(Arc<[Policy]>);

struct Policy {
    prefix: &'static str,
    origins: Vec<String>,
    credentials: bool,
    headers: &'static [&'static str],
    methods: &'static str,
}

impl Policies {
    /// The policies `config` asks for.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let any = || vec!["*".to_owned()];
        Self(Arc::new([
            Policy {
                prefix: "/console/api/",
                origins: config.console_cors_origins(),
                credentials: true,
                headers: &[
                    "Content-Type",
                    "X-App-Code",
                    "X-App-Passport",
                    "Authorization",
                    "X-CSRF-Token",
                ],
                methods: METHODS,
            },
            Policy {
                prefix: "/v1/",
                origins: any(),
                credentials: false,
                headers: &[
                    "Content-Type",
                    "X-App-Code",
                    "X-App-Passport",
                    "Authorization",
                    "Idempotency-Key",
                    "Last-Event-ID",
                ],
                methods: METHODS,
            },
            Policy {
                prefix: "/api/",
                origins: config.web_cors_origins(),
                credentials: true,
                headers: &[
                    "Content-Type",
                    "X-App-Code",
                    "X-App-Passport",
                    "Authorization",
                    "X-CSRF-Token",
                ],
                methods: METHODS,
            },
            Policy {
                prefix: "/files/",
                origins: any(),
                credentials: false,
                headers: &["Content-Type", "X-App-Code", "X-App-Passport", "X-CSRF-Token"],
                methods: METHODS,
            },
            Policy {
                prefix: "/triggers/",
                origins: any(),
                credentials: false,
                headers: &["Content-Type", "Authorization", "X-App-Code"],
                methods: METHODS_AND_HEAD,
            },
        ]))
    }
}

impl Policy {
    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == "*" || allowed.trim_end_matches('/') == origin)
    }
}

/// Answers preflights and marks answers to cross-origin requests.
pub async fn apply(State(policies): State<Policies>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(policy) = policies.0.iter().find(|policy| path.starts_with(policy.prefix)) else {
        return next.run(request).await;
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| origin.to_str().is_ok_and(|origin| policy.allows(origin)));
    let preflight = request.method() == Method::OPTIONS && !policy.prefix.starts_with("/triggers")
        || request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        let mut response = ().into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(policy.methods));
        if origin.is_some() {
            let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS);
            allow_headers(response.headers_mut(), policy, asked);
            response.headers_mut().insert(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static(policy.methods),
            );
        }
        response
    } else {
        next.run(request).await
    };
    mark(response.headers_mut(), policy, origin);
    response
}

fn mark(headers: &mut HeaderMap, policy: &Policy, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    // Also where every origin is allowed the reference names the one that asks.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    if policy.credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

fn allow_headers(headers: &mut HeaderMap, policy: &Policy, asked: Option<&HeaderValue>) {
    let Some(asked) = asked.and_then(|asked| asked.to_str().ok()) else { return };
    let allowed: Vec<&str> = asked
        .split(',')
        .map(str::trim)
        .filter(|name| policy.headers.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)))
        .collect();
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", "))
        && !allowed.is_empty()
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
}
