//! Pictures of plugins and providers.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

/// A picture of that media type. Plugins are strangers: what they call a picture cannot run as a page of ours.
#[must_use]
pub fn picture(data: Bytes, kind: &str) -> Response {
    // Pictures made of text name their letters, as in the reference.
    let kind = if kind == "image/svg+xml" { "image/svg+xml; charset=utf-8" } else { kind };
    let kind =
        HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
    ];
    (headers, data).into_response()
}
