//! Small bodies are read before anybody answers.
//!
//! Many answers need no body: no session, no such path, an edition that has no such thing. Given before the body came,
//! such an answer makes the HTTP server close the connection behind it, as it cannot tell where the next request
//! begins; and a client that sends head and body in two pieces and means to use the connection again finds it shut.

use axum::{
    body::Body,
    extract::Request,
    http::header::CONTENT_LENGTH,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_core::ApiError;

/// Larger bodies are uploads: they are read by who wants them, and refusing one may cost the connection.
const SMALL: usize = 64 << 10;

/// The middleware.
pub async fn apply(request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok());
    let Some(length) = length.filter(|length: &usize| (1..=SMALL).contains(length)) else {
        return next.run(request).await;
    };
    let (head, body) = request.into_parts();
    match axum::body::to_bytes(body, length).await {
        Ok(bytes) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        // The client went away halfway.
        Err(_) => ApiError::bad_request("The body ended early.").into_response(),
    }
}
