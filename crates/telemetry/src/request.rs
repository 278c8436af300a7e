//! The request or task a log line belongs to.

use std::time::Duration;

use tracing::field::Empty;
use tracing::{Span, error_span, info};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan as _, SpanRef};
use uuid::Uuid;

/// Target of these spans; the log filter always lets them through.
pub(crate) const TARGET: &str = "telemetry::request";

/// The two ids every request and every task gets. They are not sent to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIds {
    /// Ten hexadecimal digits.
    pub req_id: String,
    /// 32 hexadecimal digits, made from `req_id`.
    pub trace_id: String,
}

impl RequestIds {
    /// Fresh ids.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two of them are never equal")]
    pub fn new() -> Self {
        let req_id: String = Uuid::new_v4().simple().to_string().chars().take(10).collect();
        let trace_id = Uuid::new_v5(&Uuid::NAMESPACE_DNS, req_id.as_bytes()).simple().to_string();
        Self { req_id, trace_id }
    }
}

/// The span of an HTTP request. `path` is without its query, which may hold secrets.
#[must_use]
pub fn span(ids: &RequestIds, method: &str, path: &str) -> Span {
    error_span!(
        target: TARGET,
        "request",
        req_id = ids.req_id,
        trace_id = ids.trace_id,
        tenant_id = Empty,
        user_id = Empty,
        user_type = Empty,
        otel.name = Empty,
        otel.kind = "server",
        http.request.method = method,
        url.path = path,
        http.route = Empty,
        http.response.status_code = Empty,
    )
}

/// The span of a background task.
#[must_use]
pub fn task_span(ids: &RequestIds, task: &str) -> Span {
    error_span!(
        target: TARGET,
        "task",
        req_id = ids.req_id,
        trace_id = ids.trace_id,
        tenant_id = Empty,
        user_id = Empty,
        user_type = Empty,
        otel.name = task,
        otel.kind = "consumer",
    )
}

/// Notes on a [`span`] who asks; the lines after it say so. `user_type` is `account` or the end user's type.
pub fn identify(span: &Span, tenant_id: Option<&str>, user_id: &str, user_type: &str) {
    if let Some(tenant_id) = tenant_id {
        span.record("tenant_id", tenant_id);
    }
    span.record("user_id", user_id);
    span.record("user_type", user_type);
}

/// Notes on a [`span`] what it came to. `route` is the pattern, not the path.
pub fn finish(span: &Span, method: &str, route: Option<&str>, status: u16) {
    if let Some(route) = route {
        span.record("http.route", route);
        span.record("otel.name", format!("{method} {route}"));
    }
    span.record("http.response.status_code", status);
}

/// The access line of `ENABLE_REQUEST_LOGGING`: method, path, status, milliseconds, trace id.
pub fn log_access(method: &str, path: &str, status: u16, took: Duration, trace_id: &str) {
    let milliseconds = took.as_secs_f64() * 1000.0;
    info!("{method} {path} {status} {milliseconds:.3} {trace_id}");
}

/// What a request's span knows, kept in the span for log lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) req_id: String,
    pub(crate) trace_id: String,
    pub(crate) tenant_id: String,
    pub(crate) user_id: String,
    pub(crate) user_type: String,
}

impl Context {
    /// The slot of a field, if it is one of ours.
    pub(crate) fn slot(&mut self, field: &str) -> Option<&mut String> {
        match field {
            "req_id" => Some(&mut self.req_id),
            "trace_id" => Some(&mut self.trace_id),
            "tenant_id" => Some(&mut self.tenant_id),
            "user_id" => Some(&mut self.user_id),
            "user_type" => Some(&mut self.user_type),
            _ => None,
        }
    }

    /// The context of the nearest request span around (and including) `span`.
    pub(crate) fn around<'a, R>(span: &SpanRef<'a, R>) -> Option<Self>
    where
        R: tracing_subscriber::registry::LookupSpan<'a>,
    {
        span.scope().find_map(|span| span.extensions().get::<Self>().cloned())
    }
}

/// The ids of the request this code runs for, if any.
#[must_use]
pub fn current_ids() -> Option<RequestIds> {
    let context = Span::current().with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        Context::around(&registry.span(id)?)
    })??;
    Some(RequestIds { req_id: context.req_id, trace_id: context.trace_id })
}
