//! The newest versions of plugins, asked of the marketplace.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use services_core::{Ctx, Fault};

use super::PluginDependency;

const TIMEOUT: Duration = Duration::from_secs(20);

/// More than any list of plugins has.
const MAX_ANSWER: usize = 8 << 20;

#[derive(Deserialize)]
struct Answer {
    data: Plugins,
}

#[derive(Deserialize)]
struct Plugins {
    plugins: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    latest_package_identifier: String,
}

/// The newest versions of some plugins (`organisation/plugin`); nothing where the marketplace is switched off.
///
/// # Errors
/// The marketplace does not answer.
pub(crate) async fn latest(ctx: &Ctx, plugins: &[String]) -> Result<Vec<PluginDependency>, Fault> {
    let settings = &ctx.config.feature;
    if !settings.marketplace_enabled || plugins.is_empty() {
        return Ok(Vec::new());
    }
    let base = settings.marketplace_api_url.clone();
    let url = format!("{}/api/v1/plugins/batch", base.trim_end_matches('/'));
    let failed = |err: net::NetError| Fault::caused("the marketplace does not answer", err);
    let answer = ctx
        .http
        .upstream()
        .post(url)
        .json(&json!({ "plugin_ids": plugins }))
        .header("x-dify-version", types::DIFY_VERSION)
        .timeout(TIMEOUT)
        .send()
        .await
        .map_err(failed)?;
    let answer: Answer = answer.json(MAX_ANSWER).await.map_err(failed)?;
    let dependency = |plugin: Manifest| PluginDependency {
        r#type: "marketplace".to_owned(),
        value: json!({
            "marketplace_plugin_unique_identifier": plugin.latest_package_identifier,
            "version": null,
        }),
        current_identifier: None,
    };
    Ok(answer.data.plugins.into_iter().map(dependency).collect())
}
