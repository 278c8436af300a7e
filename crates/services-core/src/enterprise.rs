//! The one way to the enterprise service, and what its licence allows.

use boxed::boxed;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{Ctx, Fault};

/// No answer of the enterprise service is larger.
const MAX_ANSWER: usize = 1 << 20;
/// The reference's key, shared with its processes.
const LICENSE_KEY: &str = "enterprise:license:status";
/// How long a licence that holds is not asked for again, and one that does not.
const LICENSE_TTL: [Duration; 2] = [Duration::from_secs(600), Duration::from_secs(30)];

/// Whether the enterprise edition is switched on.
#[must_use]
pub fn is_on(ctx: &Ctx) -> bool {
    ctx.config.enterprise.enterprise_enabled
}

/// What is asked of the enterprise service.
#[must_use = "nothing is asked before it is sent"]
pub struct Question {
    call: net::Call,
    timeout: Duration,
}

/// A question about `path`, behind `ENTERPRISE_API_URL`.
pub fn get(ctx: &Ctx, path: &str) -> Question {
    Question::new(ctx, net::Method::GET, path)
}

/// An order or a longer question.
pub fn post(ctx: &Ctx, path: &str, body: &impl Serialize) -> Question {
    let mut question = Question::new(ctx, net::Method::POST, path);
    question.call = question.call.json(body);
    question
}

impl Question {
    fn new(ctx: &Ctx, method: net::Method, path: &str) -> Self {
        let settings = &ctx.config.direct;
        let url = format!("{}{path}", settings.enterprise_api_url.trim_end_matches('/'));
        let call = ctx
            .http
            .upstream()
            .request(method, url)
            .header("Enterprise-Api-Secret-Key", &settings.enterprise_api_secret_key);
        let seconds = u64::try_from(ctx.config.enterprise.enterprise_request_timeout).unwrap_or(5);
        Self { call, timeout: Duration::from_secs(seconds) }
    }

    /// With a query.
    pub fn query(mut self, query: &[(&str, String)]) -> Self {
        self.call = self.call.query(query);
        self
    }

    /// Waits this long and no longer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The answer.
    ///
    /// # Errors
    /// If the service does not answer, or refuses.
    #[boxed]
    pub async fn send(self) -> Result<Value, Fault> {
        let response = self
            .call
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|err| Fault::caused("the enterprise service did not answer", err))?;
        if !response.is_success() {
            let status = response.status().as_u16();
            return Err(Fault::Other(format!("the enterprise service refused with {status}")));
        }
        response
            .json(MAX_ANSWER)
            .await
            .map_err(|err| Fault::caused("the enterprise service's answer is unreadable", err))
    }
}

/// Licence, branding, sign-in rules.
///
/// # Errors
/// If the service does not answer.
#[boxed]
pub async fn info(ctx: &Ctx) -> Result<Value, Fault> {
    get(ctx, "/info").send().await
}

/// Why the APIs of an installation with a licence are shut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlicensed {
    /// `inactive`, `expired` or `lost`.
    #[error("Enterprise license is {0}. Please contact your administrator.")]
    Ended(String),
    /// The service does not say.
    #[error("Unable to verify enterprise license. Please contact your administrator.")]
    Unknown,
}

/// Whether the licence of this installation holds; without the enterprise edition there is nothing to hold.
///
/// # Errors
/// See [`Unlicensed`].
#[boxed]
pub async fn check_license(ctx: &Ctx) -> Result<(), Unlicensed> {
    if !is_on(ctx) {
        return Ok(());
    }
    match license_status(ctx).await {
        Some(status) if matches!(status.as_str(), "inactive" | "expired" | "lost") => {
            Err(Unlicensed::Ended(status))
        }
        Some(_) => Ok(()),
        None => Err(Unlicensed::Unknown),
    }
}

/// The statuses there are; the service naming another one is as good as silence.
const STATUSES: [&str; 6] = ["none", "inactive", "active", "expiring", "expired", "lost"];

async fn license_status(ctx: &Ctx) -> Option<String> {
    let known = |status: String| STATUSES.contains(&status.as_str()).then_some(status);
    if let Ok(Some(cached)) = ctx.redis.get(LICENSE_KEY).await
        && let Some(status) = String::from_utf8(cached).ok().and_then(known)
    {
        return Some(status);
    }
    let info = match info(ctx).await {
        Ok(info) => info,
        Err(err) => {
            tracing::warn!(error = %err, "the licence is not known");
            return None;
        }
    };
    let license = info.get("License").filter(|license| match license {
        Value::Null => false,
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })?;
    let told = license.get("status").map_or(Some("inactive"), Value::as_str)?;
    let status = known(told.to_owned())?;
    let [holds, ended] = LICENSE_TTL;
    let ttl = if matches!(status.as_str(), "active" | "expiring") { holds } else { ended };
    if let Err(err) = ctx.redis.set_ex(LICENSE_KEY, &status, ttl).await {
        tracing::debug!(error = %err, "the licence is asked for again next time");
    }
    Some(status)
}
