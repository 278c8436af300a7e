//! What the marketplace knows of plugins.

use boxed::boxed;
use services_core::marketplace::{self, Manifest};

use super::*;

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

/// The newest versions of plugins (`organisation/plugin`), as far as the marketplace knows them.
#[boxed]
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
    let latest = |it: Manifest| LatestPlugin {
        plugin_id: it.plugin_id,
        version: it.latest_version,
        unique_identifier: it.latest_package_identifier,
        status: it.status,
        deprecated_reason: it.deprecated_reason,
        alternative_plugin_id: it.alternative_plugin_id,
    };
    Ok(marketplace::plugins(ctx, ids).await?.into_iter().map(latest).collect())
}

pub(super) async fn download_from_marketplace(
    ctx: &Ctx,
    identifier: &str,
) -> Result<Bytes, ToolError> {
    let url = marketplace::url(ctx, "plugins/download");
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("unique_identifier", identifier)
        .finish();
    download(ctx, ctx.http.upstream(), &format!("{url}?{query}")).await
}
