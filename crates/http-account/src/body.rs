//! What the bodies of this crate have in common.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use http_core::{ApiError, AppState};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use services_account::{locale, password};

use crate::features;

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    result: &'static str,
}

impl Done {
    pub(crate) const SUCCESS: Self = Self { result: "success" };
}

/// `{"result": "success", "data": …}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DoneWith<T> {
    result: &'static str,
    data: T,
}

impl<T> DoneWith<T> {
    pub(crate) fn new(data: T) -> Self {
        Self { result: "success", data }
    }
}

/// A proved code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Proved {
    is_valid: bool,
    email: String,
    /// The token of the next step.
    token: String,
}

impl From<services_account::registration::Proof> for Proved {
    fn from((email, token): services_account::registration::Proof) -> Self {
        Self { is_valid: true, email, token }
    }
}

/// A code that is to be proved.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct Prove {
    #[garde(custom(self::email))]
    pub email: String,
    /// Six digits.
    pub code: String,
    /// What was answered when the mail was asked for.
    pub token: String,
}

/// A mail that is asked for.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct AskForMail {
    #[garde(custom(self::email))]
    pub email: String,
    pub language: Option<String>,
}

/// A new password behind a proved code.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct NewPassword {
    pub token: String,
    #[garde(custom(self::new_password))]
    pub new_password: String,
    #[garde(custom(self::new_password))]
    pub password_confirm: String,
}

/// Checks an e-mail address.
pub(crate) fn email(text: &str, _: &()) -> garde::Result {
    fits(locale::is_email(text), || format!("Value error, {text} is not a valid email."))
}

/// Checks an e-mail address, if there is one.
pub(crate) fn optional_email(text: &Option<String>, ctx: &()) -> garde::Result {
    text.as_deref().map_or(Ok(()), |text| email(text, ctx))
}

/// Checks a new password.
pub(crate) fn new_password(text: &str, _: &()) -> garde::Result {
    fits(password::is_acceptable(text), || format!("Value error, {}", password::RULE))
}

/// Checks a language of the console.
pub(crate) fn language(text: &str, _: &()) -> garde::Result {
    fits(locale::is_language(text), || format!("Value error, {text} is not a valid language."))
}

/// Checks a time zone.
pub(crate) fn timezone(text: &str, _: &()) -> garde::Result {
    fits(locale::is_timezone(text), || format!("Value error, {text} is not a valid timezone."))
}

/// Checks a name of at most thirty characters.
pub(crate) fn short_name(text: &str, _: &()) -> garde::Result {
    fits(text.chars().count() <= 30, || "String should have at most 30 characters".to_owned())
}

/// Checks a name of three to thirty characters.
pub(crate) fn display_name(text: &str, ctx: &()) -> garde::Result {
    fits(3 <= text.chars().count(), || "String should have at least 3 characters".to_owned())?;
    short_name(text, ctx)
}

fn fits(ok: bool, why: impl FnOnce() -> String) -> garde::Result {
    if ok { Ok(()) } else { Err(garde::Error::new(why())) }
}

/// The client's address, see [`http_core::guard::client_ip`].
pub(crate) struct ClientIp(pub String);

impl FromRequestParts<AppState> for ClientIp {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get();
        Ok(Self(http_core::guard::client_ip(&parts.headers, peer)))
    }
}

/// Signing in with a password is switched on; 403 otherwise.
pub(crate) struct PasswordLogin;

impl FromRequestParts<AppState> for PasswordLogin {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        gate(features::system(state).await?.enable_email_password_login).map(|()| Self)
    }
}

/// Anybody may register; 403 otherwise.
pub(crate) struct Registration;

impl FromRequestParts<AppState> for Registration {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        gate(features::system(state).await?.is_allow_register).map(|()| Self)
    }
}

/// Addresses may be changed, which the enterprise edition forbids; 403 otherwise.
pub(crate) struct EmailChange;

impl FromRequestParts<AppState> for EmailChange {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        gate(features::system(state).await?.enable_change_email).map(|()| Self)
    }
}

fn gate(open: bool) -> Result<(), ApiError> {
    if open { Ok(()) } else { Err(ApiError::forbidden()) }
}

/// The hosted edition; 404 elsewhere.
pub(crate) struct Cloud;

impl FromRequestParts<AppState> for Cloud {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if state.ctx.config.is_cloud() { Ok(Self) } else { Err(ApiError::no_such_url()) }
    }
}

/// The enterprise edition; 404 elsewhere.
pub(crate) struct Enterprise;

impl FromRequestParts<AppState> for Enterprise {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let on = state.ctx.config.enterprise.enterprise_enabled;
        if on { Ok(Self) } else { Err(ApiError::no_such_url()) }
    }
}

/// A JSON body one of whose fields came as Base64, which hides it from nobody but logs.
///
/// # Errors
/// As for any JSON body; 401 with `refusal` if the field does not decode.
pub(crate) async fn with_decoded<T>(
    request: Request,
    state: &AppState,
    field: &str,
    refusal: impl FnOnce() -> ApiError,
) -> Result<T, ApiError>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    let mut body = http_core::extract::json_body(request, state).await?;
    if let Some(value) = body.as_object_mut().and_then(|body| body.get_mut(field)) {
        let decoded = value.as_str().and_then(decode).ok_or_else(refusal)?;
        *value = Value::String(decoded);
    }
    http_core::validation::read(body)
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(crypto::base64::decode(text)?).ok()
}
