//! `account_plugin_permissions`: who in a workspace may install and debug plugins.

use boxed::boxed;
use sqlx::PgConnection;
use types::TenantId;

use crate::Result;

/// Who may do what with plugins: `everyone`, `admins` or `noone`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginPermission {
    /// Who may install, change and remove them.
    pub install_permission: String,
    /// Who may connect a debugger.
    pub debug_permission: String,
}

/// The workspace's permissions, if somebody set them.
#[tracing::instrument(name = "db.plugin_permission.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, tenant: TenantId) -> Result<Option<PluginPermission>> {
    Ok(sqlx::query_as!(
        PluginPermission,
        "SELECT install_permission, debug_permission FROM account_plugin_permissions WHERE tenant_id = $1",
        tenant as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores the workspace's permissions, in place of those there are.
#[tracing::instrument(name = "db.plugin_permission.save", skip_all, err)]
#[boxed]
pub async fn save(
    db: &mut PgConnection,
    tenant: TenantId,
    permission: &PluginPermission,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO account_plugin_permissions (tenant_id, install_permission, debug_permission)
        VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id) DO UPDATE SET install_permission = $2, debug_permission = $3
        "#,
        tenant as _,
        permission.install_permission,
        permission.debug_permission,
    )
    .execute(db)
    .await?;
    Ok(())
}
