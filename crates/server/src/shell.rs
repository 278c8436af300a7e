//! The HTTP shell: what happens around every handler.

pub mod cors;
pub mod docs;
pub mod license;
pub mod observe;
pub mod ops;
mod settle;
mod strays;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::Uri,
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
        .method_not_allowed_fallback(strays::method_not_allowed)
        .fallback(strays::unknown_path)
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(state.clone(), license::apply))
        .layer(CatchPanicLayer::custom(panicked));
    if config.feature.api_compression_enabled {
        // The default predicate leaves event streams, images and small answers as they are.
        router = router.layer(CompressionLayer::new().compress_when(DefaultPredicate::new()));
    }
    router
        .layer(middleware::from_fn_with_state(cors::Policies::of(&config), cors::apply))
        .layer(middleware::from_fn(settle::apply))
        .layer(middleware::from_fn_with_state(observe::Observer::of(&config), observe::observe))
        .with_state(state)
}

/// What has to happen to a path before it is routed. `/api/v1/…` is the service API's second name: older deployments
/// put a prefix before everything. A slash too many at the beginning is forgiven. Ids with slashes become one segment.
pub fn alias(mut request: Request) -> Request {
    let Some(path) = request.uri().path_and_query().map(axum::http::uri::PathAndQuery::as_str)
    else {
        return request;
    };
    let single = match path.starts_with("//") {
        true => format!("/{}", path.trim_start_matches('/')),
        false => path.to_owned(),
    };
    let wanted = match single.strip_prefix("/api/v1/") {
        Some(rest) => format!("/v1/{rest}"),
        None => single,
    };
    if wanted != path
        && let Ok(uri) = wanted.parse::<Uri>()
    {
        *request.uri_mut() = uri;
    }
    if let Some(uri) = http_core::provider_path::encode(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
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
