//! `/console/api/oauth/provider`: programs that sign people in with their account here.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json,
    guard::{Console, SetUp},
    validation,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use services_account::oauth_server::{self, OAuthError, OAuthProviderApp, TokenRequest};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(describe_oauth_client))
        .routes(routes!(authorize_oauth_client))
        .routes(routes!(issue_oauth_token))
        .routes(routes!(find_oauth_account))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ClientPayload {
    client_id: String,
}

/// The client a body names, and the body read as what the call wants.
async fn client<T>(request: Request, state: &AppState) -> Result<(OAuthProviderApp, T), ApiError>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    let json = http_core::extract::json_body(request, state).await?;
    let named: ClientPayload = validation::read(json.clone())?;
    let client = oauth_server::client(&state.ctx, &named.client_id).await?;
    Ok((client, validation::read(json)?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DescribePayload {
    #[expect(dead_code, reason = "part of the wire form; read by `client`")]
    client_id: String,
    redirect_uri: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Client {
    app_icon: String,
    /// Names by language.
    app_label: serde_json::Value,
    scope: String,
}

/// What a client is called and wants.
#[utoipa::path(
    post,
    path = "/console/api/oauth/provider",
    tag = "oauth provider",
    request_body = DescribePayload,
    responses((status = 200, body = Client), (status = "4XX", body = ErrorBody)),
)]
async fn describe_oauth_client(
    State(state): State<AppState>,
    _: SetUp,
    request: Request,
) -> Result<Json<Client>, ApiError> {
    let (client, payload) = client::<DescribePayload>(request, &state).await?;
    oauth_server::check_redirect(&client, Some(&payload.redirect_uri))?;
    let OAuthProviderApp { app_icon, app_label, scope, .. } = client;
    Ok(Json(Client { app_icon, app_label, scope }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AuthorizationCode {
    code: String,
}

/// Let a client act for the signed-in user.
#[utoipa::path(
    post,
    path = "/console/api/oauth/provider/authorize",
    tag = "oauth provider",
    request_body = ClientPayload,
    responses((status = 200, body = AuthorizationCode), (status = "4XX", body = ErrorBody)),
)]
async fn authorize_oauth_client(
    State(state): State<AppState>,
    Console(user): Console,
    request: Request,
) -> Result<Json<AuthorizationCode>, ApiError> {
    let (client, ClientPayload { .. }) = client(request, &state).await?;
    let code = oauth_server::authorize(&state.ctx, &client, user.account.id).await?;
    Ok(Json(AuthorizationCode { code }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TokenPayload {
    #[expect(dead_code, reason = "part of the wire form; read by `client`")]
    client_id: String,
    grant_type: String,
    code: Option<String>,
    client_secret: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    refresh_token: String,
}

/// Swap a code or a refresh token for an access token.
#[utoipa::path(
    post,
    path = "/console/api/oauth/provider/token",
    tag = "oauth provider",
    request_body = TokenPayload,
    responses((status = 200, body = TokenAnswer), (status = "4XX", body = ErrorBody)),
)]
async fn issue_oauth_token(
    State(state): State<AppState>,
    _: SetUp,
    request: Request,
) -> Result<Json<TokenAnswer>, ApiError> {
    let (client, payload) = client::<TokenPayload>(request, &state).await?;
    let asked = TokenRequest {
        grant_type: &payload.grant_type,
        code: payload.code.as_deref(),
        client_secret: payload.client_secret.as_deref(),
        redirect_uri: payload.redirect_uri.as_deref(),
        refresh_token: payload.refresh_token.as_deref(),
    };
    let (access_token, refresh_token) = oauth_server::tokens(&state.ctx, &client, asked).await?;
    Ok(Json(TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: oauth_server::ACCESS_LIFE.as_secs(),
        refresh_token,
    }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OAuthAccount {
    name: String,
    email: String,
    avatar: Option<String>,
    interface_language: Option<String>,
    timezone: Option<String>,
}

/// Whose access token it is.
#[utoipa::path(
    post,
    path = "/console/api/oauth/provider/account",
    tag = "oauth provider",
    request_body = ClientPayload,
    responses((status = 200, body = OAuthAccount), (status = "4XX", description = "Refused")),
)]
async fn find_oauth_account(
    State(state): State<AppState>,
    _: SetUp,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<OAuthAccount>, ApiError> {
    let (client, ClientPayload { .. }) = client(request, &state).await?;
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let account = oauth_server::account(&state.ctx, &client, bearer).await.map_err(|err| {
        let asks = matches!(err, OAuthError::BadToken(_));
        let answer = ApiError::from(err);
        if !asks {
            return answer;
        }
        let scheme = axum::http::HeaderValue::from_static("Bearer");
        answer.header(header::WWW_AUTHENTICATE, scheme)
    })?;
    Ok(Json(OAuthAccount {
        name: account.name,
        email: account.email,
        avatar: account.avatar,
        interface_language: account.interface_language,
        timezone: account.timezone,
    }))
}
