//! Endpoints that plugins answer at.

use boxed::boxed;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::Daemon,
    entity::{EndpointProviderDeclaration, or_default},
    error::DaemonError,
};

/// An endpoint that was set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Id.
    pub id: String,
    /// When it was made.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub updated_at: DateTime<Utc>,
    /// Settings, secret ones masked.
    #[serde(default, deserialize_with = "or_default")]
    pub settings: Map<String, Value>,
    /// The workspace.
    pub tenant_id: String,
    /// Its plugin.
    pub plugin_id: String,
    /// When it ends.
    #[serde(serialize_with = "crate::entity::isoformat")]
    pub expired_at: DateTime<Utc>,
    /// What the plugin declares.
    #[serde(default, deserialize_with = "or_default")]
    pub declaration: EndpointProviderDeclaration,
    /// Name.
    pub name: String,
    /// Whether it answers.
    pub enabled: bool,
    /// Where it answers.
    #[serde(default)]
    pub url: String,
    /// The part of the address that is its own.
    pub hook_id: String,
}

impl Daemon {
    /// Sets an endpoint up.
    ///
    /// # Errors
    /// When the plugin has none, or settings are missing.
    #[boxed]
    pub async fn create_endpoint(
        &self,
        tenant: TenantId,
        user: &str,
        plugin_unique_identifier: &str,
        name: &str,
        settings: &Map<String, Value>,
    ) -> Result<bool, DaemonError> {
        let body = json!({
            "user_id": user, "plugin_unique_identifier": plugin_unique_identifier, "settings": settings,
            "name": name,
        });
        self.post(tenant, "endpoint/setup", &body).await
    }

    /// A page of endpoints, newest first; only those of `plugin` if one is named.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_endpoints(
        &self,
        tenant: TenantId,
        plugin: Option<&str>,
        page: u32,
        page_size: u32,
    ) -> Result<Vec<Endpoint>, DaemonError> {
        let (page, size) = (page.to_string(), page_size.to_string());
        let mut query = vec![("page", page.as_str()), ("page_size", &size)];
        let path = match plugin {
            Some(plugin) => {
                query.insert(0, ("plugin_id", plugin));
                "endpoint/list/plugin"
            }
            None => "endpoint/list",
        };
        let mut endpoints: Vec<Endpoint> = self.get(tenant, path, &query).await?;
        for endpoint in &mut endpoints {
            if endpoint.url.is_empty() {
                let template = &self.options().endpoint_url_template;
                endpoint.url = template.replace("{hook_id}", &endpoint.hook_id);
            }
        }
        Ok(endpoints)
    }

    /// Changes an endpoint's name and settings.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn update_endpoint(
        &self,
        tenant: TenantId,
        user: &str,
        endpoint: &str,
        name: &str,
        settings: &Map<String, Value>,
    ) -> Result<bool, DaemonError> {
        let body = json!({
            "user_id": user, "endpoint_id": endpoint, "name": name, "settings": settings,
        });
        self.post(tenant, "endpoint/update", &body).await
    }

    /// Removes an endpoint; one that is gone already is no error.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn delete_endpoint(
        &self,
        tenant: TenantId,
        endpoint: &str,
    ) -> Result<bool, DaemonError> {
        let removed = self.switch_endpoint(tenant, endpoint, "remove").await;
        match removed {
            Err(DaemonError::Fault(fault))
                if fault.class == "PluginDaemonInternalServerError"
                    && fault.description.to_lowercase().contains("record not found") =>
            {
                Ok(true)
            }
            other => other,
        }
    }

    /// Switches an endpoint on.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn enable_endpoint(
        &self,
        tenant: TenantId,
        endpoint: &str,
    ) -> Result<bool, DaemonError> {
        self.switch_endpoint(tenant, endpoint, "enable").await
    }

    /// Switches an endpoint off.
    ///
    /// # Errors
    /// When there is none.
    #[boxed]
    pub async fn disable_endpoint(
        &self,
        tenant: TenantId,
        endpoint: &str,
    ) -> Result<bool, DaemonError> {
        self.switch_endpoint(tenant, endpoint, "disable").await
    }

    async fn switch_endpoint(
        &self,
        tenant: TenantId,
        endpoint: &str,
        action: &str,
    ) -> Result<bool, DaemonError> {
        let path = format!("endpoint/{action}");
        self.post(tenant, &path, &json!({ "endpoint_id": endpoint })).await
    }
}
