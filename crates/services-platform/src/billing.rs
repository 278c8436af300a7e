//! What this area asks the billing service of the hosted edition.

use boxed::boxed;
use serde_json::{Value, json};
pub use services_core::billing::BillingError;
use services_core::{
    Ctx,
    billing::{Call, call},
};
use types::{AccountId, TenantId};

/// What a workspace subscribed to: plan, sizes, limits.
///
/// # Errors
/// [`BillingError`].
#[boxed]
pub async fn info(ctx: &Ctx, tenant: TenantId) -> Result<Value, BillingError> {
    call(ctx, Call::get("/subscription/info", vec![("tenant_id", tenant.to_string())])).await
}

/// What a workspace used of metered features.
///
/// # Errors
/// [`BillingError`].
#[boxed]
pub async fn usage(ctx: &Ctx, tenant: TenantId) -> Result<Value, BillingError> {
    let query = vec![("tenant_id", tenant.to_string())];
    call(ctx, Call::get("/tenant-feature-usage/info", query)).await
}

/// What an account should be told.
///
/// # Errors
/// [`BillingError`].
#[boxed]
pub async fn notification(ctx: &Ctx, account: AccountId) -> Result<Value, BillingError> {
    let query = vec![("account_id", account.to_string())];
    call(ctx, Call::get("/notifications/active", query)).await
}

/// Notes that an account was told.
///
/// # Errors
/// [`BillingError`].
#[boxed]
pub async fn dismiss(
    ctx: &Ctx,
    account: AccountId,
    notification: &str,
) -> Result<(), BillingError> {
    let path = format!("/notifications/{notification}/dismiss");
    let body = json!({"account_id": account.to_string()});
    call(ctx, Call::send(net::Method::POST, &path, body)).await.map(drop)
}
