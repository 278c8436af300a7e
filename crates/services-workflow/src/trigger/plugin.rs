//! Providers of events that plugins bring: what they offer, and the subscriptions of a workspace with them.

use boxed::boxed;
use db::trigger_subscription::TriggerSubscription;
use model_runtime::ProviderId;
use plugin::{
    CredentialType, Daemon, DaemonError,
    entity::{ProviderConfig, Subscription, TriggerProvider},
    trigger::TriggerCall,
};
use serde::Serialize;
use serde_json::{Map, Value};
use services_core::{Ctx, Failure, Fault};
use types::TenantId;

pub mod builder;
pub mod event;
pub mod oauth;
pub mod receive;
pub mod refresh;
mod secret;
pub mod subscription;

/// The request with which a service sent somebody back.
pub use plugin::oauth::IncomingRequest as Returned;

/// An object.
pub type Values = Map<String, Value>;

/// Everything about providers of events. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    /// The context.
    pub ctx: Ctx,
    daemon: Option<Daemon>,
}

/// Why something with events did not work out. `Display` is what people read, in the reference's words.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A value that cannot be used, or somebody beyond us refused it.
    #[error("{0}")]
    Invalid(String),
    /// The same, as other endpoints say it.
    #[error("{0}")]
    BadRequest(String),
    /// There is none.
    #[error("{0}")]
    NotFound(String),
    /// The user may not.
    #[error("{0}")]
    Forbidden(String),
    /// The plugin daemon answered with a fault of its own.
    #[error("the plugin daemon failed")]
    Daemon(#[source] DaemonError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl EventError {
    /// A value that cannot be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// The same refusal with the code `bad_request`.
    #[must_use]
    pub fn as_bad_request(self) -> Self {
        match self {
            Self::Invalid(message) => Self::BadRequest(message),
            other => other,
        }
    }
}

impl From<DaemonError> for EventError {
    fn from(err: DaemonError) -> Self {
        match err {
            DaemonError::Status { .. } => Self::Daemon(err),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<db::DbError> for EventError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for EventError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<serde_json::Error> for EventError {
    fn from(err: serde_json::Error) -> Self {
        Self::Fault(Fault::caused("a value does not print or read as JSON", err))
    }
}

impl Failure for EventError {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::BadRequest(_) => 400,
            Self::NotFound(_) => 404,
            Self::Forbidden(_) => 403,
            Self::Daemon(_) => 500,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::BadRequest(_) => "bad_request",
            Self::NotFound(_) => "not_found",
            Self::Forbidden(_) => "forbidden",
            Self::Daemon(_) => "internal_server_error",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// An installed provider of events.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// What it declares.
    pub entity: TriggerProvider,
}

/// A provider as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct ProviderView {
    pub author: String,
    pub name: String,
    pub label: Value,
    pub description: Value,
    pub icon: Option<String>,
    pub icon_dark: Option<String>,
    pub tags: Vec<String>,
    pub plugin_id: String,
    pub plugin_unique_identifier: String,
    pub supported_creation_methods: Vec<&'static str>,
    pub subscription_constructor: Value,
    pub subscription_schema: Value,
    pub events: Vec<Value>,
}

impl Provider {
    /// The fields of its credentials of a type.
    #[must_use]
    pub fn credential_form(&self, kind: CredentialType) -> &[ProviderConfig] {
        let constructor = self.entity.declaration.subscription_constructor.as_ref();
        match (constructor, kind) {
            (Some(constructor), CredentialType::ApiKey) => &constructor.credentials_schema,
            (Some(constructor), CredentialType::Oauth2) => {
                constructor.oauth_schema.as_ref().map_or(&[], |it| it.credentials_schema.as_slice())
            }
            _ => &[],
        }
    }

    /// The fields that are kept with a subscription.
    #[must_use]
    pub fn property_form(&self) -> &[ProviderConfig] {
        &self.entity.declaration.subscription_schema
    }

    /// The fields of its OAuth client.
    #[must_use]
    pub fn client_form(&self) -> &[ProviderConfig] {
        let constructor = self.entity.declaration.subscription_constructor.as_ref();
        let oauth = constructor.and_then(|it| it.oauth_schema.as_ref());
        oauth.map_or(&[], |it| it.client_schema.as_slice())
    }

    fn has_event(&self, name: &str) -> bool {
        self.entity.declaration.events.iter().any(|event| event.identity.name == name)
    }
}

impl Events {
    /// Events over a plugin daemon, if there is one.
    #[must_use]
    pub fn new(ctx: Ctx, daemon: Option<Daemon>) -> Self {
        Self { ctx, daemon }
    }

    fn daemon(&self) -> Result<&Daemon, EventError> {
        self.daemon.as_ref().ok_or_else(|| EventError::invalid("Plugins are not available"))
    }

    /// The installed providers, none without a daemon.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list(&self, tenant: TenantId) -> Result<Vec<ProviderView>, EventError> {
        let Some(daemon) = &self.daemon else { return Ok(Vec::new()) };
        let found = daemon.list_trigger_providers(tenant).await?;
        found.into_iter().map(|entity| self.view(tenant, entity)).collect()
    }

    /// A provider as the console shows it.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if it is not installed.
    #[boxed]
    pub async fn show(&self, tenant: TenantId, provider: &str) -> Result<ProviderView, EventError> {
        let found = self.find(tenant, provider).await?;
        self.view(tenant, found.entity)
    }

    /// The address of a provider's icon.
    ///
    /// # Errors
    /// As [`Events::show`].
    #[boxed]
    pub async fn icon(&self, tenant: TenantId, provider: &str) -> Result<String, EventError> {
        let found = self.find(tenant, provider).await?;
        let icon = found.entity.declaration.identity.icon.unwrap_or_else(|| "None".to_owned());
        Ok(self.icon_url(tenant, &icon))
    }

    fn icon_url(&self, tenant: TenantId, file: &str) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!(
            "{base}/console/api/workspaces/current/plugin/icon?tenant_id={tenant}&filename={file}"
        )
    }

    /// A provider by its id.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if it is not installed.
    #[boxed]
    pub async fn find(&self, tenant: TenantId, provider: &str) -> Result<Provider, EventError> {
        let missing =
            |id: &ProviderId| EventError::Invalid(format!("Trigger provider {id} not found"));
        let id: ProviderId =
            provider.parse().map_err(|err| EventError::Invalid(format!("{err}")))?;
        let Some(daemon) = &self.daemon else { return Err(missing(&id)) };
        match daemon.find_trigger_provider(tenant, &id).await {
            Ok(entity) => Ok(Provider { id, entity }),
            Err(err) if err.is_not_found() => Err(missing(&id)),
            Err(err) => Err(err.into()),
        }
    }

    fn view(&self, tenant: TenantId, entity: TriggerProvider) -> Result<ProviderView, EventError> {
        let TriggerProvider { plugin_unique_identifier, plugin_id, declaration, .. } = entity;
        let icon = |file: Option<String>| {
            file.filter(|file| !file.is_empty()).map(|file| self.icon_url(tenant, &file))
        };
        let constructor = &declaration.subscription_constructor;
        let mut methods = vec!["MANUAL"];
        if constructor.as_ref().is_some_and(|it| it.oauth_schema.is_some()) {
            methods.push("OAUTH");
        }
        if constructor.as_ref().is_some_and(|it| !it.credentials_schema.is_empty()) {
            methods.push("APIKEY");
        }
        let mut events = Vec::new();
        for event in &declaration.events {
            let mut shown = serde_json::to_value(event)?;
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("name".to_owned(), event.identity.name.clone().into());
            }
            events.push(shown);
        }
        let identity = declaration.identity;
        Ok(ProviderView {
            author: identity.author,
            name: identity.name,
            label: serde_json::to_value(identity.label)?,
            description: serde_json::to_value(identity.description)?,
            icon: icon(identity.icon),
            icon_dark: icon(identity.icon_dark),
            tags: identity.tags,
            plugin_id,
            plugin_unique_identifier,
            supported_creation_methods: methods,
            subscription_constructor: serde_json::to_value(&declaration.subscription_constructor)?,
            subscription_schema: serde_json::to_value(&declaration.subscription_schema)?,
            events,
        })
    }

    /// The address events of a subscription are sent to.
    #[must_use]
    pub fn endpoint(&self, id: &str) -> String {
        let base = self.ctx.config.feature.trigger_url.trim_end_matches('/');
        format!("{base}/triggers/plugin/{id}")
    }

    /// Checks credentials against the form, then with the service.
    async fn check_credentials(
        &self,
        tenant: TenantId,
        user: &str,
        provider: &Provider,
        credentials: &Values,
    ) -> Result<(), EventError> {
        if provider.entity.declaration.subscription_constructor.is_none() {
            return Err(EventError::invalid("Subscription constructor not found"));
        }
        let kind = CredentialType::ApiKey;
        let form = provider.credential_form(kind);
        let lacks =
            |field: &&ProviderConfig| field.required && !credentials.contains_key(&field.name);
        if let Some(field) = form.iter().find(lacks) {
            return Err(EventError::Invalid(format!(
                "Missing required credential field: {}",
                field.name
            )));
        }
        let call = TriggerCall {
            tenant,
            user,
            provider: &provider.id,
            credentials,
            credential_type: kind,
        };
        if self.daemon()?.check_trigger_credentials(call).await? {
            Ok(())
        } else {
            Err(EventError::invalid("Invalid credentials"))
        }
    }

    /// A stored subscription with its secrets in the clear.
    async fn open(
        &self,
        provider: &Provider,
        mut row: TriggerSubscription,
    ) -> Result<Opened, EventError> {
        let kind = kind_of(&row.credential_type)?;
        let credentials = secret::open(
            &self.ctx,
            row.tenant_id,
            provider.credential_form(kind),
            &row.credentials,
        )
        .await?;
        let properties =
            secret::open(&self.ctx, row.tenant_id, provider.property_form(), &row.properties)
                .await?;
        let parameters = secret::object(&row.parameters);
        row.credentials = Value::Null;
        row.properties = Value::Null;
        Ok(Opened { row, kind, credentials, properties, parameters })
    }
}

/// A subscription with its secrets in the clear.
struct Opened {
    row: TriggerSubscription,
    kind: CredentialType,
    credentials: Values,
    properties: Values,
    parameters: Values,
}

impl Opened {
    /// As plugins take it.
    fn entity(&self, events: &Events) -> Subscription {
        Subscription {
            expires_at: i64::from(self.row.expires_at),
            endpoint: events.endpoint(&self.row.endpoint_id),
            parameters: self.parameters.clone(),
            properties: self.properties.clone(),
        }
    }

    fn call<'a>(&'a self, user: &'a str, provider: &'a Provider) -> TriggerCall<'a> {
        TriggerCall {
            tenant: self.row.tenant_id,
            user,
            provider: &provider.id,
            credentials: &self.credentials,
            credential_type: self.kind,
        }
    }
}

/// A type of credentials by its name.
fn kind_of(name: &str) -> Result<CredentialType, EventError> {
    serde_json::from_value(Value::String(name.to_owned()))
        .map_err(|_| EventError::Invalid(format!("Invalid credential type: {name}")))
}

/// Unix seconds as the columns hold them.
fn column_time(time: i64) -> i32 {
    i32::try_from(time).unwrap_or(i32::MAX)
}
