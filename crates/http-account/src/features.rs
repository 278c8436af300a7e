//! What the edition and a workspace's plan allow, as far as this crate asks.

use axum::http::StatusCode;
use http_core::{ApiError, AppState};
use services_account::{AccountError, Policy};
pub(crate) use services_platform::feature::Features;
use services_platform::feature::{self, LicenseLimitation, SystemFeatures};
use types::TenantId;

/// What this installation is and allows.
pub(crate) async fn system(state: &AppState) -> Result<SystemFeatures, ApiError> {
    Ok(feature::system_features(&state.ctx, true).await?)
}

/// What this installation allows strangers.
pub(crate) async fn policy(state: &AppState) -> Result<Policy, ApiError> {
    let system = system(state).await?;
    Ok(Policy {
        allow_register: system.is_allow_register,
        allow_create_workspace: system.is_allow_create_workspace,
        workspaces_available: has_room(&system.license.workspaces, 1),
    })
}

/// What the workspace's plan lets it do.
pub(crate) async fn of(state: &AppState, tenant: TenantId) -> Result<Features, ApiError> {
    Ok(feature::features(&state.ctx, tenant).await?)
}

/// The workspace's plan; `sandbox` without billing.
pub(crate) async fn plan(state: &AppState, tenant: TenantId) -> Result<String, ApiError> {
    let billing = of(state, tenant).await?.billing;
    Ok(if billing.enabled { billing.subscription.plan } else { "sandbox".to_owned() })
}

/// Refuses a look of its own to a workspace whose plan has none.
pub(crate) async fn check_customizable(state: &AppState, tenant: TenantId) -> Result<(), ApiError> {
    let features = of(state, tenant).await?;
    if features.billing.enabled && !features.can_replace_logo {
        return Err(over_the_plan(
            "The workspace custom feature has reached the limit of your subscription.",
        ));
    }
    Ok(())
}

/// Refuses more members than plan and licence allow.
pub(crate) async fn check_room_for_members(
    state: &AppState,
    tenant: TenantId,
    more: usize,
) -> Result<(), ApiError> {
    let features = of(state, tenant).await?;
    let members = &features.members;
    if features.billing.enabled && 0 < members.limit && members.limit <= members.size {
        return Err(over_the_plan(
            "The number of members has reached the limit of your subscription.",
        ));
    }
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    if has_room(&features.workspace_members, more) {
        return Ok(());
    }
    Err(AccountError::MembersExhausted.into())
}

/// Refuses to hand a workspace over whose plan does not allow it.
pub(crate) async fn check_transferable(state: &AppState, tenant: TenantId) -> Result<(), ApiError> {
    if of(state, tenant).await?.is_allow_transfer_workspace {
        return Ok(());
    }
    Err(over_the_plan("Your current plan does not allow workspace ownership transfer"))
}

fn has_room(licence: &LicenseLimitation, more: i64) -> bool {
    !licence.enabled || licence.limit == 0 || more <= licence.limit - licence.size
}

fn over_the_plan(message: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "forbidden", message)
}
