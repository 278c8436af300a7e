//! Triggers of plugins.

use boxed::boxed;
use model_runtime::ProviderId;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch},
    entity::{CredentialType, Subscription, TriggerProvider, or_default},
    error::DaemonError,
    http_message::{self, RawResponse},
    oauth::IncomingRequest,
    tool::YesNo,
};

/// On whose behalf a trigger's provider is called, and with what.
#[derive(Debug, Clone, Copy)]
pub struct TriggerCall<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The user.
    pub user: &'a str,
    /// The provider.
    pub provider: &'a ProviderId,
    /// Decrypted credentials.
    pub credentials: &'a Map<String, Value>,
    /// How they were given.
    pub credential_type: CredentialType,
}

/// What an event means for a workflow.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InvokedEvent {
    /// Variables of the workflow.
    #[serde(default, deserialize_with = "object_or_text")]
    pub variables: Map<String, Value>,
    /// The event does not start anything.
    #[serde(default)]
    pub cancelled: bool,
}

fn object_or_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    use serde::de::Error;
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        Value::String(text) => serde_json::from_str(&text).map_err(D::Error::custom),
        _ => Err(D::Error::custom("variables are no object")),
    }
}

/// What a request from the service means.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchedEvents {
    /// The user it is about.
    pub user_id: String,
    /// Names of the events.
    pub events: Vec<String>,
    /// What to answer the service.
    pub response: RawResponse,
    /// Details for the events.
    pub payload: Map<String, Value>,
}

impl Daemon {
    /// All installed providers of events, with names in full.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_trigger_providers(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<TriggerProvider>, DaemonError> {
        let query = [("page", "1"), ("page_size", "256")];
        let listed: Vec<TriggerProvider> = self.get(tenant, "management/triggers", &query).await?;
        let named = |provider: TriggerProvider| {
            let name = format!("{}/{}", provider.plugin_id, provider.declaration.identity.name);
            named(provider, name)
        };
        Ok(listed.into_iter().map(named).collect())
    }

    /// An installed provider of events, with names in full.
    ///
    /// # Errors
    /// When it is not installed.
    #[boxed]
    pub async fn find_trigger_provider(
        &self,
        tenant: TenantId,
        provider: &ProviderId,
    ) -> Result<TriggerProvider, DaemonError> {
        let plugin = provider.plugin_id();
        let query = [("provider", provider.provider_name()), ("plugin_id", &plugin)];
        let found = self.get(tenant, "management/trigger", &query).await?;
        Ok(named(found, provider.to_string()))
    }

    /// Whether a provider accepts the credentials.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn check_trigger_credentials(
        &self,
        call: TriggerCall<'_>,
    ) -> Result<bool, DaemonError> {
        let data = json!({
            "provider": call.provider.provider_name(), "credentials": call.credentials,
        });
        let answer: YesNo = self
            .trigger(call, "validate_credentials", data, "validate provider credentials")
            .await?;
        Ok(answer.result)
    }

    /// Asks which events a request from the service stands for.
    ///
    /// # Errors
    /// What the plugin raises, and when its response is none.
    #[boxed]
    pub async fn dispatch_event(
        &self,
        call: TriggerCall<'_>,
        subscription: &Map<String, Value>,
        request: IncomingRequest<'_>,
    ) -> Result<DispatchedEvents, DaemonError> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default, deserialize_with = "or_default")]
            user_id: String,
            #[serde(deserialize_with = "or_default")]
            events: Vec<String>,
            response: String,
            #[serde(default, deserialize_with = "or_default")]
            payload: Map<String, Value>,
        }
        let data = call.data(json!({
            "subscription": subscription, "raw_http_request": request.hex(),
        }));
        let Wire { user_id, events, response, payload } =
            self.trigger(call, "dispatch_event", data, "dispatch event").await?;
        let response = hex::decode(&response).ok().and_then(|raw| http_message::response(&raw));
        let response = response.ok_or_else(|| {
            DaemonError::Value("Failed to deserialize response from hex string".to_owned())
        })?;
        Ok(DispatchedEvents { user_id, events, response, payload })
    }

    /// Asks what an event means for a workflow.
    ///
    /// # Errors
    /// What the plugin raises: [`DaemonError::EventIgnored`] if it does not care.
    #[boxed]
    pub async fn invoke_event(
        &self,
        call: TriggerCall<'_>,
        event: &str,
        subscription: &Subscription,
        raw_request: &[u8],
        parameters: &Map<String, Value>,
        payload: &Map<String, Value>,
    ) -> Result<InvokedEvent, DaemonError> {
        let data = call.data(json!({
            "event": event, "subscription": subscription, "raw_http_request": hex::encode(raw_request),
            "parameters": parameters, "payload": payload,
        }));
        self.trigger(call, "invoke_event", data, "invoke trigger").await
    }

    /// Makes a subscription with the service, whose events shall come to `endpoint`.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn subscribe(
        &self,
        call: TriggerCall<'_>,
        endpoint: &str,
        parameters: &Map<String, Value>,
    ) -> Result<Subscription, DaemonError> {
        let data = call.data(json!({"endpoint": endpoint, "parameters": parameters}));
        self.subscription(call, "subscribe", data).await
    }

    /// Ends a subscription with the service.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn unsubscribe(
        &self,
        call: TriggerCall<'_>,
        subscription: &Subscription,
    ) -> Result<Unsubscribed, DaemonError> {
        let data = call.data(json!({ "subscription": subscription }));
        self.subscription(call, "unsubscribe", data).await
    }

    /// Prolongs a subscription with the service.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn refresh_subscription(
        &self,
        call: TriggerCall<'_>,
        subscription: &Subscription,
    ) -> Result<Subscription, DaemonError> {
        let data = call.data(json!({ "subscription": subscription }));
        self.subscription(call, "refresh", data).await
    }

    async fn subscription<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        call: TriggerCall<'_>,
        action: &str,
        data: Value,
    ) -> Result<T, DaemonError> {
        #[derive(Deserialize)]
        struct Wire<T> {
            subscription: T,
        }
        let wire: Wire<T> = self.trigger(call, action, data, action).await?;
        Ok(wire.subscription)
    }

    async fn trigger<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        call: TriggerCall<'_>,
        action: &str,
        data: Value,
        what: &str,
    ) -> Result<T, DaemonError> {
        let plugin = call.provider.plugin_id();
        let action = format!("trigger/{action}");
        let first =
            self.first(Dispatch::new(call.tenant, &plugin, &action, call.user, data)).await?;
        first.ok_or_else(|| {
            DaemonError::Value(format!("No response received from plugin daemon for {what}"))
        })
    }
}

/// What became of ending a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Unsubscribed {
    /// It ended.
    #[serde(default)]
    pub success: bool,
    /// What the service says.
    #[serde(default)]
    pub message: Option<String>,
}

impl TriggerCall<'_> {
    fn data(&self, more: Value) -> Value {
        let mut data = json!({
            "provider": self.provider.provider_name(), "credentials": self.credentials,
            "credential_type": self.credential_type,
        });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        data
    }
}

fn named(mut provider: TriggerProvider, name: String) -> TriggerProvider {
    for event in &mut provider.declaration.events {
        event.identity.provider = Some(name.clone());
    }
    provider.declaration.identity.name = name;
    provider
}
