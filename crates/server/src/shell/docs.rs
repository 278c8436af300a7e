//! The APIs' own documentation, with `SWAGGER_UI_ENABLED`: `/openapi/<api>.json`, and below each API's root the
//! reference's names: `swagger.json` and a page for people. Nothing is loaded from elsewhere.

use std::{collections::HashMap, future::ready, sync::OnceLock};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http_core::{ApiError, AppState};

use crate::routes::{SURFACES, openapi};

/// The APIs' roots, and the document each is in.
pub const PREFIXES: [(&str, &str); 6] = [
    ("/console/api", "console"),
    ("/v1", "service"),
    ("/api", "web"),
    ("/inner/api", "inner"),
    ("/files", "files"),
    ("/mcp", "files"),
];

const PAGE: &str = include_str!("../../assets/docs.html");
const SCRIPT: &str = include_str!("../../assets/docs.js");
/// The page runs its own script and talks to its own server, nothing else.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'";

/// The routes; `page` is the page's path below each root (`SWAGGER_UI_PATH`), left out where it `is_taken`.
pub fn router(page: &str, is_taken: impl Fn(&str) -> bool) -> Router<AppState> {
    let page = format!("/{}", page.trim_matches('/'));
    let mut router = Router::new().route("/openapi/docs.js", get(script));
    for (surface, _) in SURFACES {
        let path = format!("/openapi/{surface}.json");
        router = router.route(&path, get(move || ready(document(surface))));
    }
    for (prefix, surface) in PREFIXES {
        router =
            router.route(&format!("{prefix}/swagger.json"), get(move || ready(document(surface))));
        let path = format!("{prefix}{page}");
        // The router panics over a path that is there already, or that it cannot read.
        if page.len() > 1
            && page != "/swagger.json"
            && !page.contains(['{', '}', '*'])
            && !is_taken(&path)
        {
            router = router.route(&path, get(move || ready(show(surface))));
        }
    }
    router
}

fn document(surface: &'static str) -> Response {
    // Written once: the documents are large and never change.
    static WRITTEN: OnceLock<HashMap<&'static str, Bytes>> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| {
        let all = SURFACES.iter().map(|(surface, _)| *surface);
        all.filter_map(|surface| Some((surface, Bytes::from(openapi(surface)?)))).collect()
    });
    match written.get(surface) {
        Some(text) => {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], text.clone()).into_response()
        }
        None => ApiError::unknown_path().into_response(),
    }
}

fn show(surface: &'static str) -> Response {
    let page = PAGE.replace("{surface}", surface);
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, page).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}
