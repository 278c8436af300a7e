//! Guards of the web app's API (`/api`): the passport.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use services_account::web_passport;

use crate::{ApiError, AppState, guard::console};

/// A visitor of a web app, by passport.
#[derive(Debug, Clone)]
pub struct Visitor(pub web_passport::Visitor);

impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let code = parts.headers.get("x-app-code").and_then(|code| code.to_str().ok());
        let passport =
            passport(&parts.headers, code).ok_or(web_passport::PassportError::Missing)?;
        let visitor = web_passport::authenticate(&state.ctx, &passport).await?;
        tracing::Span::current()
            .record("tenant_id", tracing::field::display(visitor.app.tenant_id));
        Ok(Self(visitor))
    }
}

/// The passport of a request: the cookie of the web app's code, then its header.
#[must_use]
pub fn passport(headers: &HeaderMap, code: Option<&str>) -> Option<String> {
    code.and_then(|code| console::cookie(headers, &format!("passport-{code}")))
        .or_else(|| headers.get("x-app-passport")?.to_str().ok().map(str::to_owned))
        .filter(|passport| !passport.is_empty())
}

/// The client's address as the reference reads it: `CF-Connecting-IP`, the whole first `X-Forwarded-For`, the peer.
#[must_use]
pub fn client_ip(headers: &HeaderMap, peer: Option<&ConnectInfo<SocketAddr>>) -> String {
    ["cf-connecting-ip", "x-forwarded-for"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok().filter(|value| !value.is_empty()))
        .map(str::to_owned)
        .or_else(|| peer.map(|ConnectInfo(peer)| peer.ip().to_string()))
        .unwrap_or_default()
}
