//! What plugins declare, with the fields and defaults of the reference, so that it can be shown as it is.

mod common;
mod plugin;
mod tool;
mod trigger;

pub use common::{
    AutoGenerate, CredentialType, I18n, OAuthSchema, ParameterOption, ProviderConfig,
    ProviderConfigOption, Template, secrets,
};
pub use plugin::{
    Category, Enabled, EndpointDeclaration, EndpointProviderDeclaration, Meta, ModelPermission,
    Permission, PluginDeclaration, PluginInstallation, Plugins, Resource, Said, StoragePermission,
};
pub use tool::{
    AgentProvider, AgentProviderDeclaration, AgentProviderEntry, AgentStrategy,
    AgentStrategyParameter, Datasource, DatasourceParameter, DatasourceProvider,
    DatasourceProviderDeclaration, DatasourceProviderEntry, DatasourceProviderIdentity, Tool,
    ToolDescription, ToolIdentity, ToolParameter, ToolProvider, ToolProviderDeclaration,
    ToolProviderEntry, ToolProviderIdentity,
};
pub use trigger::{
    Event, EventIdentity, EventParameter, Subscription, SubscriptionConstructor, TriggerProvider,
    TriggerProviderDeclaration, TriggerProviderIdentity,
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// Reads `null` as the default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// As Python's `isoformat` prints it: `+00:00` rather than `Z`, fractions only where there are any.
pub(crate) fn isoformat<S: Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let places = if time.timestamp_subsec_micros() == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Micros
    };
    serializer.serialize_str(&time.to_rfc3339_opts(places, false))
}
