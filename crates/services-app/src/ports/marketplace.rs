//! The newest versions of plugins, asked of the marketplace.

use serde_json::json;
use services_core::{
    Ctx, Fault,
    marketplace::{self, Manifest},
};

use super::PluginDependency;

/// The newest versions of some plugins (`organisation/plugin`); nothing where the marketplace is switched off.
///
/// # Errors
/// The marketplace does not answer.
pub(crate) async fn latest(ctx: &Ctx, plugins: &[String]) -> Result<Vec<PluginDependency>, Fault> {
    if !ctx.config.feature.marketplace_enabled || plugins.is_empty() {
        return Ok(Vec::new());
    }
    let dependency = |plugin: Manifest| PluginDependency {
        r#type: "marketplace".to_owned(),
        value: json!({
            "marketplace_plugin_unique_identifier": plugin.latest_package_identifier,
            "version": null,
        }),
        current_identifier: None,
    };
    Ok(marketplace::plugins(ctx, plugins).await?.into_iter().map(dependency).collect())
}
