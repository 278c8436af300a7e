//! The address a request came to.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use http_core::AppState;

/// `scheme://host` the request came to; behind a proxy that is trusted, what it says the scheme is.
pub(crate) struct HostUrl(pub String);

impl FromRequestParts<AppState> for HostUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let trusts_proxy = state.ctx.config.feature.respect_xforward_headers_enabled;
        Ok(Self(of(&parts.headers, trusts_proxy)))
    }
}

fn of(headers: &HeaderMap, trusts_proxy: bool) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = text("x-forwarded-proto").filter(|_| trusts_proxy).unwrap_or("http");
    format!("{scheme}://{}", text("host").unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_scheme() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "a.b:8".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        assert_eq!(of(&headers, false), "http://a.b:8");
        assert_eq!(of(&headers, true), "https://a.b:8");
    }
}
