//! The plugins and tools of the plugin daemon as apps need them.

use async_trait::async_trait;
use model_runtime::ProviderId;
use plugin::{Daemon, DaemonError};
use serde_json::{Map, Value, json};
use services_core::Fault;
use types::TenantId;

use super::{MissingPlugin, PluginCatalogue, PluginDependency, PluginError, ToolCatalogue};

fn fault(err: DaemonError) -> Fault {
    Fault::caused("the plugin daemon failed", err)
}

#[async_trait]
impl PluginCatalogue for Daemon {
    async fn installed(
        &self,
        tenant: TenantId,
        plugins: &[String],
    ) -> Result<Vec<PluginDependency>, PluginError> {
        let installations = self.list_installations(tenant, plugins).await.map_err(fault)?;
        installations
            .into_iter()
            .map(|plugin| {
                dependency(&plugin.source, &plugin.plugin_unique_identifier, &plugin.meta)
            })
            .collect()
    }

    async fn missing(
        &self,
        tenant: TenantId,
        unique_identifiers: &[String],
    ) -> Result<Vec<MissingPlugin>, PluginError> {
        let missing = self.list_missing(tenant, unique_identifiers).await.map_err(fault)?;
        Ok(missing
            .into_iter()
            .map(|plugin| MissingPlugin {
                unique_identifier: plugin.plugin_unique_identifier,
                current_identifier: plugin.current_identifier.unwrap_or_default(),
            })
            .collect())
    }
}

fn dependency(
    source: &str,
    identifier: &str,
    meta: &Map<String, Value>,
) -> Result<PluginDependency, PluginError> {
    let value = match source {
        "github" => json!({
            "repo": meta.get("repo"),
            "version": meta.get("version"),
            "package": meta.get("package"),
            "github_plugin_unique_identifier": identifier,
        }),
        "marketplace" => {
            json!({"marketplace_plugin_unique_identifier": identifier, "version": null})
        }
        "package" => json!({"plugin_unique_identifier": identifier, "version": null}),
        "remote" => {
            return Err(PluginError::Refused(format!(
                "You used a remote plugin: {identifier} in the app, please remove it first if you want to export the \
                 DSL."
            )));
        }
        other => return Err(PluginError::Refused(format!("Unknown plugin source: {other}"))),
    };
    Ok(PluginDependency { r#type: source.to_owned(), value, current_identifier: None })
}

#[async_trait]
impl ToolCatalogue for Daemon {
    async fn builtin_providers_exist(
        &self,
        tenant: TenantId,
        providers: &[String],
    ) -> Result<Vec<bool>, Fault> {
        if providers.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Option<ProviderId>> =
            providers.iter().map(|provider| provider.parse().ok()).collect();
        let asked: Vec<ProviderId> = ids.iter().flatten().cloned().collect();
        let mut known = self.have_tools(tenant, &asked).await.map_err(fault)?.into_iter();
        Ok(ids.iter().map(|id| id.is_some() && known.next().unwrap_or(false)).collect())
    }

    async fn secret_parameters(
        &self,
        tenant: TenantId,
        provider_type: &str,
        provider_id: &str,
        tool: &str,
    ) -> Result<Option<Vec<String>>, Fault> {
        let Ok(id) = ProviderId::tool(provider_id) else { return Ok(None) };
        if !matches!(provider_type, "builtin" | "plugin") {
            return Ok(None);
        }
        // A provider that cannot be asked about counts as gone, as in the reference.
        let Ok(provider) = self.find_tool_provider(tenant, &id).await else { return Ok(None) };
        let found = provider.declaration.tools.into_iter().find(|one| one.identity.name == tool);
        Ok(found.map(|tool| {
            let is_secret = |kind: &Value, form: &Value| kind == "secret-input" && form == "form";
            tool.parameters
                .into_iter()
                .filter(|parameter| is_secret(&json!(parameter.kind), &json!(parameter.form)))
                .map(|parameter| parameter.name)
                .collect()
        }))
    }
}
