//! The billing service of the cloud edition, as far as this area asks it.

use std::time::Duration;

use serde_json::{Value, json};
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, TenantId};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 1 << 20;

/// Why the billing service has no answer.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// It did not answer, or refused a question.
    #[error("Unable to retrieve billing information. Please try again later or contact support.")]
    Unavailable,
    /// It refused an order.
    #[error("Unable to send request to {0}. Please try again later or contact support.")]
    Refused(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure for BillingError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "invalid_param",
        }
    }
}

/// What a workspace subscribed to: plan, sizes, limits.
///
/// # Errors
/// [`BillingError::Unavailable`].
pub async fn info(ctx: &Ctx, tenant: TenantId) -> Result<Value, BillingError> {
    get(ctx, "/subscription/info", &[("tenant_id", tenant.to_string())]).await
}

/// What a workspace used of metered features.
///
/// # Errors
/// [`BillingError::Unavailable`].
pub async fn usage(ctx: &Ctx, tenant: TenantId) -> Result<Value, BillingError> {
    get(ctx, "/tenant-feature-usage/info", &[("tenant_id", tenant.to_string())]).await
}

/// What an account should be told.
///
/// # Errors
/// [`BillingError::Unavailable`].
pub async fn notification(ctx: &Ctx, account: AccountId) -> Result<Value, BillingError> {
    get(ctx, "/notifications/active", &[("account_id", account.to_string())]).await
}

/// Notes that an account was told.
///
/// # Errors
/// [`BillingError::Refused`].
pub async fn dismiss(
    ctx: &Ctx,
    account: AccountId,
    notification: &str,
) -> Result<(), BillingError> {
    let url = format!("{}/notifications/{notification}/dismiss", base(ctx));
    let answer = ctx
        .http
        .upstream()
        .post(&url)
        .header("Billing-Api-Secret-Key", &ctx.config.direct.billing_api_secret_key)
        .json(&json!({"account_id": account.to_string()}))
        .timeout(TIMEOUT)
        .send()
        .await;
    match answer {
        Ok(response) if response.status() == net::StatusCode::OK => Ok(()),
        _ => Err(BillingError::Refused(url)),
    }
}

async fn get(ctx: &Ctx, path: &str, query: &[(&str, String)]) -> Result<Value, BillingError> {
    let answer = ctx
        .http
        .upstream()
        .get(format!("{}{path}", base(ctx)))
        .header("Billing-Api-Secret-Key", &ctx.config.direct.billing_api_secret_key)
        .query(query)
        .timeout(TIMEOUT)
        .send()
        .await;
    let response = match answer {
        Ok(response) if response.status() == net::StatusCode::OK => response,
        Ok(response) => {
            tracing::warn!(http.status = response.status().as_u16(), "the billing service refused");
            return Err(BillingError::Unavailable);
        }
        Err(err) => {
            tracing::warn!(error = %err, "the billing service did not answer");
            return Err(BillingError::Unavailable);
        }
    };
    response.json(MAX_ANSWER).await.map_err(|_| BillingError::Unavailable)
}

fn base(ctx: &Ctx) -> &str {
    ctx.config.direct.billing_api_url.trim_end_matches('/')
}
