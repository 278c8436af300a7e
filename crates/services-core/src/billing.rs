//! The one way to the billing service of the hosted edition.

use boxed::boxed;
use std::time::Duration;

use serde_json::Value;

use crate::{Ctx, Failure, Fault};

/// No answer of the billing service is larger.
const MAX_ANSWER: usize = 1 << 20;

/// What is asked of the billing service.
#[derive(Debug, Clone)]
pub struct Call<'a> {
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
    /// A question.
    #[must_use]
    pub fn get(path: &'a str, query: Vec<(&'a str, String)>) -> Self {
        Self { method: net::Method::GET, path, query, json: None }
    }

    /// An order.
    #[must_use]
    pub fn send(method: net::Method, path: &'a str, json: Value) -> Self {
        Self { method, path, query: Vec::new(), json: Some(json) }
    }
}

/// Why the billing service has no answer.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// It refused a question.
    #[error("Unable to retrieve billing information. Please try again later or contact support.")]
    NoInformation,
    /// It refused a change.
    #[error("Invalid arguments.")]
    InvalidArguments,
    /// It refused a deletion.
    #[error("Unable to process delete request {0}. Please try again later or contact support.")]
    NotDeleted(String),
    /// It refused an order. (The reference shows the service's address here.)
    #[error("Unable to send request to {0}. Please try again later or contact support.")]
    NotSent(String),
    /// It is not there, or broken.
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

/// The billing service's answer.
///
/// # Errors
/// In the reference's words if it refuses; a fault if it is not there.
#[boxed]
pub async fn call(ctx: &Ctx, call: Call<'_>) -> Result<Value, BillingError> {
    let settings = &ctx.config.direct;
    let url = format!("{}{}", settings.billing_api_url.trim_end_matches('/'), call.path);
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
        tracing::warn!(
            http.status = answer.status().as_u16(),
            path = call.path,
            "the billing service refused"
        );
        return Err(refusal(&call, answer.status()));
    }
    let json = answer
        .json(MAX_ANSWER)
        .await
        .map_err(|err| Fault::caused("the billing service's answer is unreadable", err))?;
    Ok(json)
}

fn refusal(call: &Call<'_>, status: net::StatusCode) -> BillingError {
    let path = call.path.to_owned();
    match call.method {
        net::Method::GET => BillingError::NoInformation,
        net::Method::PUT if status.is_server_error() => {
            Fault::Other(format!("the billing service answered {status} to {path}")).into()
        }
        net::Method::PUT => BillingError::InvalidArguments,
        net::Method::DELETE => BillingError::NotDeleted(path),
        _ => BillingError::NotSent(path),
    }
}
