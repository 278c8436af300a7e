//! `/console/api/account`: a user's own account.

use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Console, LoggedIn},
};
use serde::{Deserialize, Serialize};
use services_account::{
    AccountError,
    profile::{self, Initialization, ProfileChange},
};
use services_core::Ctx;
use types::AccountId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::{self, Done};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(initialize_account))
        .routes(routes!(find_profile))
        .routes(routes!(set_name))
        .routes(routes!(set_avatar))
        .routes(routes!(set_interface_language))
        .routes(routes!(set_interface_theme))
        .routes(routes!(set_timezone))
        .routes(routes!(set_password))
        .routes(routes!(list_integrates))
}

/// The user's own account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Profile {
    id: AccountId,
    name: String,
    /// A file's id or an address.
    avatar: Option<String>,
    /// Where the picture is; signed for files.
    avatar_url: Option<String>,
    email: String,
    is_password_set: bool,
    interface_language: Option<String>,
    interface_theme: Option<String>,
    timezone: Option<String>,
    /// Unix seconds.
    last_login_at: Option<i64>,
    last_login_ip: Option<String>,
    /// Unix seconds.
    created_at: i64,
}

impl Profile {
    pub(crate) fn of(ctx: &Ctx, account: services_account::Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            avatar_url: avatar_url(ctx, account.avatar.as_deref()),
            avatar: account.avatar,
            email: account.email,
            is_password_set: account.password.is_some(),
            interface_language: account.interface_language,
            interface_theme: account.interface_theme,
            timezone: account.timezone,
            last_login_at: account.last_login_at.map(|at| at.and_utc().timestamp()),
            last_login_ip: account.last_login_ip,
            created_at: account.created_at.and_utc().timestamp(),
        }
    }
}

/// Where an account's picture is.
pub(crate) fn avatar_url(ctx: &Ctx, avatar: Option<&str>) -> Option<String> {
    use crypto::file_link::{Audience, FileLinks, Stamp};
    let avatar = avatar?;
    if ["http://", "https://"].iter().any(|scheme| avatar.starts_with(scheme)) {
        return Some(avatar.to_owned());
    }
    let config = &ctx.config;
    let links = FileLinks::new(
        &ctx.secret,
        config.files_url(),
        config.internal_files_url(),
        config.files_access_timeout(),
    );
    let stamp = Stamp::new(ctx.now().timestamp());
    Some(links.upload(avatar, Audience::Public, false, &stamp))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InitializePayload {
    #[garde(custom(body::language))]
    interface_language: String,
    #[garde(custom(body::timezone))]
    timezone: String,
    /// Asked for in the hosted edition.
    invitation_code: Option<String>,
}

/// Make an account active.
#[utoipa::path(
    post,
    path = "/console/api/account/init",
    tag = "account",
    request_body = InitializePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn initialize_account(
    State(state): State<AppState>,
    LoggedIn { user, .. }: LoggedIn,
    request: Request,
) -> Result<Json<Done>, ApiError> {
    // Whoever is active already is told so whatever the body says.
    if user.account.status == "active" {
        return Err(AccountError::AlreadyInitialized.into());
    }
    let Valid(payload) = Valid::<InitializePayload>::from_request(request, &state).await?;
    let choice = Initialization {
        invitation_code: payload.invitation_code.as_deref(),
        language: &payload.interface_language,
        timezone: &payload.timezone,
    };
    profile::initialize(&state.ctx, &user, choice).await?;
    Ok(Json(Done::SUCCESS))
}

/// Your account.
#[utoipa::path(
    get,
    path = "/console/api/account/profile",
    tag = "account",
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn find_profile(State(state): State<AppState>, Console(user): Console) -> Json<Profile> {
    Json(Profile::of(&state.ctx, user.account))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct NamePayload {
    /// 3 to 30 characters.
    #[garde(custom(body::display_name))]
    name: String,
}

/// Change your name.
#[utoipa::path(
    post,
    path = "/console/api/account/name",
    tag = "account",
    request_body = NamePayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_name(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<NamePayload>,
) -> Result<Json<Profile>, ApiError> {
    let change = ProfileChange { name: Some(&payload.name), ..ProfileChange::default() };
    let account = profile::update(&state.ctx, &user, change).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct AvatarPayload {
    /// An uploaded file's id or an address.
    #[garde(skip)]
    avatar: String,
}

/// Change your picture.
#[utoipa::path(
    post,
    path = "/console/api/account/avatar",
    tag = "account",
    request_body = AvatarPayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_avatar(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<AvatarPayload>,
) -> Result<Json<Profile>, ApiError> {
    let change = ProfileChange { avatar: Some(&payload.avatar), ..ProfileChange::default() };
    let account = profile::update(&state.ctx, &user, change).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct LanguagePayload {
    #[garde(custom(body::language))]
    interface_language: String,
}

/// Change the language of the console.
#[utoipa::path(
    post,
    path = "/console/api/account/interface-language",
    tag = "account",
    request_body = LanguagePayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_interface_language(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<LanguagePayload>,
) -> Result<Json<Profile>, ApiError> {
    let language = Some(payload.interface_language.as_str());
    let change = ProfileChange { interface_language: language, ..ProfileChange::default() };
    let account = profile::update(&state.ctx, &user, change).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Theme {
    Light,
    Dark,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct ThemePayload {
    #[garde(skip)]
    interface_theme: Theme,
}

/// Change the colours of the console.
#[utoipa::path(
    post,
    path = "/console/api/account/interface-theme",
    tag = "account",
    request_body = ThemePayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_interface_theme(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<ThemePayload>,
) -> Result<Json<Profile>, ApiError> {
    let theme = match payload.interface_theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let change = ProfileChange { interface_theme: Some(theme), ..ProfileChange::default() };
    let account = profile::update(&state.ctx, &user, change).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct TimezonePayload {
    /// IANA name.
    #[garde(custom(body::timezone))]
    timezone: String,
}

/// Change your time zone.
#[utoipa::path(
    post,
    path = "/console/api/account/timezone",
    tag = "account",
    request_body = TimezonePayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_timezone(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<TimezonePayload>,
) -> Result<Json<Profile>, ApiError> {
    let change = ProfileChange { timezone: Some(&payload.timezone), ..ProfileChange::default() };
    let account = profile::update(&state.ctx, &user, change).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PasswordPayload {
    /// The current one; may be left out where there is none.
    password: Option<String>,
    new_password: String,
    repeat_new_password: String,
}

/// Change your password.
#[utoipa::path(
    post,
    path = "/console/api/account/password",
    tag = "account",
    request_body = PasswordPayload,
    responses((status = 200, body = Profile), (status = "4XX", body = ErrorBody)),
)]
async fn set_password(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(payload): Valid<PasswordPayload>,
) -> Result<Json<Profile>, ApiError> {
    if payload.new_password != payload.repeat_new_password {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "repeat_password_not_match",
            "New password and repeat password does not match.",
        ));
    }
    let current = payload.password.as_deref();
    let account =
        profile::change_password(&state.ctx, &user.account, current, &payload.new_password).await?;
    Ok(Json(Profile::of(&state.ctx, account)))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Integrates {
    data: Vec<Integrate>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Integrate {
    provider: &'static str,
    /// Unix seconds.
    created_at: Option<i64>,
    is_bound: bool,
    /// Where to link it.
    link: Option<String>,
}

/// The services your account is linked to, or could be.
#[utoipa::path(
    get,
    path = "/console/api/account/integrates",
    tag = "account",
    responses((status = 200, body = Integrates), (status = "4XX", body = ErrorBody)),
)]
async fn list_integrates(
    State(state): State<AppState>,
    Console(user): Console,
    headers: HeaderMap,
) -> Result<Json<Integrates>, ApiError> {
    let linked = profile::integrates(&state.ctx, user.account.id).await?;
    let base = base_url(&headers);
    let data = ["github", "google"]
        .into_iter()
        .map(|provider| {
            let link = linked.iter().find(|link| link.provider == provider);
            Integrate {
                provider,
                created_at: link.map(|link| link.created_at.and_utc().timestamp()),
                is_bound: link.is_some(),
                link: link.is_none().then(|| format!("{base}/console/api/oauth/login/{provider}")),
            }
        })
        .collect();
    Ok(Json(Integrates { data }))
}

/// The server as the browser addressed it.
fn base_url(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let scheme = text(header::HeaderName::from_static("x-forwarded-proto")).unwrap_or("http");
    let host = text(header::HOST).unwrap_or("localhost");
    format!("{scheme}://{host}")
}
