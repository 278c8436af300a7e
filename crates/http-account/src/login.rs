//! `/console/api/{login,logout,refresh-token,email-code-login,reset-password}`

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{SetUp, console},
};
use serde::{Deserialize, Serialize};
use services_account::{code_login, forgot_password, session, sign_in};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{self, AskForMail, ClientIp, Done, DoneWith, PasswordLogin},
    cookies, features,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(refresh_token))
        .routes(routes!(send_login_code))
        .routes(routes!(login_with_code))
        .routes(routes!(send_reset_code))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct LoginPayload {
    #[garde(custom(body::email))]
    email: String,
    /// Base64.
    password: String,
    #[serde(default, deserialize_with = "http_core::validation::lax::flag")]
    #[expect(dead_code, reason = "read and not used, as in the reference")]
    remember_me: bool,
    invite_token: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NoWorkspace {
    result: &'static str,
    data: &'static str,
}

/// Sign in with a password; the session comes as cookies.
#[utoipa::path(
    post,
    path = "/console/api/login",
    tag = "login",
    request_body = LoginPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn login(
    State(state): State<AppState>,
    _: SetUp,
    _: PasswordLogin,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Result<Response, ApiError> {
    let refused = || {
        ApiError::new(StatusCode::UNAUTHORIZED, "authentication_failed", "Invalid encrypted data")
    };
    let payload: LoginPayload = body::with_decoded(request, &state, "password", refused).await?;
    let login = sign_in::PasswordLogin {
        email: &payload.email,
        password: &payload.password,
        invite_token: payload.invite_token.as_deref(),
        ip: &ip,
    };
    Ok(match sign_in::with_password(&state.ctx, features::policy(&state).await?, login).await? {
        Some(tokens) => (cookies::session(&state.ctx, &tokens), Json(Done::SUCCESS)).into_response(),
        None => Json(NoWorkspace {
            result: "fail",
            data: "workspace not found, please contact system admin to invite you to join in a workspace",
        })
        .into_response(),
    })
}

/// Sign out. Wants a session but no CSRF token.
#[utoipa::path(
    post,
    path = "/console/api/logout",
    tag = "login",
    responses((status = 200, body = Done), (status = 401, body = ErrorBody)),
)]
async fn logout(
    State(state): State<AppState>,
    _: SetUp,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    let ctx = &state.ctx;
    let token = console::access_token(ctx, &headers).ok_or(session::SessionError::NoToken)?;
    let user = session::authenticate(ctx, &token).await?;
    let refresh = console::cookie(&headers, &ctx.config.cookie_name("refresh_token"));
    sign_in::sign_out(ctx, user.account.id, Some(&token), refresh.as_deref()).await?;
    Ok((cookies::clear(ctx), Json(Done::SUCCESS)))
}

/// Renew a session from its refresh cookie.
#[utoipa::path(
    post,
    path = "/console/api/refresh-token",
    tag = "login",
    responses((status = 200, body = Done), (status = 401, description = "No session to renew")),
)]
async fn refresh_token(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    let ctx = &state.ctx;
    let token = console::cookie(&headers, &ctx.config.cookie_name("refresh_token"));
    let tokens = sign_in::refresh(ctx, token.as_deref()).await?;
    Ok((cookies::session(ctx, &tokens), Json(Done::SUCCESS)))
}

/// Have a code to sign in mailed.
#[utoipa::path(
    post,
    path = "/console/api/email-code-login",
    tag = "login",
    request_body = AskForMail,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_login_code(
    State(state): State<AppState>,
    _: SetUp,
    ClientIp(ip): ClientIp,
    Valid(ask): Valid<AskForMail>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let policy = features::policy(&state).await?;
    let language = ask.language.as_deref();
    let token = code_login::send_code(&state.ctx, policy, &ask.email, language, &ip).await?;
    Ok(Json(DoneWith::new(token)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CodeLoginPayload {
    #[garde(custom(body::email))]
    email: String,
    /// Base64.
    code: String,
    token: String,
    language: Option<String>,
}

/// Sign in with a code; the session comes as cookies.
#[utoipa::path(
    post,
    path = "/console/api/email-code-login/validity",
    tag = "login",
    request_body = CodeLoginPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn login_with_code(
    State(state): State<AppState>,
    _: SetUp,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    let payload: CodeLoginPayload = body::with_decoded(request, &state, "code", bad_code).await?;
    let tokens = code_login::finish(
        &state.ctx,
        features::policy(&state).await?,
        &payload.email,
        &payload.code,
        &payload.token,
        payload.language.as_deref(),
        &ip,
    )
    .await?;
    Ok((cookies::session(&state.ctx, &tokens), Json(Done::SUCCESS)))
}

/// What a code that is no Base64 is told.
pub(crate) fn bad_code() -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "email_code_error", "Invalid encrypted code")
}

/// Have a code for a new password mailed (the older path of `/forgot-password`).
#[utoipa::path(
    post,
    path = "/console/api/reset-password",
    tag = "login",
    request_body = AskForMail,
    responses((status = 200, body = DoneWith<String>), (status = "4XX", body = ErrorBody)),
)]
async fn send_reset_code(
    State(state): State<AppState>,
    _: SetUp,
    _: PasswordLogin,
    ClientIp(ip): ClientIp,
    Valid(ask): Valid<AskForMail>,
) -> Result<Json<DoneWith<String>>, ApiError> {
    let policy = features::policy(&state).await?;
    let language = ask.language.as_deref();
    let token =
        forgot_password::send_code(&state.ctx, policy, &ask.email, language, Some(&ip)).await?;
    Ok(Json(DoneWith::new(token)))
}
