//! The billing service of the hosted edition.

use std::time::Duration;

use serde_json::Value;
use services_core::{Ctx, Fault};

use crate::AccountError;

/// No answer of the billing service is larger.
const MAX_ANSWER: usize = 1 << 20;

/// What is asked of the billing service.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    /// The method.
    pub method: net::Method,
    /// The path behind `BILLING_API_URL`.
    pub path: &'a str,
    /// The query.
    pub query: Vec<(&'a str, String)>,
    /// The body.
    pub json: Option<Value>,
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: &'a str, query: Vec<(&'a str, String)>) -> Self {
        Self { method: net::Method::GET, path, query, json: None }
    }

    pub(crate) fn send(method: net::Method, path: &'a str, json: Value) -> Self {
        Self { method, path, query: Vec::new(), json: Some(json) }
    }
}

/// The billing service's answer.
///
/// # Errors
/// 400 in the reference's words if it refuses; a fault if it is not there.
pub(crate) async fn call(ctx: &Ctx, call: Call<'_>) -> Result<Value, AccountError> {
    let settings = &ctx.config.direct;
    let url = format!("{}{}", settings.billing_api_url, call.path);
    let mut request = ctx
        .http
        .upstream()
        .request(call.method.clone(), &url)
        .header("Billing-Api-Secret-Key", &settings.billing_api_secret_key)
        .query(&call.query)
        .timeout(Duration::from_secs(10))
        .retries(2);
    if let Some(json) = &call.json {
        request = request.json(json);
    }
    let answer = request
        .send()
        .await
        .map_err(|err| Fault::caused("the billing service does not answer", err))?;
    if answer.status() != net::StatusCode::OK {
        return Err(refusal(&call, answer.status()));
    }
    let json = answer
        .json(MAX_ANSWER)
        .await
        .map_err(|err| Fault::caused("the billing service's answer is unreadable", err))?;
    Ok(json)
}

fn refusal(call: &Call<'_>, status: net::StatusCode) -> AccountError {
    let path = call.path;
    AccountError::Invalid(match call.method {
        net::Method::GET => {
            "Unable to retrieve billing information. Please try again later or contact support."
                .to_owned()
        }
        net::Method::PUT if status.is_server_error() => {
            return Fault::Other(format!("the billing service answered {status} to {path}")).into();
        }
        net::Method::PUT => "Invalid arguments.".to_owned(),
        // The reference shows the service's address here.
        _ => {
            format!("Unable to process request {path}. Please try again later or contact support.")
        }
    })
}

/// Refuses the address of an account that was deleted lately. Without billing there are none.
///
/// # Errors
/// [`AccountError::Frozen`].
pub(crate) async fn check_not_frozen(ctx: &Ctx, email: &str) -> Result<(), AccountError> {
    if !ctx.config.feature.billing_enabled {
        return Ok(());
    }
    let asked = Call::get("/account/in-freeze", vec![("email", email.to_owned())]);
    match call(ctx, asked).await {
        Ok(answer) if is_true(answer.get("data")) => Err(AccountError::Frozen),
        Ok(_) => Ok(()),
        Err(err) => {
            tracing::warn!(error = %err, "nobody knows whether an address is frozen");
            Ok(())
        }
    }
}

/// Forgets what is cached of a workspace's plan.
pub(crate) async fn forget_plan(ctx: &Ctx, tenant: types::TenantId) {
    if !ctx.config.feature.billing_enabled {
        return;
    }
    if let Err(err) = ctx.redis.del(&[&format!("tenant:{tenant}:billing_info")]).await {
        tracing::warn!(error = %err, "a cached plan was not forgotten");
    }
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}
