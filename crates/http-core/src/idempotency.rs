//! The header `Idempotency-Key`, and what its endpoints answer to requests that were made before.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::Value;
use services_core::idempotency::Key;
use uuid::Uuid;

use crate::ApiError;

/// The header that names a request.
const HEADER: &str = "idempotency-key";

/// The key of a request, if it has one. It counts for one app and one user of it; `request` is what has to be the same.
///
/// # Errors
/// 400 for a key that is none.
pub fn key(
    headers: &HeaderMap,
    app: Uuid,
    user: Uuid,
    request: impl FnOnce() -> Value,
) -> Result<Option<Key>, ApiError> {
    let Some(given) = headers.get(HEADER) else { return Ok(None) };
    let scope = format!("{app}:{user}");
    let key = given.to_str().ok().and_then(|given| Key::new(&scope, given, &request()));
    key.map(Some).ok_or_else(|| {
        ApiError::invalid_param("Idempotency-Key has to be 1 to 255 visible characters.")
    })
}

/// 409: the first request is not answered yet.
#[must_use]
pub fn in_progress() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "idempotency_key_in_progress",
        "The first request with this Idempotency-Key is still being answered.",
    )
    .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// 422: the key stands for another request.
#[must_use]
pub fn reused() -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
    )
}

/// Says in the head of an answer that it was given before.
#[must_use]
pub fn replayed(mut response: Response) -> Response {
    let name = HeaderName::from_static("idempotency-replayed");
    response.headers_mut().insert(name, HeaderValue::from_static("true"));
    response
}
