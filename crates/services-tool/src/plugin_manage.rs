//! Plugins of a workspace: from a package, from GitHub, from the marketplace; upgrading and removing them.

use boxed::boxed;
use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use plugin::{
    Daemon,
    entity::PluginDeclaration,
    management::{BundleDependency, DecodedPackage, InstallStarted, Verification},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use services_core::{Ctx, Fault};
use services_model::Models;
use services_platform::feature::{self, PluginInstallationPermission};
use types::TenantId;

use crate::ToolError;

mod marketplace;
mod rules;

use marketplace::download_from_marketplace;
pub use marketplace::{LatestPlugin, latest_versions};
use rules::Rules;

/// How long the marketplace's answer about a plugin is kept, in the reference's Redis key.
const LATEST_TTL: Duration = Duration::from_secs(300);
/// Plugins on all pages together when one is looked for.
const ALL_PLUGINS: u32 = 256;

/// Where a package on GitHub is.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the names of the address's parts")]
pub struct GithubPackage<'a> {
    pub repo: &'a str,
    pub version: &'a str,
    pub package: &'a str,
}

/// Takes a package in, so that it can be installed.
///
/// # Errors
/// If packages may not be uploaded, or this one is none.
#[boxed]
pub async fn upload_package(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    package: Bytes,
) -> Result<DecodedPackage, ToolError> {
    let rules = Rules::of_uploads(ctx).await?;
    rules.take_in(daemon, tenant, package).await
}

/// Takes in a package of a release on GitHub.
///
/// # Errors
/// As [`upload_package`], and if GitHub does not give it.
#[boxed]
pub async fn upload_from_github(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    place: GithubPackage<'_>,
) -> Result<DecodedPackage, ToolError> {
    let rules = Rules::of_uploads(ctx).await?;
    let GithubPackage { repo, version, package } = place;
    let url = format!("https://github.com/{repo}/releases/download/{version}/{package}");
    let package = download(ctx, ctx.http.guarded(), &url).await?;
    rules.take_in(daemon, tenant, package).await
}

/// Takes a bundle in. What it needs.
///
/// # Errors
/// As [`upload_package`].
#[boxed]
pub async fn upload_bundle(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    bundle: Bytes,
) -> Result<Vec<BundleDependency>, ToolError> {
    Rules::of_uploads(ctx).await?;
    Ok(daemon.upload_bundle(tenant, bundle, false).await?)
}

/// Installs packages that were taken in.
///
/// # Errors
/// If the installation's rules forbid one of them.
#[boxed]
pub async fn install_packages(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    identifiers: &[String],
) -> Result<InstallStarted, ToolError> {
    let rules = Rules::of_uploads(ctx).await?;
    for identifier in identifiers {
        rules.check(daemon.decode_package(tenant, identifier).await?.verification.as_ref())?;
    }
    Ok(daemon.install(tenant, identifiers, "package", &[json!({})]).await?)
}

/// Installs a package of a release on GitHub that was taken in.
///
/// # Errors
/// If the installation's rules forbid it.
#[boxed]
pub async fn install_from_github(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    identifier: &str,
    place: GithubPackage<'_>,
) -> Result<InstallStarted, ToolError> {
    let rules = Rules::of_uploads(ctx).await?;
    rules.check(daemon.decode_package(tenant, identifier).await?.verification.as_ref())?;
    let meta = serde_json::to_value(place)?;
    Ok(daemon.install(tenant, &[identifier.to_owned()], "github", &[meta]).await?)
}

/// Installs plugins of the marketplace.
///
/// # Errors
/// If the marketplace is off or away, or the installation's rules forbid one of them.
#[boxed]
pub async fn install_from_marketplace(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    identifiers: &[String],
) -> Result<InstallStarted, ToolError> {
    let rules = Rules::of_marketplace(ctx).await?;
    let mut taken = Vec::with_capacity(identifiers.len());
    for identifier in identifiers {
        let known = match daemon.find_manifest(tenant, identifier).await {
            Ok(_) => daemon.decode_package(tenant, identifier).await.ok(),
            Err(_) => None,
        };
        match known {
            Some(known) => {
                rules.check(known.verification.as_ref())?;
                taken.push(identifier.clone());
            }
            None => {
                let package = download_from_marketplace(ctx, identifier).await?;
                taken.push(rules.take_in(daemon, tenant, package).await?.unique_identifier);
            }
        }
    }
    let metas: Vec<Value> =
        taken.iter().map(|identifier| json!({"plugin_unique_identifier": identifier})).collect();
    Ok(daemon.install(tenant, &taken, "marketplace", &metas).await?)
}

/// What a plugin of the marketplace says of itself.
///
/// # Errors
/// As [`install_from_marketplace`].
#[boxed]
pub async fn marketplace_manifest(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    identifier: &str,
) -> Result<PluginDeclaration, ToolError> {
    let rules = Rules::of_marketplace(ctx).await?;
    if let Ok(known) = daemon.find_manifest(tenant, identifier).await {
        return Ok(known);
    }
    let package = download_from_marketplace(ctx, identifier).await?;
    Ok(rules.take_in(daemon, tenant, package).await?.manifest)
}

/// Puts a version of the marketplace in place of another.
///
/// # Errors
/// As [`install_from_marketplace`], and if both are the same.
#[boxed]
pub async fn upgrade_from_marketplace(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    original: &str,
    new: &str,
) -> Result<InstallStarted, ToolError> {
    let rules = Rules::of_marketplace(ctx).await?;
    if original == new {
        return Err(ToolError::invalid("you should not upgrade plugin with the same plugin"));
    }
    if daemon.find_manifest(tenant, new).await.is_err() {
        let package = download_from_marketplace(ctx, new).await?;
        rules.take_in(daemon, tenant, package).await?;
    }
    let meta = json!({"plugin_unique_identifier": new});
    Ok(daemon.upgrade(tenant, original, new, "marketplace", &meta).await?)
}

/// Puts a version of a release on GitHub in place of another.
///
/// # Errors
/// If the installation's rules forbid it.
#[boxed]
pub async fn upgrade_from_github(
    ctx: &Ctx,
    daemon: &Daemon,
    tenant: TenantId,
    original: &str,
    new: &str,
    place: GithubPackage<'_>,
) -> Result<InstallStarted, ToolError> {
    Rules::of_uploads(ctx).await?;
    let meta = serde_json::to_value(place)?;
    Ok(daemon.upgrade(tenant, original, new, "github", &meta).await?)
}

/// Removes a plugin, and the credentials of its model providers.
///
/// # Errors
/// If there is no such installation.
#[boxed]
pub async fn uninstall(
    ctx: &Ctx,
    models: &Models,
    daemon: &Daemon,
    tenant: TenantId,
    installation: &str,
) -> Result<bool, ToolError> {
    let listed = daemon.list_plugins(tenant, 1, ALL_PLUGINS).await?;
    let known = listed.list.into_iter().find(|plugin| {
        plugin.installation_id.as_deref() == Some(installation) || plugin.id == installation
    });
    // The plugin goes first: what the daemon refuses to remove keeps its credentials.
    let removed = daemon.uninstall(tenant, installation).await?;
    if let Some(plugin) = known {
        let detached = {
            let mut tx = ctx.db.begin().await?;
            let detached =
                db::provider::plugin::forget_plugin(&mut tx, tenant, &plugin.plugin_id).await?;
            tx.commit().await?;
            detached
        };
        models.outdate(tenant).await;
        let keys: Vec<String> = detached
            .iter()
            .map(|id| format!("provider_credentials:tenant_id:{tenant}:id:{id}"))
            .collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        if !keys.is_empty() {
            ctx.redis.del(&keys).await?;
        }
    }
    Ok(removed)
}

async fn download(ctx: &Ctx, from: net::Egress, url: &str) -> Result<Bytes, ToolError> {
    let limit = usize::try_from(ctx.config.feature.plugin_max_package_size).unwrap_or(usize::MAX);
    let failed = |err: net::NetError| ToolError::Invalid(format!("{err}"));
    let response = from.get(url).timeout(Duration::from_secs(300)).send().await.map_err(failed)?;
    if !response.is_success() {
        let status = response.status().as_u16();
        return Err(ToolError::Invalid(format!("Failed to download package: status {status}")));
    }
    response.bytes(limit).await.map_err(failed)
}
