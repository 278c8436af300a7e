//! Trace ids that come in with a request and go out with ours (W3C `traceparent`).

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

use crate::request;

/// Trace id and span id of an exported span, in hexadecimal: the headers `X-Trace-Id` and `X-Span-Id`.
/// None while traces are not exported.
#[must_use]
pub fn span_ids(span: &Span) -> Option<(String, String)> {
    let context = span.context();
    let span = context.span();
    let ids = span.span_context();
    ids.is_valid().then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
}

/// The `traceparent` to send from here: the exported span's, else one made from the request's trace id, as
/// the reference sends it even without tracing. None outside of requests and tasks.
#[must_use]
pub fn traceparent() -> Option<String> {
    if let Some((trace, span)) = span_ids(&Span::current()) {
        return Some(format!("00-{trace}-{span}-01"));
    }
    let span: String = Uuid::new_v4().simple().to_string().chars().take(16).collect();
    request::current_ids().map(|ids| format!("00-{}-{span}-01", ids.trace_id))
}

/// Makes `span` a child of the caller's span. Nothing happens while traces are not exported.
pub fn set_parent(span: &Span, traceparent: &str, tracestate: Option<&str>) {
    let mut headers = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    if let Some(state) = tracestate {
        headers.insert("tracestate".to_owned(), state.to_owned());
    }
    let context = TraceContextPropagator::new().extract(&headers);
    // Refused only when the span has begun or is not exported: it then keeps its own trace.
    let _ = span.set_parent(context);
}

/// The trace id of a `traceparent` header: four parts, the second of 32 hexadecimal digits.
#[must_use]
pub fn trace_id_of(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (_, trace, _, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_id = trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit());
    (parts.next().is_none() && is_id).then_some(trace)
}

/// Whether a client may name its run so: 1 to 128 letters, digits, `-`, `_`.
#[must_use]
pub fn is_external_trace_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_are_read_strictly() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id_of(&format!("00-{id}-b7ad6b7169203331-01")), Some(id));
        for bad in ["", "00", "00-x-y-01", &format!("00-{id}-b7-01-x"), &format!("00-{id}é-b7-01")]
        {
            assert_eq!(trace_id_of(bad), None, "{bad}");
        }
        assert!(
            is_external_trace_id("a-B_9")
                && !is_external_trace_id("")
                && !is_external_trace_id("a b")
        );
    }
}
