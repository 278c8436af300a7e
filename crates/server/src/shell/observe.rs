//! Around every request: its id, the headers every answer carries, one log line, metrics.

use std::time::{Duration, Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use config::Config;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const SPAN_ID: HeaderName = HeaderName::from_static("x-span-id");
const VERSION: HeaderName = HeaderName::from_static("x-version");
const ENV: HeaderName = HeaderName::from_static("x-env");
const RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What [`observe`] needs of the settings.
#[derive(Clone)]
pub struct Observer {
    env: HeaderValue,
    slow: Duration,
    log_requests: bool,
}

impl Observer {
    /// The observer `config` asks for.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            env: HeaderValue::from_str(&config.deploy.deploy_env)
                .unwrap_or(HeaderValue::from_static("PRODUCTION")),
            slow: Duration::from_millis(
                u64::try_from(config.own.slow_request_threshold_ms).unwrap_or(1000),
            ),
            log_requests: config.deploy.enable_request_logging,
        }
    }
}

/// The middleware.
pub async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| id.len() <= 128 && id.as_bytes().iter().all(u8::is_ascii_graphic))
        .cloned()
        .unwrap_or_else(fresh_id);
    let mut ids = telemetry::request::RequestIds::new();
    id.to_str().unwrap_or_default().clone_into(&mut ids.req_id);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let traceparent = text(request.headers(), "traceparent");
    let span = telemetry::request::span(&ids, method.as_str(), &path);
    if let Some(parent) = &traceparent {
        let state = text(request.headers(), "tracestate");
        telemetry::propagation::set_parent(&span, parent, state.as_deref());
    }
    let context = net::RequestContext { request_id: ids.req_id.clone(), traceparent };
    let mut response = net::with_context(context, next.run(request)).instrument(span.clone()).await;

    let took = started.elapsed();
    let status = response.status().as_u16();
    telemetry::metrics::request(method.as_str(), route, status, took);
    telemetry::request::finish(&span, method.as_str(), route, status);
    let millis = took.as_secs_f64() * 1000.0;
    span.in_scope(|| {
        if !observer.slow.is_zero() && observer.slow < took {
            tracing::warn!(status, duration_ms = millis, "slow request");
        }
        if observer.log_requests {
            telemetry::request::log_access(method.as_str(), &path, status, took, &ids.trace_id);
        }
    });

    let headers = response.headers_mut();
    if let Some((trace, parent)) = telemetry::propagation::span_ids(&span) {
        for (name, value) in [(TRACE_ID, trace), (SPAN_ID, parent)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.entry(name).or_insert(value);
            }
        }
    }
    headers.insert(REQUEST_ID, id);
    headers.insert(VERSION, HeaderValue::from_static(types::DIFY_VERSION));
    headers.insert(ENV, observer.env);
    headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    if let Ok(value) = HeaderValue::from_str(&format!("{millis:.3}ms")) {
        headers.insert(RESPONSE_TIME, value);
    }
    if let Ok(value) = HeaderValue::from_str(&format!("app;dur={millis:.3}")) {
        headers.insert(SERVER_TIMING, value);
    }
    response
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn fresh_id() -> HeaderValue {
    let id = uuid::Uuid::new_v4().simple().to_string();
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"))
}
