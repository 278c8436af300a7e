//! Calls of plugins back into the server (`/inner/api/…`), which the plugin daemon forwards: who may call, on whose
//! behalf, and how streams are framed.

mod app;
mod encrypt;
mod llm;
mod model;
mod speech;
mod tool;
mod upload;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_core::{ApiError, AppState, Json, extract, validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use services_model::plugin_call::{self, Caller};
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(llm::router())
        .merge(model::router())
        .merge(speech::router())
        .merge(encrypt::router())
        .merge(upload::router())
        .merge(tool::router())
        .merge(app::router())
}

/// A call of a plugin with the body `T`, made with the daemon's key on behalf of a workspace and an end user.
struct PluginCall<T> {
    caller: Caller,
    body: T,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
struct TenantUserPayload {
    tenant_id: String,
    user_id: String,
}

impl<T> FromRequest<AppState> for PluginCall<T>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let settings = &state.ctx.config.feature;
        let sent = request.headers().get("x-inner-api-key").map(HeaderValue::as_bytes);
        // Whoever has no key does not learn that there is anything here.
        if settings.plugin_daemon_key.is_empty()
            || !is_same(sent.unwrap_or_default(), settings.inner_api_key_for_plugin.as_bytes())
        {
            return Err(ApiError::no_such_url());
        }
        // A body that is no object says as little as an empty one.
        let bytes = extract::body(request, state).await?;
        let value = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
        let value = value.unwrap_or_else(|| json!({}));
        let who: TenantUserPayload = validation::read(value.clone())?;
        let caller = plugin_call::caller(&state.ctx, &who.tenant_id, &who.user_id).await?;
        let body = validation::read(value).map_err(|err| {
            ApiError::invalid_param(format!("invalid payload: {}", err.message()))
        })?;
        Ok(Self { caller, body })
    }
}

/// Compares without telling by the time taken where two keys differ.
fn is_same(sent: &[u8], key: &[u8]) -> bool {
    !key.is_empty()
        && sent.len() == key.len()
        && sent.iter().zip(key).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// `{"data": …, "error": ""}`: what plugins get, whether it worked or not.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Outcome<T> {
    data: Option<T>,
    /// Empty if it worked.
    error: String,
}

impl<T> Outcome<T> {
    fn of<E: std::fmt::Display>(outcome: Result<T, E>) -> Json<Self> {
        Json(match outcome {
            Ok(data) => Self { data: Some(data), error: String::new() },
            Err(err) => Self { data: None, error: err.to_string() },
        })
    }
}

/// The answer of a stream: each item behind its length, as the daemon reads them. An error ends it, as an item.
fn framed<T, E>(items: impl Stream<Item = Result<T, E>> + Send + 'static) -> Response
where
    T: Serialize + 'static,
    E: std::fmt::Display + 'static,
{
    let frames = items.map(|item| {
        let Json(outcome) = Outcome::of(item);
        Ok::<_, std::convert::Infallible>(frame(&serde_json::to_vec(&outcome).unwrap_or_default()))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames)).into_response()
}

/// A magic byte, a reserved one, the length of the rest of the header, the length of the data, six reserved bytes.
fn frame(data: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(14 + data.len());
    frame.put_u8(0x0f);
    frame.put_u8(0);
    frame.put_u16_le(10);
    frame.put_u32_le(u32::try_from(data.len()).unwrap_or(u32::MAX));
    frame.put_bytes(0, 6);
    frame.put_slice(data);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_tell_their_length() {
        assert_eq!(frame(b"{}")[..], [15, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'{', b'}']);
    }

    #[test]
    fn an_empty_key_opens_nothing() {
        assert!(!is_same(b"", b""));
        assert!(!is_same(b"ab", b"abc"));
        assert!(is_same(b"abc", b"abc"));
    }
}
