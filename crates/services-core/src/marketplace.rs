//! What the marketplace of plugins knows.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::{Ctx, Fault};

const TIMEOUT: Duration = Duration::from_secs(20);

/// More bytes than any list of plugins has.
const MAX_ANSWER: usize = 8 << 20;

/// A plugin and its newest version.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// `organisation/plugin`.
    #[serde(default)]
    pub plugin_id: String,
    /// The newest version.
    #[serde(default)]
    pub latest_version: String,
    /// The identifier of its package.
    pub latest_package_identifier: String,
    /// `active`, or why not.
    #[serde(default)]
    pub status: String,
    /// Why it is not to be used any more.
    #[serde(default)]
    pub deprecated_reason: String,
    /// What is to be used in its place.
    #[serde(default)]
    pub alternative_plugin_id: String,
}

/// An address of the marketplace's API.
#[must_use]
pub fn url(ctx: &Ctx, path: &str) -> String {
    let base = &ctx.config.feature.marketplace_api_url;
    format!("{}/api/v1/{path}", base.trim_end_matches('/'))
}

/// Those of some plugins (`organisation/plugin`) that the marketplace knows.
///
/// # Errors
/// The marketplace does not answer.
pub async fn plugins(ctx: &Ctx, ids: &[String]) -> Result<Vec<Manifest>, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        data: Plugins,
    }
    #[derive(Deserialize)]
    struct Plugins {
        plugins: Vec<Manifest>,
    }
    let failed = |err: net::NetError| Fault::caused("the marketplace does not answer", err);
    let answer: Answer = ctx
        .http
        .upstream()
        .post(url(ctx, "plugins/batch"))
        .json(&json!({ "plugin_ids": ids }))
        .header("x-dify-version", types::DIFY_VERSION)
        .timeout(TIMEOUT)
        .send()
        .await
        .map_err(failed)?
        .json(MAX_ANSWER)
        .await
        .map_err(failed)?;
    Ok(answer.data.plugins)
}
