//! Features as clients read them.

use serde::Serialize;

/// What a workspace can do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Features {
    /// The subscription.
    pub billing: Billing,
    /// Discount for students.
    pub education: Education,
    /// Members.
    pub members: Limitation,
    /// Apps.
    pub apps: Limitation,
    /// Megabytes of vectors.
    pub vector_space: Limitation,
    /// Retrievals a minute.
    pub knowledge_rate_limit: i64,
    /// Annotations.
    pub annotation_quota_limit: Limitation,
    /// Documents.
    pub documents_upload_quota: Limitation,
    /// `standard`, `priority` or `top-priority`.
    pub docs_processing: String,
    /// Whether the workspace may show its own logo.
    pub can_replace_logo: bool,
    /// Whether a model may have several credentials at once.
    pub model_load_balancing_enabled: bool,
    /// Whether members may be dataset operators.
    pub dataset_operator_enabled: bool,
    /// Whether a web app may have its own copyright line.
    pub webapp_copyright_enabled: bool,
    /// Seats of the enterprise licence.
    pub workspace_members: LicenseLimitation,
    /// Whether ownership may be handed over.
    pub is_allow_transfer_workspace: bool,
    /// Trigger events.
    pub trigger_event: Quota,
    /// API calls.
    pub api_rate_limit: Quota,
    /// Whether forms for people may be delivered by mail.
    pub human_input_email_delivery_enabled: bool,
    /// Knowledge pipelines.
    pub knowledge_pipeline: KnowledgePipeline,
    /// Unix seconds.
    pub next_credit_reset_date: i64,
}

/// The subscription.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Billing {
    /// Whether there is one.
    pub enabled: bool,
    /// Which.
    pub subscription: Subscription,
}

/// Which subscription.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Subscription {
    /// `sandbox`, `professional` or `team`.
    pub plan: String,
    /// `month`, `year` or empty.
    pub interval: String,
}

/// Discount for students.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Education {
    /// Whether there is one.
    pub enabled: bool,
    /// Whether the workspace has it.
    pub activated: bool,
}

/// How much there is of how much.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Limitation {
    /// In use.
    pub size: i64,
    /// At the most; 0 = unlimited.
    pub limit: i64,
}

/// The same under a licence.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct LicenseLimitation {
    /// Whether the limit holds.
    pub enabled: bool,
    /// In use.
    pub size: i64,
    /// At the most; 0 = unlimited.
    pub limit: i64,
}

/// A quota that is filled up again.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Quota {
    /// In use.
    pub usage: i64,
    /// At the most.
    pub limit: i64,
    /// When it is filled up.
    pub reset_date: i64,
}

/// Knowledge pipelines.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct KnowledgePipeline {
    /// Whether they may be published as templates.
    pub publish_enabled: bool,
}

/// What the installation can do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SystemFeatures {
    /// Whether the console is opened by single sign-on only.
    pub sso_enforced_for_signin: bool,
    /// Which.
    pub sso_enforced_for_signin_protocol: String,
    /// Whether the marketplace is shown.
    pub enable_marketplace: bool,
    /// Bytes.
    pub max_plugin_package_size: i64,
    /// Sign-in with a code by mail.
    pub enable_email_code_login: bool,
    /// Sign-in with a password.
    pub enable_email_password_login: bool,
    /// Sign-in with GitHub or Google.
    pub enable_social_oauth_login: bool,
    /// Whether strangers may register.
    pub is_allow_register: bool,
    /// Whether accounts may make workspaces.
    pub is_allow_create_workspace: bool,
    /// Whether mail can be sent.
    pub is_email_setup: bool,
    /// The enterprise licence.
    pub license: License,
    /// The operator's brand.
    pub branding: Branding,
    /// Sign-in to web apps.
    pub webapp_auth: WebAppAuth,
    /// Who may install which plugins.
    pub plugin_installation_permission: PluginInstallationPermission,
    /// Whether accounts may change their address.
    pub enable_change_email: bool,
    /// The enterprise edition's plugin manager.
    pub plugin_manager: Switch,
    /// Providers whose models can be tried.
    pub trial_models: Vec<&'static str>,
    /// Whether apps of the catalogue can be tried.
    pub enable_trial_app: bool,
    /// Whether Explore shows banners.
    pub enable_explore_banner: bool,
}

/// The enterprise licence.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct License {
    /// `none`, `inactive`, `active`, `expiring`, `expired` or `lost`.
    pub status: String,
    /// For signed-in users.
    pub expired_at: String,
    /// For signed-in users.
    pub workspaces: LicenseLimitation,
}

/// The operator's brand.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Branding {
    /// Whether it replaces the product's.
    pub enabled: bool,
    /// Title of the pages.
    pub application_title: String,
    /// URL.
    pub login_page_logo: String,
    /// URL.
    pub workspace_logo: String,
    /// URL.
    pub favicon: String,
}

/// Sign-in to web apps.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct WebAppAuth {
    /// Whether there is any.
    pub enabled: bool,
    /// Single sign-on.
    pub allow_sso: bool,
    /// Which.
    pub sso_config: SsoConfig,
    /// Code by mail.
    pub allow_email_code_login: bool,
    /// Password.
    pub allow_email_password_login: bool,
}

/// Which single sign-on.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct SsoConfig {
    /// Its protocol.
    pub protocol: String,
}

/// Who may install which plugins.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PluginInstallationPermission {
    /// `none`, `official_only`, `official_and_specific_partners` or `all`.
    pub plugin_installation_scope: String,
    /// Whether only the marketplace's may be.
    pub restrict_to_marketplace_only: bool,
}

/// On or off.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Switch {
    /// Whether it is on.
    pub enabled: bool,
}
