//! The inner API, by `INNER_API_KEY`.

use axum::{extract::FromRequestParts, http::request::Parts};
use http_core::{ApiError, AppState};

/// A service of the operator's. The key is checked before anything else happens.
pub(crate) struct Inner;

impl FromRequestParts<AppState> for Inner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let settings = &state.ctx.config.feature;
        if !settings.inner_api {
            return Err(ApiError::no_such_url());
        }
        let sent = parts.headers.get("x-inner-api-key").and_then(|key| key.to_str().ok());
        let key = settings.inner_api_key.as_deref().filter(|key| !key.is_empty());
        let fits = sent
            .zip(key)
            .is_some_and(|(sent, key)| crypto::hash::same(sent.as_bytes(), key.as_bytes()));
        if fits {
            return Ok(Self);
        }
        Err(ApiError::unauthorized(
            "The server could not verify that you are authorized to access the URL requested. You either supplied \
             the wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the \
             credentials required.",
        ))
    }
}
