//! What this installation, and a workspace of it, can do.

use boxed::boxed;
use serde_json::Value;
use services_core::{Ctx, Failure, Fault};
use types::TenantId;

use crate::{billing, enterprise};

mod entity;

pub use entity::*;

/// What `tenant` can do.
///
/// # Errors
/// When billing or the enterprise edition is switched on and its service does not answer.
#[boxed]
pub async fn features(ctx: &Ctx, tenant: TenantId) -> Result<Features, Fault> {
    let settings = &ctx.config.feature;
    let mut features = Features {
        billing: Billing {
            enabled: false,
            subscription: Subscription { plan: "sandbox".to_owned(), interval: String::new() },
        },
        education: Education { enabled: settings.education_enabled, activated: false },
        members: Limitation { size: 0, limit: 1 },
        apps: Limitation { size: 0, limit: 10 },
        vector_space: Limitation { size: 0, limit: 5 },
        knowledge_rate_limit: 10,
        annotation_quota_limit: Limitation { size: 0, limit: 10 },
        documents_upload_quota: Limitation { size: 0, limit: 50 },
        docs_processing: "standard".to_owned(),
        can_replace_logo: ctx.config.enterprise.can_replace_logo,
        model_load_balancing_enabled: settings.model_lb_enabled,
        dataset_operator_enabled: settings.dataset_operator_enabled,
        webapp_copyright_enabled: false,
        workspace_members: LicenseLimitation::default(),
        is_allow_transfer_workspace: true,
        trigger_event: Quota { usage: 0, limit: 3000, reset_date: 0 },
        api_rate_limit: Quota { usage: 0, limit: 5000, reset_date: 0 },
        human_input_email_delivery_enabled: true,
        knowledge_pipeline: KnowledgePipeline { publish_enabled: false },
        next_credit_reset_date: 0,
    };
    if settings.billing_enabled {
        let unavailable = |err| Fault::caused("the billing service is needed and absent", err);
        let info = billing::info(ctx, tenant).await.map_err(unavailable)?;
        let usage = billing::usage(ctx, tenant).await.map_err(unavailable)?;
        subscribe(&mut features, &info, &usage);
    }
    if enterprise::is_on(ctx) {
        features.webapp_copyright_enabled = true;
        features.knowledge_pipeline.publish_enabled = true;
        let info = enterprise::workspace_info(ctx, tenant).await?;
        if let Some(members) = info.get("WorkspaceMembers") {
            features.workspace_members = license_limitation(members);
        }
    } else if settings.billing_enabled {
        features.human_input_email_delivery_enabled = features.billing.enabled
            && matches!(features.billing.subscription.plan.as_str(), "professional" | "team");
    }
    Ok(features)
}

/// What a subscription limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Apps, made or installed.
    Apps,
    /// Documents of knowledge bases.
    Documents,
    /// A look of the workspace's own.
    Customization,
}

/// Why a subscription does not let something be done.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// No more apps.
    #[error("The number of apps has reached the limit of your subscription.")]
    Apps,
    /// No more documents.
    #[error("The number of documents has reached the limit of your subscription.")]
    Documents,
    /// No look of its own.
    #[error("The workspace custom feature has reached the limit of your subscription.")]
    Customization,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure for LimitError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 403,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "forbidden",
        }
    }
}

/// Whether the workspace's subscription has room for one more. Without billing there is always room.
///
/// # Errors
/// [`LimitError`].
#[boxed]
pub async fn check_room(ctx: &Ctx, tenant: TenantId, resource: Resource) -> Result<(), LimitError> {
    if !ctx.config.feature.billing_enabled {
        return Ok(());
    }
    let features = features(ctx, tenant).await?;
    if !features.billing.enabled {
        return Ok(());
    }
    let is_full =
        |limitation: Limitation| 0 < limitation.limit && limitation.limit <= limitation.size;
    match resource {
        Resource::Apps if is_full(features.apps) => Err(LimitError::Apps),
        Resource::Documents if is_full(features.documents_upload_quota) => {
            Err(LimitError::Documents)
        }
        Resource::Customization if !features.can_replace_logo => Err(LimitError::Customization),
        _ => Ok(()),
    }
}

/// Fills in what the billing service says.
fn subscribe(features: &mut Features, info: &Value, usage: &Value) {
    let subscription = info.get("subscription").unwrap_or(&Value::Null);
    features.billing.enabled = flag(info, "enabled").unwrap_or(false);
    set(&mut features.billing.subscription.plan, subscription, "plan");
    set(&mut features.billing.subscription.interval, subscription, "interval");
    features.education.activated = flag(subscription, "education").unwrap_or(false);
    if features.billing.subscription.plan == "sandbox" {
        features.is_allow_transfer_workspace = false;
    } else {
        features.webapp_copyright_enabled = true;
    }
    for (quota, name) in [
        (&mut features.trigger_event, "trigger_event"),
        (&mut features.api_rate_limit, "api_rate_limit"),
    ] {
        if let Some(told) = usage.get(name) {
            quota.usage = number(told, "usage").unwrap_or(quota.usage);
            quota.limit = number(told, "limit").unwrap_or(quota.limit);
            quota.reset_date = number(told, "reset_date").unwrap_or(-1);
        }
    }
    for (limitation, name) in [
        (&mut features.members, "members"),
        (&mut features.apps, "apps"),
        (&mut features.vector_space, "vector_space"),
        (&mut features.documents_upload_quota, "documents_upload_quota"),
        (&mut features.annotation_quota_limit, "annotation_quota_limit"),
    ] {
        if let Some(told) = info.get(name) {
            limitation.size = number(told, "size").unwrap_or(limitation.size);
            limitation.limit = number(told, "limit").unwrap_or(limitation.limit);
        }
    }
    set(&mut features.docs_processing, info, "docs_processing");
    for (switch, name) in [
        (&mut features.can_replace_logo, "can_replace_logo"),
        (&mut features.model_load_balancing_enabled, "model_load_balancing_enabled"),
        (&mut features.knowledge_pipeline.publish_enabled, "knowledge_pipeline_publish_enabled"),
    ] {
        *switch = flag(info, name).unwrap_or(*switch);
    }
    if let Some(limit) = info.get("knowledge_rate_limit").and_then(|told| number(told, "limit")) {
        features.knowledge_rate_limit = limit;
    }
    if let Some(date) = number(info, "next_credit_reset_date") {
        features.next_credit_reset_date = date;
    }
}

/// What the installation can do, as far as a caller that is signed in or not may know.
///
/// # Errors
/// When the enterprise edition is switched on and its service does not answer.
#[boxed]
pub async fn system_features(ctx: &Ctx, is_signed_in: bool) -> Result<SystemFeatures, Fault> {
    let settings = &ctx.config.feature;
    let mut features = SystemFeatures {
        sso_enforced_for_signin: false,
        sso_enforced_for_signin_protocol: String::new(),
        enable_marketplace: settings.marketplace_enabled,
        max_plugin_package_size: settings.plugin_max_package_size,
        enable_email_code_login: settings.enable_email_code_login,
        enable_email_password_login: settings.enable_email_password_login,
        enable_social_oauth_login: settings.enable_social_oauth_login,
        is_allow_register: settings.allow_register,
        is_allow_create_workspace: settings.allow_create_workspace,
        is_email_setup: settings.mail_type.as_deref().is_some_and(|kind| !kind.is_empty()),
        license: License {
            status: "none".to_owned(),
            expired_at: String::new(),
            workspaces: LicenseLimitation::default(),
        },
        branding: Branding::default(),
        webapp_auth: WebAppAuth::default(),
        plugin_installation_permission: PluginInstallationPermission {
            plugin_installation_scope: "all".to_owned(),
            restrict_to_marketplace_only: false,
        },
        enable_change_email: true,
        plugin_manager: Switch { enabled: false },
        trial_models: trial_models(ctx),
        enable_trial_app: settings.enable_trial_app,
        enable_explore_banner: settings.enable_explore_banner,
    };
    if enterprise::is_on(ctx) {
        features.branding.enabled = true;
        features.webapp_auth.enabled = true;
        features.enable_change_email = false;
        features.plugin_manager.enabled = true;
        license(&mut features, &enterprise::info(ctx).await?, is_signed_in);
    }
    Ok(features)
}

/// Fills in what the enterprise service says.
fn license(features: &mut SystemFeatures, info: &Value, is_signed_in: bool) {
    for (switch, name) in [
        (&mut features.sso_enforced_for_signin, "SSOEnforcedForSignin"),
        (&mut features.enable_email_code_login, "EnableEmailCodeLogin"),
        (&mut features.enable_email_password_login, "EnableEmailPasswordLogin"),
        (&mut features.is_allow_register, "IsAllowRegister"),
        (&mut features.is_allow_create_workspace, "IsAllowCreateWorkspace"),
    ] {
        *switch = flag(info, name).unwrap_or(*switch);
    }
    set(&mut features.sso_enforced_for_signin_protocol, info, "SSOEnforcedForSigninProtocol");
    if let Some(told) = info.get("Branding") {
        let brand = &mut features.branding;
        set(&mut brand.application_title, told, "applicationTitle");
        set(&mut brand.login_page_logo, told, "loginPageLogo");
        set(&mut brand.workspace_logo, told, "workspaceLogo");
        set(&mut brand.favicon, told, "favicon");
    }
    if let Some(told) = info.get("WebAppAuth") {
        let auth = &mut features.webapp_auth;
        auth.allow_sso = flag(told, "allowSso").unwrap_or(false);
        auth.allow_email_code_login = flag(told, "allowEmailCodeLogin").unwrap_or(false);
        auth.allow_email_password_login = flag(told, "allowEmailPasswordLogin").unwrap_or(false);
        set(&mut auth.sso_config.protocol, info, "SSOEnforcedForWebProtocol");
    }
    if let Some(told) = info.get("License") {
        // Strangers learn the status alone: the sign-in page needs it.
        "inactive".clone_into(&mut features.license.status);
        set(&mut features.license.status, told, "status");
        if is_signed_in {
            set(&mut features.license.expired_at, told, "expiredAt");
            if let Some(workspaces) = told.get("workspaces") {
                features.license.workspaces = license_limitation(workspaces);
            }
        }
    }
    if let Some(told) = info.get("PluginInstallationPermission") {
        let permission = &mut features.plugin_installation_permission;
        set(&mut permission.plugin_installation_scope, told, "pluginInstallationScope");
        permission.restrict_to_marketplace_only =
            flag(told, "restrictToMarketplaceOnly").unwrap_or(false);
    }
}

fn trial_models(ctx: &Ctx) -> Vec<&'static str> {
    let settings = &ctx.config.feature;
    [
        (
            "langgenius/openai/openai",
            settings.hosted_openai_paid_enabled,
            settings.hosted_openai_trial_enabled,
        ),
        (
            "langgenius/anthropic/anthropic",
            settings.hosted_anthropic_paid_enabled,
            settings.hosted_anthropic_trial_enabled,
        ),
        (
            "langgenius/gemini/google",
            settings.hosted_gemini_paid_enabled,
            settings.hosted_gemini_trial_enabled,
        ),
        ("langgenius/x/x", settings.hosted_xai_paid_enabled, settings.hosted_xai_trial_enabled),
        (
            "langgenius/deepseek/deepseek",
            settings.hosted_deepseek_paid_enabled,
            settings.hosted_deepseek_trial_enabled,
        ),
        (
            "langgenius/tongyi/tongyi",
            settings.hosted_tongyi_paid_enabled,
            settings.hosted_tongyi_trial_enabled,
        ),
    ]
    .into_iter()
    .filter_map(|(provider, paid, trial)| (paid && trial).then_some(provider))
    .collect()
}

fn license_limitation(told: &Value) -> LicenseLimitation {
    LicenseLimitation {
        enabled: flag(told, "enabled").unwrap_or(false),
        size: number(told, "used").unwrap_or(0),
        limit: number(told, "limit").unwrap_or(0),
    }
}

fn set(field: &mut String, told: &Value, name: &str) {
    if let Some(text) = told.get(name).and_then(Value::as_str) {
        text.clone_into(field);
    }
}

fn flag(told: &Value, name: &str) -> Option<bool> {
    told.get(name)?.as_bool()
}

fn number(told: &Value, name: &str) -> Option<i64> {
    told.get(name)?.as_i64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain() -> SystemFeatures {
        SystemFeatures {
            sso_enforced_for_signin: false,
            sso_enforced_for_signin_protocol: String::new(),
            enable_marketplace: true,
            max_plugin_package_size: 1,
            enable_email_code_login: false,
            enable_email_password_login: true,
            enable_social_oauth_login: false,
            is_allow_register: false,
            is_allow_create_workspace: false,
            is_email_setup: false,
            license: License {
                status: "none".to_owned(),
                expired_at: String::new(),
                workspaces: LicenseLimitation::default(),
            },
            branding: Branding::default(),
            webapp_auth: WebAppAuth::default(),
            plugin_installation_permission: PluginInstallationPermission {
                plugin_installation_scope: "all".to_owned(),
                restrict_to_marketplace_only: false,
            },
            enable_change_email: true,
            plugin_manager: Switch { enabled: false },
            trial_models: Vec::new(),
            enable_trial_app: false,
            enable_explore_banner: false,
        }
    }

    #[test]
    fn strangers_learn_the_licences_status_alone() {
        let info = json!({"License": {"status": "expiring", "expiredAt": "2030-01-01",
            "workspaces": {"enabled": true, "limit": 3, "used": 2}}});
        let (mut seen, mut known) = (plain(), plain());
        license(&mut seen, &info, false);
        license(&mut known, &info, true);
        assert_eq!(
            (seen.license.status.as_str(), seen.license.expired_at.as_str()),
            ("expiring", "")
        );
        assert_eq!(seen.license.workspaces.limit, 0);
        assert_eq!(
            (known.license.expired_at.as_str(), known.license.workspaces.size),
            ("2030-01-01", 2)
        );
    }
}
