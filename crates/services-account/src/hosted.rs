//! What only the hosted edition has: payment, invoices, partners, education, compliance reports.

use boxed::boxed;
use std::time::Duration;

use serde_json::{Value, json};
use services_core::Ctx;

use crate::{
    AccountError,
    billing::{self, Call},
    limit,
    session::SignedIn,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Where a plan is paid for.
///
/// # Errors
/// 400 for members who are neither owner nor admin, and if the billing service refuses.
#[boxed]
pub async fn payment_link(
    ctx: &Ctx,
    user: &SignedIn,
    plan: &str,
    interval: &str,
) -> Result<Value, AccountError> {
    check_privileged(user)?;
    let query = vec![
        ("plan", plan.to_owned()),
        ("interval", interval.to_owned()),
        ("prefilled_email", user.account.email.clone()),
        ("tenant_id", user.tenant.to_string()),
    ];
    Ok(billing::call(ctx, Call::get("/subscription/payment-link", query)).await?)
}

/// Where invoices are.
///
/// # Errors
/// As [`payment_link`].
#[boxed]
pub async fn invoices(ctx: &Ctx, user: &SignedIn) -> Result<Value, AccountError> {
    check_privileged(user)?;
    let query = vec![
        ("prefilled_email", user.account.email.clone()),
        ("tenant_id", user.tenant.to_string()),
    ];
    Ok(billing::call(ctx, Call::get("/invoices", query)).await?)
}

/// Notes who sent a user here. `partner_key` is Base64.
///
/// # Errors
/// `None` if partner or click are no such things.
#[boxed]
pub async fn bind_partner(
    ctx: &Ctx,
    user: &SignedIn,
    partner_key: &str,
    click_id: &str,
) -> Result<Value, AccountError> {
    let path = format!("/partners/{partner_key}/tenants");
    let body = json!({"account_id": user.account.id, "click_id": click_id});
    Ok(billing::call(ctx, Call::send(net::Method::PUT, &path, body)).await?)
}

fn check_privileged(user: &SignedIn) -> Result<(), AccountError> {
    if user.role.is_privileged() {
        return Ok(());
    }
    Err(AccountError::Invalid("Only team owner or team admin can perform this action".to_owned()))
}

/// A token to prove a place at a school with.
///
/// # Errors
/// [`AccountError::EducationVerifyLimit`].
#[boxed]
pub async fn verify_education(ctx: &Ctx, user: &SignedIn) -> Result<Value, AccountError> {
    let key = format!("edu_verification_rate_limit:{}", user.account.email);
    if !limit::window(ctx, &key, 10, MINUTE).await? {
        return Err(AccountError::EducationVerifyLimit);
    }
    let query = vec![("account_id", user.account.id.to_string())];
    Ok(billing::call(ctx, Call::get("/education/verify", query)).await?)
}

/// Whether the user has proved a place at a school.
///
/// # Errors
/// The billing service's.
#[boxed]
pub async fn education_status(ctx: &Ctx, user: &SignedIn) -> Result<Value, AccountError> {
    let query = vec![("account_id", user.account.id.to_string())];
    Ok(billing::call(ctx, Call::get("/education/status", query)).await?)
}

/// Uses such a proof.
///
/// # Errors
/// [`AccountError::EducationActivateLimit`].
#[boxed]
pub async fn activate_education(
    ctx: &Ctx,
    user: &SignedIn,
    token: &str,
    institution: &str,
    role: &str,
) -> Result<Value, AccountError> {
    let key = format!("edu_activation_rate_limit:{}", user.account.email);
    if !limit::window(ctx, &key, 10, MINUTE).await? {
        return Err(AccountError::EducationActivateLimit);
    }
    let body = json!({"institution": institution, "token": token, "role": role});
    let mut call = Call::send(net::Method::POST, "/education/", body);
    call.query = vec![
        ("account_id", user.account.id.to_string()),
        ("curr_tenant_id", user.tenant.to_string()),
    ];
    Ok(billing::call(ctx, call).await?)
}

/// Schools whose names hold `keywords`.
///
/// # Errors
/// The billing service's.
#[boxed]
pub async fn complete_school(
    ctx: &Ctx,
    keywords: &str,
    page: i64,
    limit: i64,
) -> Result<Value, AccountError> {
    let query = vec![
        ("keywords", keywords.to_owned()),
        ("page", page.to_string()),
        ("limit", limit.to_string()),
    ];
    Ok(billing::call(ctx, Call::get("/education/autocomplete", query)).await?)
}

/// Where a compliance report is.
///
/// # Errors
/// [`AccountError::ComplianceLimit`].
#[boxed]
pub async fn compliance_report(
    ctx: &Ctx,
    user: &SignedIn,
    name: &str,
    ip: &str,
    device: &str,
) -> Result<Value, AccountError> {
    let key = format!("compliance_download_rate_limiter:{}:{}", user.account.id, user.tenant);
    if !limit::window(ctx, &key, 4, MINUTE).await? {
        return Err(AccountError::ComplianceLimit);
    }
    let body = json!({
        "doc_name": name,
        "account_id": user.account.id,
        "tenant_id": user.tenant,
        "ip_address": ip,
        "device_info": device,
    });
    Ok(billing::call(ctx, Call::send(net::Method::POST, "/compliance/download", body)).await?)
}
