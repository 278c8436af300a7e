//! `tenant_plugin_auto_upgrade_strategies`: how a workspace keeps its plugins current.

use boxed::boxed;
use serde_json::Value;
use sqlx::PgConnection;
use types::TenantId;

use crate::Result;

/// How a workspace keeps its plugins current.
#[derive(Debug, Clone)]
pub struct UpgradeStrategy {
    /// `disabled`, `fix_only` or `latest`.
    pub strategy_setting: String,
    /// Seconds after midnight, UTC.
    pub upgrade_time_of_day: i32,
    /// `all`, `partial` or `exclude`.
    pub upgrade_mode: String,
    /// JSON array of plugin ids that stay as they are.
    pub exclude_plugins: Value,
    /// JSON array of plugin ids of mode `partial`.
    pub include_plugins: Value,
}

impl UpgradeStrategy {
    /// What a new workspace begins with.
    #[must_use]
    pub fn initial() -> Self {
        Self {
            strategy_setting: "fix_only".to_owned(),
            upgrade_time_of_day: 0,
            upgrade_mode: "exclude".to_owned(),
            exclude_plugins: Value::Array(Vec::new()),
            include_plugins: Value::Array(Vec::new()),
        }
    }
}

/// The workspace's strategy.
#[tracing::instrument(name = "db.plugin_upgrade_strategy.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, tenant: TenantId) -> Result<Option<UpgradeStrategy>> {
    Ok(sqlx::query_as!(
        UpgradeStrategy,
        r#"
        SELECT strategy_setting, upgrade_time_of_day, upgrade_mode, exclude_plugins, include_plugins
        FROM tenant_plugin_auto_upgrade_strategies
        WHERE tenant_id = $1
        "#,
        tenant as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Stores the workspace's strategy, in place of one there is.
#[tracing::instrument(name = "db.plugin_upgrade_strategy.save", skip_all, err)]
#[boxed]
pub async fn save(
    db: &mut PgConnection,
    tenant: TenantId,
    strategy: &UpgradeStrategy,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO tenant_plugin_auto_upgrade_strategies
            (id, tenant_id, strategy_setting, upgrade_time_of_day, upgrade_mode, exclude_plugins, include_plugins)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (tenant_id) DO UPDATE
        SET strategy_setting = $3, upgrade_time_of_day = $4, upgrade_mode = $5, exclude_plugins = $6,
            include_plugins = $7, updated_at = CURRENT_TIMESTAMP
        "#,
        uuid::Uuid::new_v4(),
        tenant as _,
        strategy.strategy_setting,
        strategy.upgrade_time_of_day,
        strategy.upgrade_mode,
        strategy.exclude_plugins,
        strategy.include_plugins,
    )
    .execute(db)
    .await?;
    Ok(())
}
