//! `/api/webapp`: who may open a web app.

use axum::{extract::State, http::HeaderMap};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Query,
    guard::{SetUp, console, passport},
};
use serde::{Deserialize, Serialize};
use services_platform::web_app::{self, Asked};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_access_mode))
        .routes(routes!(find_permission))
        .routes(routes!(find_login_status))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
struct AppAccessModeQuery {
    app_id: Option<String>,
    app_code: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
struct PermissionQuery {
    app_id: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccessMode {
    /// `public`, `private`, `private_all` or `sso_verified`.
    access_mode: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Permission {
    result: bool,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct LoginStatusQuery {
    /// The web app's code.
    app_code: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LoginStatus {
    /// Whether the visitor needs no sign-in any more, or none at all.
    logged_in: bool,
    /// Whether the visitor holds a passport of the web app.
    app_logged_in: bool,
}

/// Whether the visitor is signed in.
#[utoipa::path(
    get,
    path = "/api/login/status",
    tag = "access",
    params(LoginStatusQuery),
    responses((status = 200, body = LoginStatus), (status = "4XX", body = ErrorBody)),
)]
async fn find_login_status(
    State(state): State<AppState>,
    _: SetUp,
    headers: HeaderMap,
    Query(query): Query<LoginStatusQuery>,
) -> Result<Json<LoginStatus>, ApiError> {
    let name = state.ctx.config.cookie_name("webapp_access_token");
    let token = console::cookie(&headers, &name)
        .or_else(|| console::bearer(&headers).map(str::to_owned))
        .filter(|token| !token.is_empty());
    let code = query.app_code.as_deref().filter(|code| !code.is_empty());
    let passport = passport(&headers, code);
    let status = match code {
        None => web_app::SignedIn { visitor: token.is_some(), app: false },
        Some(code) => {
            web_app::signed_in(&state.ctx, code, token.as_deref(), passport.as_deref()).await?
        }
    };
    Ok(Json(LoginStatus { logged_in: status.visitor, app_logged_in: status.app }))
}

/// How a web app is opened.
#[utoipa::path(
    get,
    path = "/api/webapp/access-mode",
    tag = "access",
    params(AppAccessModeQuery),
    responses((status = 200, body = AccessMode), (status = "4XX", body = ErrorBody)),
)]
async fn find_access_mode(
    State(state): State<AppState>,
    Query(query): Query<AppAccessModeQuery>,
) -> Result<Json<AccessMode>, ApiError> {
    let asked = Asked { id: query.app_id.as_deref(), code: query.app_code.as_deref() };
    Ok(Json(AccessMode { access_mode: web_app::access_mode(&state.ctx, asked).await? }))
}

/// Whether the visitor may open a web app.
#[utoipa::path(
    get,
    path = "/api/webapp/permission",
    tag = "access",
    params(PermissionQuery, ("X-App-Code" = String, Header)),
    responses((status = 200, body = Permission), (status = "4XX", body = ErrorBody)),
)]
async fn find_permission(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query<PermissionQuery>,
) -> Result<Json<Permission>, ApiError> {
    let code = headers.get("x-app-code").and_then(|code| code.to_str().ok());
    let asked = Asked { id: query.app_id.as_deref(), code };
    Ok(Json(Permission { result: web_app::may_open(&state.ctx, asked).await? }))
}
