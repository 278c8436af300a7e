//! The gate of installations with an enterprise licence: when it ended, only what the console needs to say so is
//! answered.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_core::{ApiError, AppState};
use services_core::enterprise;

/// Paths, and all that begins like them, that are answered without a licence.
const OPEN: [&str; 10] = [
    "/console/api/system-features",
    "/console/api/setup",
    "/console/api/init",
    "/console/api/login",
    "/console/api/features",
    "/console/api/account/profile",
    "/console/api/workspaces/current",
    "/console/api/version",
    "/console/api/activate/check",
    "/api/system-features",
];

fn is_gated(path: &str) -> bool {
    (path.starts_with("/console/api/") || path.starts_with("/api/"))
        && !OPEN.iter().any(|open| path.starts_with(open))
}

/// The gate.
pub async fn apply(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !enterprise::is_on(&state.ctx) || !is_gated(request.uri().path()) {
        return next.run(request).await;
    }
    let Err(why) = enterprise::check_license(&state.ctx).await else {
        return next.run(request).await;
    };
    let error =
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized_and_force_logout", why.to_string());
    let mut response = error.into_response();
    for (name, value) in http_account::force_logout(&state.ctx) {
        if let Some(name) = name.or(Some(axum::http::header::SET_COOKIE)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::is_gated;

    #[test]
    fn the_sign_in_page_and_other_apis_are_open() {
        for (path, gated) in [
            ("/console/api/apps", true),
            ("/console/api/login", false),
            ("/console/api/workspaces/current/members", false),
            ("/console/api/account/avatar", true),
            ("/api/site", true),
            ("/api/system-features", false),
            ("/v1/chat-messages", false),
            ("/inner/api/invoke/llm", false),
            ("/health", false),
        ] {
            assert_eq!(is_gated(path), gated, "{path}");
        }
    }
}
