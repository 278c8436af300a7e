//! Triggers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    common::{AutoGenerate, I18n, OAuthSchema, ParameterOption, ProviderConfig, Template, no},
    or_default,
};

/// Who a provider is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerProviderIdentity {
    /// Who made it.
    pub author: String,
    /// Its name; lists have it in full.
    pub name: String,
    /// Name to show.
    pub label: I18n,
    /// One sentence.
    pub description: I18n,
    /// File name of the icon.
    #[serde(default)]
    pub icon: Option<String>,
    /// File name of the icon for dark themes.
    #[serde(default)]
    pub icon_dark: Option<String>,
    /// What it is about.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<String>,
}

/// Who an event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventIdentity {
    /// Who made it.
    pub author: String,
    /// Its name.
    pub name: String,
    /// Name to show.
    pub label: I18n,
    /// The provider's name, in full.
    #[serde(default)]
    pub provider: Option<String>,
}

/// A parameter of an event or a subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventParameter {
    /// Name.
    pub name: String,
    /// Name to show.
    pub label: I18n,
    /// Type of value.
    #[serde(rename = "type")]
    pub kind: String,
    /// What can write its value.
    #[serde(default)]
    pub auto_generate: Option<AutoGenerate>,
    /// Whether it is a template.
    #[serde(default)]
    pub template: Option<Template>,
    /// What a selector offers.
    #[serde(default)]
    pub scope: Option<String>,
    /// Whether it must be given.
    #[serde(default = "no")]
    pub required: Option<bool>,
    /// Whether several may be chosen.
    #[serde(default = "no")]
    pub multiple: Option<bool>,
    /// Value when nothing is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// Least value.
    #[serde(default)]
    pub min: Option<Value>,
    /// Greatest value.
    #[serde(default)]
    pub max: Option<Value>,
    /// Decimal places.
    #[serde(default)]
    pub precision: Option<i64>,
    /// Choices.
    #[serde(default)]
    pub options: Option<Vec<ParameterOption>>,
    /// Explanation to show.
    #[serde(default)]
    pub description: Option<I18n>,
}

/// An event that can start a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Who it is.
    pub identity: EventIdentity,
    /// Its parameters.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Vec<EventParameter>,
    /// One sentence.
    pub description: I18n,
    /// Schema of its variables.
    #[serde(default)]
    pub output_schema: Option<Map<String, Value>>,
}

/// How a subscription is made with the service itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SubscriptionConstructor {
    /// Parameters it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Vec<EventParameter>,
    /// Credentials it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub credentials_schema: Vec<ProviderConfig>,
    /// What it needs for OAuth.
    #[serde(default)]
    pub oauth_schema: Option<OAuthSchema>,
}

impl SubscriptionConstructor {
    /// The values of parameters that nobody gave; those that Python takes for nothing are left out.
    #[must_use]
    pub fn default_parameters(&self) -> Map<String, Value> {
        let given = self.parameters.iter().filter_map(|parameter| {
            let default = parameter.default.clone()?;
            let nothing = matches!(&default, Value::Null | Value::Bool(false))
                || default.as_str() == Some("")
                || default.as_f64() == Some(0.0)
                || default.as_array().is_some_and(Vec::is_empty);
            (!nothing).then(|| (parameter.name.clone(), default))
        });
        given.collect()
    }
}

/// A provider of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerProviderDeclaration {
    /// Who it is.
    pub identity: TriggerProviderIdentity,
    /// Settings kept with a subscription.
    #[serde(default, deserialize_with = "or_default")]
    pub subscription_schema: Vec<ProviderConfig>,
    /// How a subscription is made.
    #[serde(default)]
    pub subscription_constructor: Option<SubscriptionConstructor>,
    /// Its events.
    #[serde(default, deserialize_with = "or_default")]
    pub events: Vec<Event>,
}

/// An installed provider of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerProvider {
    /// Its short name.
    pub provider: String,
    /// Its package.
    pub plugin_unique_identifier: String,
    /// Its plugin.
    pub plugin_id: String,
    /// What it declares.
    pub declaration: TriggerProviderDeclaration,
}

/// A subscription with the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Unix seconds; -1: never.
    pub expires_at: i64,
    /// Where events are sent to.
    pub endpoint: String,
    /// What was asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Map<String, Value>,
    /// What the plugin keeps.
    #[serde(default, deserialize_with = "or_default")]
    pub properties: Map<String, Value>,
}
