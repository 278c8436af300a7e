//! Extractors that reject in the reference's words.

use std::{ops::Deref, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;

use crate::{ApiError, AppState, validation};

pub use axum::Json;

/// What the reference says of a body that is not JSON.
const NOT_UNDERSTOOD: &str =
    "The browser (or proxy) sent a request that this server could not understand.";

/// What the reference says of a body that does not claim to be JSON.
const NOT_JSON: &str = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.";

/// 204, still typed as JSON: what the reference answers to most deletions.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl axum::response::IntoResponse for NoContent {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, "application/json")]).into_response()
    }
}

/// A part of the state an area brought: the model registry, the run hub …
pub struct Part<T>(pub Arc<T>);

impl<T> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromRequestParts<AppState> for Part<T> {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        state.part().map(Self).ok_or_else(|| {
            ApiError::internal(format!("{} is not wired", std::any::type_name::<T>()))
        })
    }
}

/// Path parameters. An id that is none makes the path unknown, as in the reference.
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(ApiError::unknown_path()),
        }
    }
}

/// Query parameters, checked with `garde`. Every parameter that does not fit is named.
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned + garde::Validate<Context = ()> + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        validation::query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// A JSON body, checked with `garde`. Every field that does not fit is named.
pub struct Valid<T>(pub T);

impl<T, S> FromRequest<S> for Valid<T>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let value = json_body(request, state).await?;
        validation::read(value).map(Self)
    }
}

/// The JSON value of a request's body.
///
/// # Errors
/// 415 without a JSON content type, 400 for a body that is not JSON, 413 for one that is too large.
pub async fn json_body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<serde_json::Value, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            NOT_JSON,
        ));
    }
    let bytes = body(request, state).await?;
    serde_json::from_slice(&bytes).map_err(|_| ApiError::bad_request(NOT_UNDERSTOOD))
}

/// The bytes of a request's body.
///
/// # Errors
/// 413 for a body over the limit, 400 for one that breaks off.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|err| {
        if err.status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_entity_too_large",
                "The data value transmitted exceeds the capacity limit.",
            )
        } else {
            ApiError::bad_request(NOT_UNDERSTOOD)
        }
    })
}

fn is_json(headers: &header::HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}
