//! Guards of the service API (`/v1`): the key, and the end user the request names.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use services_account::{App, EndUser, end_user, service_key, session::SignedIn};

use crate::{ApiError, AppState, extract, validation};

/// The app a key opens; the request need not name a user, and counts as the workspace owner's.
#[derive(Debug, Clone)]
pub struct KeyedApp(pub App);

impl FromRequestParts<AppState> for KeyedApp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let app = service_key::app(&state.ctx, service_key::bearer(authorization(&parts.headers))?)
            .await?;
        tracing::Span::current().record("tenant_id", tracing::field::display(app.tenant_id));
        Ok(Self(app))
    }
}

/// The workspace a dataset key opens, as its owner.
#[derive(Debug, Clone)]
pub struct DatasetKey(pub SignedIn);

impl FromRequestParts<AppState> for DatasetKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let key = service_key::bearer(authorization(&parts.headers))?;
        Ok(Self(service_key::dataset(&state.ctx, key).await?))
    }
}

/// The app a key opens, and the end user the query's `user` names (`DEFAULT-USER` without one).
#[derive(Debug, Clone)]
pub struct QueryUser {
    /// The app.
    pub app: App,
    /// The user.
    pub end_user: EndUser,
}

impl FromRequestParts<AppState> for QueryUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let KeyedApp(app) = KeyedApp::from_request_parts(parts, state).await?;
        let user = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .find(|(key, _)| key == "user")
            .map(|(_, value)| value.into_owned());
        let end_user = end_user::of_service(&state.ctx, &app, user.as_deref()).await?;
        Ok(Self { app, end_user })
    }
}

/// A request with a JSON body `T` and the end user its `user` names.
#[derive(Debug, Clone)]
pub struct ServiceCall<T, const USER_REQUIRED: bool = true> {
    /// The app.
    pub app: App,
    /// The user.
    pub end_user: EndUser,
    /// The body.
    pub body: T,
}

impl<T, const USER_REQUIRED: bool> FromRequest<AppState> for ServiceCall<T, USER_REQUIRED>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let KeyedApp(app) = KeyedApp::from_request_parts(&mut parts, state).await?;
        let value = extract::json_body(Request::from_parts(parts, body), state).await?;
        let user = user_of(&value)?;
        if USER_REQUIRED && user.is_none() {
            return Err(ApiError::invalid_param("Arg user must be provided."));
        }
        let end_user = end_user::of_service(&state.ctx, &app, user.as_deref()).await?;
        Ok(Self { app, end_user, body: validation::read(value)? })
    }
}

/// The app a key opens, for a multipart request that names its user in a form field.
#[derive(Debug, Clone)]
pub struct FormUser(pub App);

impl FormUser {
    /// The end user of the form's `user` field.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_user(
        &self,
        state: &AppState,
        user: Option<&str>,
    ) -> Result<EndUser, ApiError> {
        Ok(end_user::of_service(&state.ctx, &self.0, user).await?)
    }
}

impl FromRequestParts<AppState> for FormUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let KeyedApp(app) = KeyedApp::from_request_parts(parts, state).await?;
        Ok(Self(app))
    }
}

fn user_of(body: &Value) -> Result<Option<String>, ApiError> {
    match body.get("user") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(user)) if user.is_empty() => Ok(None),
        Some(Value::String(user)) => Ok(Some(user.clone())),
        Some(Value::Number(user)) => Ok(Some(user.to_string())),
        Some(_) => Err(ApiError::invalid_param("Arg user must be a string.")),
    }
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}
