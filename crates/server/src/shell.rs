//! The HTTP shell: what happens around every handler.

pub mod cors;
pub mod observe;
pub mod ops;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
};
use http_core::{ApiError, AppState};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, predicate::DefaultPredicate},
};

/// The whole application over `routes`: fallbacks, limits, headers, logs, metrics.
pub fn wrap(routes: Router<AppState>, state: AppState) -> Router {
    let config = state.ctx.config.clone();
    let limit = usize::try_from(config.own.max_request_body_mb).unwrap_or(200) << 20;
    let mut router = routes
        .merge(ops::router())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown_path)
        .layer(DefaultBodyLimit::max(limit))
        .layer(CatchPanicLayer::custom(panicked));
    if config.feature.api_compression_enabled {
        // The default predicate leaves event streams, images and small answers as they are.
        router = router.layer(CompressionLayer::new().compress_when(DefaultPredicate::new()));
    }
    router
        .layer(middleware::from_fn_with_state(cors::Policies::of(&config), cors::apply))
        .layer(middleware::from_fn_with_state(observe::Observer::of(&config), observe::observe))
        .with_state(state)
}

/// `/api/v1/…` is the service API's second name: older deployments put a prefix before everything.
pub fn alias(mut request: Request) -> Request {
    if let Some(rest) =
        request.uri().path_and_query().and_then(|path| path.as_str().strip_prefix("/api/v1/"))
    {
        if let Ok(uri) = format!("/v1/{rest}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

async fn unknown_path() -> Response {
    ApiError::unknown_path().into_response()
}

async fn method_not_allowed() -> Response {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed for the requested URL.",
    )
    .into_response()
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}
