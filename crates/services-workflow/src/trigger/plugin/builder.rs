//! Subscriptions somebody is about to make: kept in Redis, under an address that already takes events.

use boxed::boxed;
use std::time::Duration;

use crypto::mask;
use plugin::{CredentialType, oauth::OAuthCredentials, trigger::TriggerCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{AccountId, TenantId};
use uuid::Uuid;

use super::{EventError, Events, Provider, Values, kind_of, secret, subscription::New};

/// How long a draft and its log last.
const TTL: Duration = Duration::from_secs(30 * 60);

/// Requests a log keeps.
const LOGGED: usize = 10;

/// A subscription that is being made, as Redis keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Builder {
    pub(super) id: String,
    name: Option<String>,
    pub(super) tenant_id: TenantId,
    user_id: AccountId,
    pub(super) provider_id: String,
    endpoint_id: String,
    parameters: Values,
    pub(super) properties: Values,
    credentials: Values,
    credential_type: Option<String>,
    credential_expires_at: Option<i64>,
    pub(super) expires_at: i64,
}

/// The same as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct BuilderView {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub endpoint: String,
    pub parameters: Values,
    pub properties: Values,
    pub credentials: Values,
    pub credential_type: &'static str,
}

/// What is to change of a draft.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "fields of the draft")]
pub struct BuilderChange {
    pub name: Option<String>,
    pub parameters: Option<Values>,
    pub properties: Option<Values>,
    pub credentials: Option<Values>,
    pub credential_expires_at: Option<i64>,
}

/// Whose draft of what.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// Who works on it.
    pub user: AccountId,
    /// The provider.
    pub provider: &'a str,
    /// The draft.
    pub id: &'a str,
}

/// A request that came to a draft's address, and what it was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct RequestLog {
    pub id: String,
    pub endpoint: String,
    pub request: Value,
    pub response: Value,
    pub created_at: String,
}

impl Builder {
    fn kind(&self) -> Result<CredentialType, EventError> {
        let name = self.credential_type.as_deref().filter(|name| !name.is_empty());
        kind_of(name.unwrap_or("unauthorized"))
    }

    fn take(&mut self, change: BuilderChange) {
        if change.name.is_some() {
            self.name = change.name;
        }
        if let Some(parameters) = change.parameters {
            self.parameters = parameters;
        }
        if let Some(properties) = change.properties {
            self.properties = properties;
        }
        if let Some(credentials) = change.credentials {
            self.credentials = credentials;
        }
        if change.credential_expires_at.is_some() {
            self.credential_expires_at = change.credential_expires_at;
        }
    }
}

impl Events {
    /// Begins a subscription.
    ///
    /// # Errors
    /// [`EventError::Invalid`] for an unknown provider or type of credentials.
    #[boxed]
    pub async fn begin(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        kind: &str,
    ) -> Result<BuilderView, EventError> {
        let kind = kind_of(kind)?;
        let provider = self.find(tenant, provider).await?;
        let declaration = &provider.entity.declaration;
        let constructor = declaration.subscription_constructor.as_ref();
        let given = |value: &&Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Number(number) => number.as_f64() != Some(0.0),
            _ => true,
        };
        let properties = declaration.subscription_schema.iter().filter_map(|field| {
            let default = field.default.as_ref().filter(given)?;
            Some((field.name.clone(), default.clone()))
        });
        let id = Uuid::new_v4().to_string();
        let builder = Builder {
            name: None,
            tenant_id: tenant,
            user_id: user,
            provider_id: provider.id.to_string(),
            endpoint_id: id.clone(),
            parameters: constructor
                .map(plugin::entity::SubscriptionConstructor::default_parameters)
                .unwrap_or_default(),
            properties: properties.collect(),
            credentials: Values::new(),
            credential_type: Some(kind.as_str().to_owned()),
            credential_expires_at: Some(-1),
            expires_at: -1,
            id,
        };
        self.keep(&builder).await?;
        self.shown(&provider, builder)
    }

    /// A draft.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if the workspace has none of that id.
    #[boxed]
    pub async fn builder(&self, tenant: TenantId, id: &str) -> Result<BuilderView, EventError> {
        let found = self.kept(id).await?.filter(|builder| builder.tenant_id == tenant);
        let builder = found
            .ok_or_else(|| EventError::Invalid(format!("Subscription builder {id} not found")))?;
        let provider = self.find(tenant, &builder.provider_id).await?;
        self.shown(&provider, builder)
    }

    /// The credentials a draft holds, in the clear, and their type.
    pub(super) async fn draft_credentials(
        &self,
        tenant: TenantId,
        id: &str,
    ) -> Result<Option<(Values, CredentialType)>, EventError> {
        let draft = self.kept(id).await?.filter(|draft| draft.tenant_id == tenant);
        draft.map(|draft| Ok((draft.credentials.clone(), draft.kind()?))).transpose()
    }

    /// Changes a draft.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if the workspace has none of that id.
    #[boxed]
    pub async fn update_builder(
        &self,
        at: At<'_>,
        change: BuilderChange,
    ) -> Result<BuilderView, EventError> {
        let provider = self.find(at.tenant, at.provider).await?;
        let guard = self.locked(&lock_key(at.id)).await?;
        let changed = self.changed(at, change).await;
        guard.release().await?;
        self.shown(&provider, changed?)
    }

    /// Changes the credentials of a draft and asks the service whether they are good.
    ///
    /// # Errors
    /// As [`Events::update_builder`], and if the service refuses them.
    #[boxed]
    pub async fn verify_builder(
        &self,
        at: At<'_>,
        credentials: Values,
    ) -> Result<bool, EventError> {
        let provider = self.find(at.tenant, at.provider).await?;
        let change = BuilderChange { credentials: Some(credentials), ..BuilderChange::default() };
        let guard = self.locked(&lock_key(at.id)).await?;
        let changed = self.changed(at, change).await;
        guard.release().await?;
        let builder = changed?;
        match builder.kind()? {
            CredentialType::Oauth2 => Ok(!builder.credentials.is_empty()),
            CredentialType::Unauthorized => Ok(true),
            CredentialType::ApiKey => {
                let user = at.user.to_string();
                let credentials = &builder.credentials;
                self.check_credentials(at.tenant, &user, &provider, credentials).await?;
                Ok(true)
            }
        }
    }

    /// Makes a subscription of a draft.
    ///
    /// # Errors
    /// As [`Events::update_builder`], for a draft without name, a name that is taken, and what the plugin raises.
    #[boxed]
    pub async fn build(&self, at: At<'_>, change: BuilderChange) -> Result<(), EventError> {
        let provider = self.find(at.tenant, at.provider).await?;
        let guard = self.locked(&lock_key(at.id)).await?;
        let built = async {
            let builder = self.changed(at, change).await?;
            self.make(at, &provider, builder).await
        };
        let built = built.await;
        guard.release().await?;
        built
    }

    async fn make(
        &self,
        at: At<'_>,
        provider: &Provider,
        builder: Builder,
    ) -> Result<(), EventError> {
        let kind = builder.kind()?;
        let name = builder.name.filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| EventError::invalid("Subscription builder name is required"))?;
        let id = builder.id.parse().map_err(|_| lost(at.id))?;
        let mut properties = builder.properties;
        if kind != CredentialType::Unauthorized {
            let user = at.user.to_string();
            let call = TriggerCall {
                tenant: at.tenant,
                user: &user,
                provider: &provider.id,
                credentials: &builder.credentials,
                credential_type: kind,
            };
            let endpoint = self.endpoint(&builder.endpoint_id);
            let made = self.daemon()?.subscribe(call, &endpoint, &builder.parameters).await?;
            properties = made.properties;
        }
        let new = New {
            id,
            tenant: at.tenant,
            user: at.user,
            name,
            kind,
            parameters: builder.parameters,
            properties,
            credentials: builder.credentials,
            credential_expires_at: builder
                .credential_expires_at
                .filter(|it| *it != 0)
                .unwrap_or(-1),
            expires_at: builder.expires_at,
        };
        self.add(provider, new).await?;
        self.ctx.redis.del(&[&builder_key(at.id)]).await?;
        Ok(())
    }

    /// Takes in the credentials with which somebody came back from a service.
    pub(super) async fn arrived(
        &self,
        at: At<'_>,
        gained: OAuthCredentials,
    ) -> Result<(), EventError> {
        let change = BuilderChange {
            credentials: Some(gained.credentials),
            credential_expires_at: Some(gained.expires_at),
            ..BuilderChange::default()
        };
        self.update_builder(at, change).await?;
        Ok(())
    }

    async fn changed(&self, at: At<'_>, change: BuilderChange) -> Result<Builder, EventError> {
        let found = self.kept(at.id).await?.filter(|builder| builder.tenant_id == at.tenant);
        let mut builder = found.ok_or_else(|| lost(at.id))?;
        builder.take(change);
        self.keep(&builder).await?;
        Ok(builder)
    }

    fn shown(&self, provider: &Provider, builder: Builder) -> Result<BuilderView, EventError> {
        let kind = builder.kind()?;
        let credentials = if provider.entity.declaration.subscription_constructor.is_some() {
            let form = provider.credential_form(kind);
            secret::masked(form, builder.credentials, mask::trigger_secret)
        } else {
            Values::new()
        };
        Ok(BuilderView {
            endpoint: self.endpoint(&builder.endpoint_id),
            id: builder.id,
            name: builder.name.unwrap_or_default(),
            provider: builder.provider_id,
            parameters: builder.parameters,
            properties: builder.properties,
            credentials,
            credential_type: kind.as_str(),
        })
    }

    pub(super) async fn kept(&self, id: &str) -> Result<Option<Builder>, EventError> {
        let kept = self.ctx.redis.get(&builder_key(id)).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    async fn keep(&self, builder: &Builder) -> Result<(), EventError> {
        let text = serde_json::to_vec(builder)?;
        Ok(self.ctx.redis.set_ex(&builder_key(&builder.id), &text, TTL).await?)
    }

    /// The requests that came to a draft's address, oldest first.
    ///
    /// # Errors
    /// Faults of Redis.
    #[boxed]
    pub async fn logs(&self, tenant: TenantId, id: &str) -> Result<Vec<RequestLog>, EventError> {
        // Ids are secrets; that they are of the workspace is seen as long as the draft or what was made of it is there.
        let foreign = match self.kept(id).await? {
            Some(builder) => builder.tenant_id != tenant,
            None => false,
        };
        if foreign {
            return Ok(Vec::new());
        }
        self.logged(id).await
    }

    async fn logged(&self, id: &str) -> Result<Vec<RequestLog>, EventError> {
        let kept = self.ctx.redis.get(&log_key(id)).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
    }

    pub(super) async fn log(&self, entry: RequestLog) -> Result<(), EventError> {
        let key = log_key(&entry.endpoint);
        let mut logs = self.logged(&entry.endpoint).await?;
        logs.push(entry);
        let surplus = logs.len().saturating_sub(LOGGED);
        logs.drain(..surplus);
        let text = serde_json::to_vec(&logs)?;
        Ok(self.ctx.redis.set_ex(&key, &text, TTL).await?)
    }
}

fn lost(id: &str) -> EventError {
    EventError::Invalid(format!("Subscription {id} expired or not found"))
}

fn builder_key(id: &str) -> String {
    format!("trigger:subscription:builder:{id}")
}

fn lock_key(id: &str) -> String {
    format!("trigger:subscription:builder:lock:{id}")
}

fn log_key(id: &str) -> String {
    format!("trigger:subscription:builder:logs:{id}")
}
