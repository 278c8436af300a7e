//! Guards of the operator, by `ADMIN_API_KEY`.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::console;
use crate::{ApiError, AppState};

/// The operator. Unlike the guards of the console this takes no workspace along.
#[derive(Debug, Clone, Copy)]
pub struct Operator;

impl FromRequestParts<AppState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let invalid = || ApiError::unauthorized("API key is invalid.");
        let key = state.ctx.config.feature.admin_api_key.as_deref();
        let key = key.filter(|key| !key.is_empty()).ok_or_else(invalid)?;
        let sent = console::access_token(&state.ctx, &parts.headers)
            .ok_or_else(|| ApiError::unauthorized("Authorization header is missing."))?;
        if crypto::hash::same(sent.as_bytes(), key.as_bytes()) { Ok(Self) } else { Err(invalid()) }
    }
}

/// The server is the cloud edition; elsewhere the path does not exist.
#[derive(Debug, Clone, Copy)]
pub struct Cloud;

impl FromRequestParts<AppState> for Cloud {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if state.ctx.config.is_cloud() { Ok(Self) } else { Err(ApiError::no_such_url()) }
    }
}

/// The [`Operator`] of the cloud edition; elsewhere the path does not exist.
#[derive(Debug, Clone, Copy)]
pub struct CloudOperator;

impl FromRequestParts<AppState> for CloudOperator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Cloud::from_request_parts(parts, state).await?;
        Operator::from_request_parts(parts, state).await.map(|Operator| Self)
    }
}
