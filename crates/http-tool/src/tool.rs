//! `/console/api/workspaces/current/tool…`

mod api;
mod builtin;
mod list;
mod mcp;
mod oauth;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use http_core::{AppState, Json};
use serde::Serialize;
use services_tool::oauth::PATIENCE;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(list::router())
        .merge(builtin::router())
        .merge(oauth::router())
        .merge(api::router())
        .merge(mcp::router())
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ToolSuccess {
    result: &'static str,
}

impl ToolSuccess {
    pub(crate) fn new() -> Json<Self> {
        Json(Self { result: "success" })
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AuthorizationUrl {
    pub(crate) authorization_url: String,
}

/// The cookie that a user is known by when he comes back.
pub(crate) fn journey_cookie(state: &AppState, note: &str) -> [(header::HeaderName, String); 1] {
    let age = PATIENCE.as_secs();
    let expires = (state.ctx.now() + PATIENCE).format("%a, %d %b %Y %H:%M:%S GMT");
    let cookie = format!(
        "context_id={note}; Expires={expires}; Max-Age={age}; HttpOnly; Path=/; SameSite=Lax"
    );
    [(header::SET_COOKIE, cookie)]
}

/// Sends a user who is back to the page that waits for him.
pub(crate) fn returned(state: &AppState) -> Response {
    let base = state.ctx.config.feature.console_web_url.trim_end_matches('/');
    let place = format!("{base}/oauth-callback");
    let kind = "text/html; charset=utf-8".to_owned();
    let headers = [(header::LOCATION, place), (header::CONTENT_TYPE, kind)];
    (StatusCode::FOUND, headers).into_response()
}
