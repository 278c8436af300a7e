//! What a workspace's plan lets it do, as far as this crate asks.

use axum::http::StatusCode;
use http_core::{ApiError, AppState};
use types::TenantId;

/// What a workspace's plan lets it do.
pub(crate) struct Features {
    pub billing_enabled: bool,
    pub plan: String,
    pub can_replace_logo: bool,
    /// Unix seconds.
    pub next_credit_reset_date: i64,
}

/// What the workspace's plan lets it do.
#[expect(clippy::unused_async, reason = "the plan of a hosted workspace is asked for over HTTP")]
pub(crate) async fn of(state: &AppState, _: TenantId) -> Result<Features, ApiError> {
    let config = &state.ctx.config;
    Ok(Features {
        billing_enabled: config.feature.billing_enabled,
        plan: "sandbox".to_owned(),
        can_replace_logo: config.enterprise.can_replace_logo,
        next_credit_reset_date: 0,
    })
}

/// The workspace's plan; `sandbox` without billing.
pub(crate) async fn plan(state: &AppState, tenant: TenantId) -> Result<String, ApiError> {
    Ok(of(state, tenant).await?.plan)
}

/// Refuses a look of its own to a workspace whose plan has none.
pub(crate) async fn check_customizable(state: &AppState, tenant: TenantId) -> Result<(), ApiError> {
    let features = of(state, tenant).await?;
    if !features.billing_enabled || features.can_replace_logo {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "The workspace custom feature has reached the limit of your subscription.",
    ))
}
