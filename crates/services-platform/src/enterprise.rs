//! The enterprise service, as far as this area asks it.

use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_core::{Ctx, Fault};
use types::{AccountId, AppId, TenantId};

const MAX_ANSWER: usize = 1 << 20;

/// Whether the enterprise edition is switched on.
#[must_use]
pub fn is_on(ctx: &Ctx) -> bool {
    ctx.config.enterprise.enterprise_enabled
}

/// Licence, branding, sign-in rules.
///
/// # Errors
/// When the service does not answer.
pub async fn info(ctx: &Ctx) -> Result<Value, Fault> {
    ask(ctx, ctx.http.upstream().get(url(ctx, "/info"))).await
}

/// Seats of a workspace.
///
/// # Errors
/// When the service does not answer.
pub async fn workspace_info(ctx: &Ctx, tenant: TenantId) -> Result<Value, Fault> {
    ask(ctx, ctx.http.upstream().get(url(ctx, &format!("/workspace/{tenant}/info")))).await
}

/// Who may open an app's page: `public`, `private`, `private_all` or `sso_verified`.
///
/// # Errors
/// When the service does not answer.
pub async fn access_mode(ctx: &Ctx, app: AppId) -> Result<String, Fault> {
    let call = ctx.http.upstream().get(url(ctx, "/webapp/access-mode/id"));
    let answer = ask(ctx, call.query(&[("appId", app.to_string())])).await?;
    let mode = answer.get("accessMode").and_then(Value::as_str);
    mode.map(str::to_owned)
        .ok_or_else(|| Fault::Other("the enterprise service named no access mode".to_owned()))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Batch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<AccountId>,
    app_ids: &'a [AppId],
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct Modes {
    access_modes: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Permissions {
    permissions: HashMap<String, bool>,
}

/// Those of `apps` the account may open: apps without a setting, or for single sign-on only, are not among them.
///
/// # Errors
/// When the service does not answer.
pub async fn open_apps(ctx: &Ctx, account: AccountId, apps: &[AppId]) -> Result<Vec<AppId>, Fault> {
    if apps.is_empty() {
        return Ok(Vec::new());
    }
    let http = ctx.http.upstream();
    let call = http.post(url(ctx, "/webapp/access-mode/batch/id"));
    let answer = ask(ctx, call.json(&Batch { user_id: None, app_ids: apps })).await?;
    let modes: Modes = serde_json::from_value(answer).unwrap_or_default();
    let set: Vec<AppId> = apps
        .iter()
        .copied()
        .filter(|app| {
            modes.access_modes.get(&app.to_string()).is_some_and(|mode| mode != "sso_verified")
        })
        .collect();
    if set.is_empty() {
        return Ok(set);
    }
    let call = http.post(url(ctx, "/webapp/permission/batch"));
    let answer = ask(ctx, call.json(&Batch { user_id: Some(account), app_ids: &set })).await?;
    let allowed: Permissions = serde_json::from_value(answer).unwrap_or_default();
    Ok(set
        .into_iter()
        .filter(|app| allowed.permissions.get(&app.to_string()) == Some(&true))
        .collect())
}

fn url(ctx: &Ctx, path: &str) -> String {
    format!("{}{path}", ctx.config.direct.enterprise_api_url.trim_end_matches('/'))
}

async fn ask(ctx: &Ctx, call: net::Call) -> Result<Value, Fault> {
    let seconds = u64::try_from(ctx.config.enterprise.enterprise_request_timeout).unwrap_or(5);
    let response = call
        .header("Enterprise-Api-Secret-Key", &ctx.config.direct.enterprise_api_secret_key)
        .timeout(Duration::from_secs(seconds))
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
