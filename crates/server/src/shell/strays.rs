//! Answers to paths nobody serves and methods nobody takes.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use http_core::ApiError;

/// The roots of the APIs: without their slash, a browser is sent to the path with it.
const ROOTS: [&str; 6] = ["/v1", "/api", "/console/api", "/files", "/mcp", "/inner/api"];

const METHOD_NOT_ALLOWED: &str = "The method is not allowed for the requested URL.";

/// The page of an unknown path, or the way to an API's root.
pub(super) async fn unknown_path(request: Request) -> Response {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_read || !ROOTS.contains(&path) {
        return ApiError::unknown_path().into_response();
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let location = host.map_or_else(|| format!("{path}/"), |host| format!("http://{host}{path}/"));
    let mut response = (
        StatusCode::PERMANENT_REDIRECT,
        Html("<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"),
    )
        .into_response();
    // A host that is no header value came in as one, so this is only for form's sake.
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// 405: in JSON below the APIs, as a page elsewhere.
pub(super) async fn method_not_allowed(request: Request) -> Response {
    let path = request.uri().path();
    let is_api =
        ROOTS.iter().any(|root| path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')));
    if is_api {
        return ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            METHOD_NOT_ALLOWED,
        )
        .into_response();
    }
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n\
         <p>{METHOD_NOT_ALLOWED}</p>\n"
    );
    let allow = [(header::ALLOW, HeaderValue::from_static("HEAD, OPTIONS, GET"))];
    (StatusCode::METHOD_NOT_ALLOWED, allow, Html(page)).into_response()
}
