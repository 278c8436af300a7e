//! Plugins of a workspace: from a package, from GitHub, from the marketplace; upgrading and removing them.

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

/// How long the marketplace's answer about a plugin is kept, in the reference's Redis key.
const LATEST_TTL: Duration = Duration::from_secs(300);
const MARKETPLACE_TIMEOUT: Duration = Duration::from_secs(20);
/// More than any list of plugins has.
const MAX_ANSWER: usize = 8 << 20;
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

/// The newest version of a plugin in the marketplace, as it is kept in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct LatestPlugin {
    pub plugin_id: String,
    pub version: String,
    pub unique_identifier: String,
    pub status: String,
    pub deprecated_reason: String,
    pub alternative_plugin_id: String,
}

/// Takes a package in, so that it can be installed.
///
/// # Errors
/// If packages may not be uploaded, or this one is none.
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

/// The newest versions of plugins (`organisation/plugin`), as far as the marketplace knows them.
pub async fn latest_versions(ctx: &Ctx, ids: &[String]) -> BTreeMap<String, Option<LatestPlugin>> {
    let key = |id: &str| format!("plugin_service:latest_plugin:{id}");
    let mut found: BTreeMap<String, Option<LatestPlugin>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for id in ids {
        let kept = ctx.redis.get(&key(id)).await.ok().flatten();
        match kept.and_then(|kept| serde_json::from_slice(&kept).ok()) {
            Some(kept) => {
                found.insert(id.clone(), Some(kept));
            }
            None => unknown.push(id.clone()),
        }
    }
    if unknown.is_empty() {
        return found;
    }
    match ask_latest(ctx, &unknown).await {
        Ok(latest) => {
            for plugin in latest {
                if let Ok(text) = serde_json::to_vec(&plugin) {
                    // Without Redis the marketplace is asked again next time.
                    let _ = ctx.redis.set_ex(&key(&plugin.plugin_id), &text, LATEST_TTL).await;
                }
                found.insert(plugin.plugin_id.clone(), Some(plugin));
            }
            for id in unknown {
                found.entry(id).or_insert(None);
            }
        }
        Err(err) => tracing::warn!(error = %err, "the marketplace tells no versions"),
    }
    found
}

async fn ask_latest(ctx: &Ctx, ids: &[String]) -> Result<Vec<LatestPlugin>, Fault> {
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
        plugin_id: String,
        latest_version: String,
        latest_package_identifier: String,
        #[serde(default)]
        status: String,
        #[serde(default)]
        deprecated_reason: String,
        #[serde(default)]
        alternative_plugin_id: String,
    }
    let failed = |err: net::NetError| Fault::caused("the marketplace does not answer", err);
    let answer: Answer = ctx
        .http
        .upstream()
        .post(marketplace(ctx, "plugins/batch"))
        .json(&json!({ "plugin_ids": ids }))
        .header("x-dify-version", types::DIFY_VERSION)
        .timeout(MARKETPLACE_TIMEOUT)
        .send()
        .await
        .map_err(failed)?
        .json(MAX_ANSWER)
        .await
        .map_err(failed)?;
    let latest = |it: Manifest| LatestPlugin {
        plugin_id: it.plugin_id,
        version: it.latest_version,
        unique_identifier: it.latest_package_identifier,
        status: it.status,
        deprecated_reason: it.deprecated_reason,
        alternative_plugin_id: it.alternative_plugin_id,
    };
    Ok(answer.data.plugins.into_iter().map(latest).collect())
}

fn marketplace(ctx: &Ctx, path: &str) -> String {
    let base = &ctx.config.feature.marketplace_api_url;
    format!("{}/api/v1/{path}", base.trim_end_matches('/'))
}

async fn download_from_marketplace(ctx: &Ctx, identifier: &str) -> Result<Bytes, ToolError> {
    let url = marketplace(ctx, "plugins/download");
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("unique_identifier", identifier)
        .finish();
    download(ctx, ctx.http.upstream(), &format!("{url}?{query}")).await
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

/// What the installation allows.
struct Rules(PluginInstallationPermission);

impl Rules {
    /// Rules of packages that do not come from the marketplace.
    async fn of_uploads(ctx: &Ctx) -> Result<Self, ToolError> {
        let rules = Self::load(ctx).await?;
        if rules.0.restrict_to_marketplace_only {
            return Err(ToolError::invalid(
                "Plugin installation is restricted to marketplace only",
            ));
        }
        Ok(rules)
    }

    /// Rules of packages that come from the marketplace.
    async fn of_marketplace(ctx: &Ctx) -> Result<Self, ToolError> {
        if !ctx.config.feature.marketplace_enabled {
            return Err(ToolError::invalid("marketplace is not enabled"));
        }
        Self::load(ctx).await
    }

    async fn load(ctx: &Ctx) -> Result<Self, ToolError> {
        Ok(Self(feature::system_features(ctx, true).await?.plugin_installation_permission))
    }

    async fn take_in(
        &self,
        daemon: &Daemon,
        tenant: TenantId,
        package: Bytes,
    ) -> Result<DecodedPackage, ToolError> {
        let verify = self.0.restrict_to_marketplace_only;
        let decoded = daemon.upload_package(tenant, package, verify).await?;
        self.check(decoded.verification.as_ref())?;
        Ok(decoded)
    }

    fn check(&self, verification: Option<&Verification>) -> Result<(), ToolError> {
        let by = verification.map(|it| it.authorized_category.as_str());
        let refusal = match self.0.plugin_installation_scope.as_str() {
            "official_only" if by != Some("langgenius") => {
                "Plugin installation is restricted to official only"
            }
            "official_and_specific_partners" if !matches!(by, Some("langgenius" | "partner")) => {
                "Plugin installation is restricted to official and specific partners"
            }
            "none" => "Installing plugins is not allowed",
            _ => return Ok(()),
        };
        Err(ToolError::invalid(refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_says_whose_plugins_may_be_installed() {
        for (scope, by, allowed) in [
            ("all", None, true),
            ("none", Some("langgenius"), false),
            ("official_only", Some("langgenius"), true),
            ("official_only", Some("partner"), false),
            ("official_and_specific_partners", Some("partner"), true),
            ("official_and_specific_partners", Some("community"), false),
            ("official_and_specific_partners", None, false),
        ] {
            let rules = Rules(PluginInstallationPermission {
                plugin_installation_scope: scope.to_owned(),
                restrict_to_marketplace_only: false,
            });
            let verification = by.map(|by| Verification { authorized_category: by.to_owned() });
            assert_eq!(rules.check(verification.as_ref()).is_ok(), allowed, "{scope} {by:?}");
        }
    }
}
