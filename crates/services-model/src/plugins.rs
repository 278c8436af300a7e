//! What the console asks of the plugin daemon and passes on.

use boxed::boxed;
use model_runtime::id::ProviderId;
use plugin::{Daemon, DaemonError, endpoint::Endpoint, entity::AgentProvider};
use serde_json::{Map, Value};
use services_core::Failure;
use types::{AccountId, TenantId};

/// The daemon, or a plugin through it, did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// It says why; people read that.
    #[error("{0}")]
    Told(String),
    /// It answered with a fault of its own.
    #[error(transparent)]
    Fault(DaemonError),
}

impl From<DaemonError> for PluginError {
    fn from(err: DaemonError) -> Self {
        match err {
            DaemonError::Status { .. } => Self::Fault(err),
            other => Self::Told(other.to_string()),
        }
    }
}

impl Failure for PluginError {
    fn status(&self) -> u16 {
        match self {
            Self::Told(_) => 400,
            Self::Fault(_) => 500,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Told(_) => "invalid_param",
            Self::Fault(_) => "internal_server_error",
        }
    }
}

/// An endpoint to set up.
#[derive(Debug, Clone, Copy)]
pub struct NewEndpoint<'a> {
    /// The installed package.
    pub plugin_unique_identifier: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its settings.
    pub settings: &'a Map<String, Value>,
}

/// Sets up an endpoint.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn create_endpoint(
    daemon: &Daemon,
    tenant: TenantId,
    user: AccountId,
    new: NewEndpoint<'_>,
) -> Result<bool, PluginError> {
    let user = user.to_string();
    let made = daemon
        .create_endpoint(tenant, &user, new.plugin_unique_identifier, new.name, new.settings)
        .await;
    match made {
        // Without the class and the request's id, as in the reference.
        Err(DaemonError::Fault(fault)) if fault.class == "PluginPermissionDeniedError" => {
            Err(PluginError::Told(fault.description))
        }
        other => Ok(other?),
    }
}

/// A page of a workspace's endpoints; of one plugin's if it is named.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn list_endpoints(
    daemon: &Daemon,
    tenant: TenantId,
    plugin: Option<&str>,
    page: u32,
    page_size: u32,
) -> Result<Vec<Endpoint>, PluginError> {
    Ok(daemon.list_endpoints(tenant, plugin, page, page_size).await?)
}

/// Changes an endpoint.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn update_endpoint(
    daemon: &Daemon,
    tenant: TenantId,
    user: AccountId,
    id: &str,
    name: &str,
    settings: &Map<String, Value>,
) -> Result<bool, PluginError> {
    Ok(daemon.update_endpoint(tenant, &user.to_string(), id, name, settings).await?)
}

/// Deletes an endpoint; one that is gone is deleted already.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn delete_endpoint(
    daemon: &Daemon,
    tenant: TenantId,
    id: &str,
) -> Result<bool, PluginError> {
    Ok(daemon.delete_endpoint(tenant, id).await?)
}

/// Switches an endpoint on or off.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn switch_endpoint(
    daemon: &Daemon,
    tenant: TenantId,
    id: &str,
    enabled: bool,
) -> Result<bool, PluginError> {
    if enabled {
        return Ok(daemon.enable_endpoint(tenant, id).await?);
    }
    Ok(daemon.disable_endpoint(tenant, id).await?)
}

/// The agent strategies of installed plugins.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn list_agent_providers(
    daemon: &Daemon,
    tenant: TenantId,
) -> Result<Vec<AgentProvider>, PluginError> {
    Ok(daemon.list_agent_providers(tenant).await?)
}

/// The agent strategies of one provider.
///
/// # Errors
/// [`PluginError`].
#[boxed]
pub async fn find_agent_provider(
    daemon: &Daemon,
    tenant: TenantId,
    provider: &str,
) -> Result<AgentProvider, PluginError> {
    let id: ProviderId = provider
        .parse()
        .map_err(|err: model_runtime::InvalidProviderId| PluginError::Told(err.to_string()))?;
    Ok(daemon.find_agent_provider(tenant, &id).await?)
}
