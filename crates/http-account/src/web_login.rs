//! `/api/{login,logout,email-code-login}`: signing in to web apps, in the enterprise edition.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, guard::SetUp};
use serde::{Deserialize, Serialize};
use services_account::web_login;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{self, AskForMail, Done, DoneWith, Enterprise},
    cookies,
    login::bad_code,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(web_login_with_password))
        .routes(routes!(web_logout))
        .routes(routes!(send_web_login_code))
        .routes(routes!(web_login_with_code))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct WebLoginPayload {
    #[garde(custom(body::email))]
    email: String,
    /// Base64.
    #[garde(custom(body::new_password))]
    password: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WebSession {
    access_token: String,
}

/// Sign in with a password; the token comes in the body.
#[utoipa::path(
    post,
    path = "/api/login",
    tag = "web login",
    request_body = WebLoginPayload,
    responses((status = 200, body = DoneWith<WebSession>), (status = "4XX", body = ErrorBody)),
)]
async fn web_login_with_password(
    State(state): State<AppState>,
    _: SetUp,
    _: Enterprise,
    request: Request,
) -> Result<Json<DoneWith<WebSession>>, ApiError> {
    let refused = || {
        ApiError::new(StatusCode::UNAUTHORIZED, "authentication_failed", "Invalid encrypted data")
    };
    let payload: WebLoginPayload = body::with_decoded(request, &state, "password", refused).await?;
    let access_token =
        web_login::with_password(&state.ctx, &payload.email, &payload.password).await?;
    Ok(Json(DoneWith::new(WebSession { access_token })))
}

/// Drop the cookie single sign-on has set.
#[utoipa::path(
    post,
    path = "/api/logout",
    tag = "web login",
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn web_logout(State(state): State<AppState>, _: SetUp) -> (HeaderMap, Json<Done>) {
    (cookies::clear_web_app(&state.ctx), Json(Done::SUCCESS))
}

/// Have a code to sign in mailed.
#[utoipa::path(
    post,
    path = "/api/email-code-login",
    tag = "web login",
    request_body = AskForMail,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_web_login_code(
    State(state): State<AppState>,
    _: SetUp,
    _: Enterprise,
    Valid(ask): Valid<AskForMail>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let token = web_login::send_code(&state.ctx, &ask.email, ask.language.as_deref()).await?;
    Ok(Json(DoneWith::new(token)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct WebCodePayload {
    #[garde(custom(body::email))]
    email: String,
    /// Base64.
    code: String,
    #[garde(length(min = 1))]
    token: String,
}

/// Sign in with a code; the token comes in the body.
#[utoipa::path(
    post,
    path = "/api/email-code-login/validity",
    tag = "web login",
    request_body = WebCodePayload,
    responses((status = 200, body = DoneWith<WebSession>), (status = "4XX", body = ErrorBody)),
)]
async fn web_login_with_code(
    State(state): State<AppState>,
    _: SetUp,
    _: Enterprise,
    request: Request,
) -> Result<Json<DoneWith<WebSession>>, ApiError> {
    let payload: WebCodePayload = body::with_decoded(request, &state, "code", bad_code).await?;
    let WebCodePayload { email, code, token } = &payload;
    let access_token = web_login::with_code(&state.ctx, email, code, token).await?;
    Ok(Json(DoneWith::new(WebSession { access_token })))
}
