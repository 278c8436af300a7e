//! Who in a workspace may install and debug plugins, and how they are kept current.

use boxed::boxed;
use db::{plugin_permission::PluginPermission, plugin_upgrade_strategy::UpgradeStrategy};
use serde_json::Value;
use services_core::Ctx;
use types::TenantId;

use crate::ToolError;

/// What a user wants to do with plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Install, change, remove.
    Install,
    /// Connect a debugger.
    Debug,
}

/// Whether a user may. Where nobody set anything, everybody may.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn may(
    ctx: &Ctx,
    tenant: TenantId,
    is_privileged: bool,
    wish: Wish,
) -> Result<bool, ToolError> {
    let set = {
        let mut conn = ctx.db.acquire().await?;
        db::plugin_permission::find(&mut conn, tenant).await?
    };
    let Some(set) = set else { return Ok(true) };
    let who = match wish {
        Wish::Install => set.install_permission,
        Wish::Debug => set.debug_permission,
    };
    Ok(match who.as_str() {
        "noone" => false,
        "admins" => is_privileged,
        _ => true,
    })
}

/// Who may, as stored, or what counts where nothing is.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn permission(ctx: &Ctx, tenant: TenantId) -> Result<PluginPermission, ToolError> {
    let mut conn = ctx.db.acquire().await?;
    let everyone = || PluginPermission {
        install_permission: "everyone".to_owned(),
        debug_permission: "everyone".to_owned(),
    };
    Ok(db::plugin_permission::find(&mut conn, tenant).await?.unwrap_or_else(everyone))
}

/// Sets who may.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn set_permission(
    ctx: &Ctx,
    tenant: TenantId,
    permission: &PluginPermission,
) -> Result<(), ToolError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::plugin_permission::save(&mut conn, tenant, permission).await?)
}

/// How plugins are kept current, as stored, or what counts where nothing is.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn strategy(ctx: &Ctx, tenant: TenantId) -> Result<UpgradeStrategy, ToolError> {
    let mut conn = ctx.db.acquire().await?;
    let none = || UpgradeStrategy {
        strategy_setting: "disabled".to_owned(),
        ..UpgradeStrategy::initial()
    };
    Ok(db::plugin_upgrade_strategy::find(&mut conn, tenant).await?.unwrap_or_else(none))
}

/// Sets who may, and how plugins are kept current.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn set_preferences(
    ctx: &Ctx,
    tenant: TenantId,
    permission: &PluginPermission,
    strategy: &UpgradeStrategy,
) -> Result<(), ToolError> {
    let mut tx = ctx.db.begin().await?;
    db::plugin_permission::save(&mut tx, tenant, permission).await?;
    db::plugin_upgrade_strategy::save(&mut tx, tenant, strategy).await?;
    tx.commit().await?;
    Ok(())
}

/// Leaves a plugin as it is from now on.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn exclude(ctx: &Ctx, tenant: TenantId, plugin_id: &str) -> Result<(), ToolError> {
    let mut tx = ctx.db.begin().await?;
    let known = db::plugin_upgrade_strategy::find(&mut tx, tenant).await?;
    let changed = excluding(known.unwrap_or_else(UpgradeStrategy::initial), plugin_id);
    db::plugin_upgrade_strategy::save(&mut tx, tenant, &changed).await?;
    tx.commit().await?;
    Ok(())
}

fn excluding(mut strategy: UpgradeStrategy, plugin_id: &str) -> UpgradeStrategy {
    let id = Value::String(plugin_id.to_owned());
    match strategy.upgrade_mode.as_str() {
        "partial" => {
            if let Value::Array(included) = &mut strategy.include_plugins {
                included.retain(|it| *it != id);
            }
        }
        "exclude" => match &mut strategy.exclude_plugins {
            Value::Array(excluded) if excluded.contains(&id) => {}
            Value::Array(excluded) => excluded.push(id),
            other => *other = Value::Array(vec![id]),
        },
        _ => {
            "exclude".clone_into(&mut strategy.upgrade_mode);
            strategy.exclude_plugins = Value::Array(vec![id]);
        }
    }
    strategy
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plugin_is_excluded_in_every_mode() {
        for (mode, excluded, included, expected) in [
            ("exclude", json!(["a"]), json!([]), ("exclude", json!(["a", "p"]), json!([]))),
            ("exclude", json!(["p"]), json!([]), ("exclude", json!(["p"]), json!([]))),
            ("partial", json!([]), json!(["p", "q"]), ("partial", json!([]), json!(["q"]))),
            ("all", json!([]), json!([]), ("exclude", json!(["p"]), json!([]))),
        ] {
            let strategy = UpgradeStrategy {
                upgrade_mode: mode.to_owned(),
                exclude_plugins: excluded,
                include_plugins: included,
                ..UpgradeStrategy::initial()
            };
            let changed = excluding(strategy, "p");
            assert_eq!(
                (changed.upgrade_mode.as_str(), changed.exclude_plugins, changed.include_plugins),
                expected
            );
        }
    }
}
