//! Who may install and debug plugins, and how they are kept current.

use axum::extract::State;
use db::{plugin_permission::PluginPermission, plugin_upgrade_strategy::UpgradeStrategy};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Valid,
    guard::{Admin, Console},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_tool::plugin_setting;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::PluginSuccess;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_plugin_permission))
        .routes(routes!(change_plugin_permission))
        .routes(routes!(find_plugin_preferences))
        .routes(routes!(change_plugin_preferences))
        .routes(routes!(exclude_plugin))
}

/// Who may.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Who {
    #[default]
    Everyone,
    Admins,
    Noone,
}

impl Who {
    fn text(self) -> String {
        match self {
            Self::Everyone => "everyone",
            Self::Admins => "admins",
            Self::Noone => "noone",
        }
        .to_owned()
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PermissionPayload {
    /// `everyone`, `admins` or `noone`.
    #[garde(custom(check_who))]
    install_permission: String,
    /// `everyone`, `admins` or `noone`.
    #[garde(custom(check_who))]
    debug_permission: String,
}

/// Checked apart from reading, so that every field that is wrong is named.
fn check_who(who: &str, (): &()) -> garde::Result {
    match who {
        "everyone" | "admins" | "noone" => Ok(()),
        _ => Err(garde::Error::new("Input should be 'everyone', 'admins' or 'noone'")),
    }
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
struct PermissionSettings {
    #[serde(default)]
    install_permission: Who,
    #[serde(default)]
    debug_permission: Who,
}

/// Which new versions are taken.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum StrategySetting {
    Disabled,
    #[default]
    FixOnly,
    Latest,
}

/// Of which plugins.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum UpgradeMode {
    All,
    Partial,
    #[default]
    Exclude,
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
struct UpgradeSettings {
    #[serde(default)]
    strategy_setting: StrategySetting,
    /// Seconds after midnight, UTC.
    #[serde(default)]
    upgrade_time_of_day: i32,
    #[serde(default)]
    upgrade_mode: UpgradeMode,
    #[serde(default)]
    exclude_plugins: Vec<String>,
    #[serde(default)]
    include_plugins: Vec<String>,
}

impl From<UpgradeSettings> for UpgradeStrategy {
    fn from(settings: UpgradeSettings) -> Self {
        let list = |ids: Vec<String>| ids.into_iter().map(Value::String).collect();
        let strategy = match settings.strategy_setting {
            StrategySetting::Disabled => "disabled",
            StrategySetting::FixOnly => "fix_only",
            StrategySetting::Latest => "latest",
        };
        let mode = match settings.upgrade_mode {
            UpgradeMode::All => "all",
            UpgradeMode::Partial => "partial",
            UpgradeMode::Exclude => "exclude",
        };
        Self {
            strategy_setting: strategy.to_owned(),
            upgrade_time_of_day: settings.upgrade_time_of_day,
            upgrade_mode: mode.to_owned(),
            exclude_plugins: list(settings.exclude_plugins),
            include_plugins: list(settings.include_plugins),
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PreferencesPayload {
    permission: PermissionSettings,
    auto_upgrade: UpgradeSettings,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginPermissions {
    install_permission: String,
    debug_permission: String,
}

impl From<PluginPermission> for PluginPermissions {
    fn from(permission: PluginPermission) -> Self {
        let PluginPermission { install_permission, debug_permission } = permission;
        Self { install_permission, debug_permission }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AutoUpgrade {
    strategy_setting: String,
    upgrade_time_of_day: i32,
    upgrade_mode: String,
    #[schema(value_type = Vec<String>)]
    exclude_plugins: Value,
    #[schema(value_type = Vec<String>)]
    include_plugins: Value,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginPreferences {
    permission: PluginPermissions,
    auto_upgrade: AutoUpgrade,
}

/// Who may install and debug plugins.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/permission/fetch",
    tag = "plugins",
    responses((status = 200, body = PluginPermissions), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_permission(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<PluginPermissions>, ApiError> {
    Ok(Json(plugin_setting::permission(&state.ctx, user.tenant).await?.into()))
}

/// Set who may install and debug plugins.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/permission/change",
    tag = "plugins",
    request_body = PermissionPayload,
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn change_plugin_permission(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<PermissionPayload>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let permission = PluginPermission {
        install_permission: body.install_permission,
        debug_permission: body.debug_permission,
    };
    plugin_setting::set_permission(&state.ctx, user.tenant, &permission).await?;
    Ok(PluginSuccess::of(true))
}

/// All settings about plugins.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/preferences/fetch",
    tag = "plugins",
    responses((status = 200, body = PluginPreferences), (status = "4XX", body = ErrorBody)),
)]
async fn find_plugin_preferences(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<PluginPreferences>, ApiError> {
    let permission = plugin_setting::permission(&state.ctx, user.tenant).await?;
    let strategy = plugin_setting::strategy(&state.ctx, user.tenant).await?;
    Ok(Json(PluginPreferences {
        permission: permission.into(),
        auto_upgrade: AutoUpgrade {
            strategy_setting: strategy.strategy_setting,
            upgrade_time_of_day: strategy.upgrade_time_of_day,
            upgrade_mode: strategy.upgrade_mode,
            exclude_plugins: strategy.exclude_plugins,
            include_plugins: strategy.include_plugins,
        },
    }))
}

/// Change all settings about plugins.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/preferences/change",
    tag = "plugins",
    request_body = PreferencesPayload,
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn change_plugin_preferences(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<PreferencesPayload>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let permission = PluginPermission {
        install_permission: body.permission.install_permission.text(),
        debug_permission: body.permission.debug_permission.text(),
    };
    let strategy = body.auto_upgrade.into();
    plugin_setting::set_preferences(&state.ctx, user.tenant, &permission, &strategy).await?;
    Ok(PluginSuccess::of(true))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ExcludePluginPayload {
    plugin_id: String,
}

/// Leave a plugin as it is from now on.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/preferences/autoupgrade/exclude",
    tag = "plugins",
    request_body = ExcludePluginPayload,
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn exclude_plugin(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(body): Valid<ExcludePluginPayload>,
) -> Result<Json<PluginSuccess>, ApiError> {
    plugin_setting::exclude(&state.ctx, user.tenant, &body.plugin_id).await?;
    Ok(PluginSuccess::of(true))
}
