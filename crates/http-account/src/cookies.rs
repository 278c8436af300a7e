//! The cookies of a console session, attribute by attribute as the reference sets them.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use chrono::TimeDelta;
use http_core::guard::console;
use services_account::sign_in::Tokens;
use services_core::Ctx;

/// `SameSite` of a cookie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SameSite {
    Lax,
    None,
    /// The attribute is left out.
    Unset,
}

struct Cookie<'a> {
    name: &'a str,
    value: &'a str,
    /// `None` clears the cookie, `Some(None)` lasts as long as the browser runs.
    max_age: Option<Option<i64>>,
    http_only: bool,
    same_site: SameSite,
}

impl Cookie<'_> {
    fn header(&self, ctx: &Ctx) -> Option<HeaderValue> {
        let mut text = format!("{}={}", self.name, self.value);
        if let Some(domain) = ctx.config.cookie_domain() {
            let _ = write!(text, "; Domain={domain}");
        }
        match self.max_age {
            None => text.push_str("; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            Some(None) => {}
            Some(Some(seconds)) => {
                let expires = ctx.now() + TimeDelta::try_seconds(seconds).unwrap_or_default();
                let expires = expires.format("%a, %d %b %Y %H:%M:%S GMT");
                let _ = write!(text, "; Expires={expires}; Max-Age={seconds}");
            }
        }
        if ctx.config.secure_cookies() {
            text.push_str("; Secure");
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        text.push_str("; Path=/");
        match self.same_site {
            SameSite::Lax => text.push_str("; SameSite=Lax"),
            SameSite::None => text.push_str("; SameSite=None"),
            SameSite::Unset => {}
        }
        HeaderValue::from_str(&text).ok()
    }
}

/// The three cookies of a session.
pub(crate) fn session(ctx: &Ctx, tokens: &Tokens) -> HeaderMap {
    let settings = &ctx.config.feature;
    let minutes = settings.access_token_expire_minutes.saturating_mul(60);
    let days = (settings.refresh_token_expire_days * 86_400.0) as i64;
    set(
        ctx,
        [
            ("access_token", tokens.access_token.as_str(), Some(minutes), true),
            ("refresh_token", &tokens.refresh_token, Some(days), true),
            ("csrf_token", &tokens.csrf_token, Some(minutes), false),
        ],
    )
}

/// Clears the three cookies of a session.
pub(crate) fn clear(ctx: &Ctx) -> HeaderMap {
    set(
        ctx,
        [
            ("access_token", "", None, true),
            ("refresh_token", "", None, true),
            ("csrf_token", "", None, false),
        ],
    )
}

/// Clears them where a whole installation is shut: the same cookies in another order, as in the reference.
#[must_use]
pub fn force_logout(ctx: &Ctx) -> HeaderMap {
    set(
        ctx,
        [
            ("access_token", "", None, true),
            ("csrf_token", "", None, false),
            ("refresh_token", "", None, true),
        ],
    )
}

fn set(ctx: &Ctx, cookies: [(&str, &str, Option<i64>, bool); 3]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value, max_age, http_only) in cookies {
        let name = ctx.config.cookie_name(name);
        let max_age = max_age.map(Some);
        let same_site = SameSite::Lax;
        let cookie = Cookie { name: &name, value, max_age, http_only, same_site };
        headers.extend(cookie.header(ctx).map(|value| (SET_COOKIE, value)));
    }
    headers
}

/// Clears the web app's own session, which single sign-on sets for other sites too.
pub(crate) fn clear_web_app(ctx: &Ctx) -> HeaderMap {
    let name = ctx.config.cookie_name("webapp_access_token");
    let cookie = Cookie {
        name: &name,
        value: "",
        max_age: None,
        http_only: true,
        same_site: SameSite::None,
    };
    cookie.header(ctx).map(|value| (SET_COOKIE, value)).into_iter().collect()
}

/// Whether this browser gave the init password.
pub(crate) fn is_init_validated(ctx: &Ctx, headers: &HeaderMap) -> bool {
    console::cookie(headers, "session")
        .and_then(|cookie| crypto::session::decode(&cookie, &ctx.secret, ctx.now().timestamp()))
        .and_then(|session| session.get("is_init_validated")?.as_bool())
        .unwrap_or(false)
}

/// Remembers whether this browser gave the init password.
pub(crate) fn init_validated(ctx: &Ctx, done: bool) -> HeaderMap {
    let mut session = serde_json::Map::new();
    session.insert("is_init_validated".to_owned(), done.into());
    let value = crypto::session::encode(&session, &ctx.secret, ctx.now().timestamp());
    let cookie = Cookie {
        name: "session",
        value: &value,
        max_age: Some(None),
        http_only: true,
        same_site: SameSite::Unset,
    };
    cookie.header(ctx).map(|value| (SET_COOKIE, value)).into_iter().collect()
}
