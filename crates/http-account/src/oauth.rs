//! `/console/api/oauth/{login,authorize}/{provider}`: signing in with GitHub or Google.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_core::{ApiError, AppState, Path, Query};
use serde::{Deserialize, Serialize};
use services_account::{
    locale,
    social::{self, Callback, Outcome, Provider},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{body::ClientIp, cookies, features};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(start_oauth_login)).routes(routes!(finish_oauth_login))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OAuthFailure {
    error: &'static str,
}

fn failure(error: &'static str) -> ApiError {
    ApiError::with_body(StatusCode::BAD_REQUEST, serde_json::json!({"error": error}))
}

fn redirect(to: &str) -> Result<Response, ApiError> {
    // Messages travel in the query with blanks and all; a header holds no blanks of other kinds.
    let to = to.replace(' ', "%20");
    let to = HeaderValue::from_str(&to).map_err(ApiError::internal)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, to)]).into_response())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct StartQuery {
    invite_token: Option<String>,
}

/// Send the browser to the provider.
#[utoipa::path(
    get,
    path = "/console/api/oauth/login/{provider}",
    tag = "oauth login",
    params(("provider" = String, Path), StartQuery),
    responses((status = 302, description = "On to the provider"), (status = 400, body = OAuthFailure)),
)]
async fn start_oauth_login(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<StartQuery>,
) -> Result<Response, ApiError> {
    let provider =
        Provider::named(&state.ctx, &provider).ok_or_else(|| failure("Invalid provider"))?;
    let url =
        provider.authorization_url(query.invite_token.as_deref()).map_err(ApiError::internal)?;
    redirect(&url)
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct FinishQuery {
    code: Option<String>,
    /// The invitation the browser left with.
    state: Option<String>,
}

/// Take the browser back from the provider; the session comes as cookies.
#[utoipa::path(
    get,
    path = "/console/api/oauth/authorize/{provider}",
    tag = "oauth login",
    params(("provider" = String, Path), FinishQuery),
    responses((status = 302, description = "On to the console"), (status = 400, body = OAuthFailure)),
)]
async fn finish_oauth_login(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<FinishQuery>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let ctx = &state.ctx;
    let provider = Provider::named(ctx, &provider).ok_or_else(|| failure("Invalid provider"))?;
    let code = query.code.as_deref().filter(|code| !code.is_empty());
    let callback = Callback {
        code: code.ok_or_else(|| failure("Authorization code is required"))?,
        invite_token: query.state.as_deref(),
        language: accepted_language(&headers),
        ip: &ip,
    };
    match social::finish(ctx, features::policy(&state).await?, &provider, callback).await? {
        Outcome::Failed => Err(failure("OAuth process failed")),
        Outcome::Redirect(to) => redirect(&to),
        Outcome::SignedIn(to, tokens) => {
            let mut response = redirect(&to)?;
            response.headers_mut().extend(cookies::session(ctx, &tokens));
            Ok(response)
        }
    }
}

/// The language of the console a browser likes best.
fn accepted_language(headers: &HeaderMap) -> &'static str {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut wanted: Vec<(&str, f32)> = wanted
        .unwrap_or_default()
        .split(',')
        .filter_map(|entry| {
            let mut parts = entry.split(';');
            let tag = parts.next()?.trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
            Some((tag, weight.unwrap_or(1.0)))
        })
        .filter(|(tag, weight)| !tag.is_empty() && 0.0 < *weight)
        .collect();
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let fits = |tag: &str| {
        let exact = locale::LANGUAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
        let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        exact
            .or_else(|| {
                locale::LANGUAGES
                    .iter()
                    .find(|(known, _)| known.split('-').next() == Some(primary.as_str()))
            })
            .map(|(known, _)| *known)
    };
    wanted.iter().find_map(|(tag, _)| fits(tag)).unwrap_or("en-US")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_a_browser_likes_best_is_taken() {
        for (header, expected) in [
            ("de-DE,de;q=0.9,en;q=0.8", "de-DE"),
            ("xx, fr;q=0.3, ja-JP;q=0.7", "ja-JP"),
            ("fr", "fr-FR"),
            ("xx", "en-US"),
            ("", "en-US"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(header));
            assert_eq!(accepted_language(&headers), expected, "{header}");
        }
    }
}
