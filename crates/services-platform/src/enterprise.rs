//! What this area asks the enterprise service.

use boxed::boxed;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use services_core::enterprise::{info, is_on};
use services_core::{
    Ctx, Fault,
    enterprise::{get, post},
};
use types::{AccountId, AppId, TenantId};

/// Seats of a workspace.
///
/// # Errors
/// When the service does not answer.
#[boxed]
pub async fn workspace_info(ctx: &Ctx, tenant: TenantId) -> Result<Value, Fault> {
    get(ctx, &format!("/workspace/{tenant}/info")).send().await
}

/// Who may open an app's page: `public`, `private`, `private_all` or `sso_verified`.
///
/// # Errors
/// When the service does not answer.
#[boxed]
pub async fn access_mode(ctx: &Ctx, app: AppId) -> Result<String, Fault> {
    let call = get(ctx, "/webapp/access-mode/id");
    let answer = call.query(&[("appId", app.to_string())]).send().await?;
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
#[boxed]
pub async fn open_apps(ctx: &Ctx, account: AccountId, apps: &[AppId]) -> Result<Vec<AppId>, Fault> {
    if apps.is_empty() {
        return Ok(Vec::new());
    }
    let batch = Batch { user_id: None, app_ids: apps };
    let answer = post(ctx, "/webapp/access-mode/batch/id", &batch).send().await?;
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
    let batch = Batch { user_id: Some(account), app_ids: &set };
    let answer = post(ctx, "/webapp/permission/batch", &batch).send().await?;
    let allowed: Permissions = serde_json::from_value(answer).unwrap_or_default();
    Ok(set
        .into_iter()
        .filter(|app| allowed.permissions.get(&app.to_string()) == Some(&true))
        .collect())
}
