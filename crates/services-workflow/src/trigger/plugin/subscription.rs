//! The subscriptions of a workspace.

use boxed::boxed;
use std::time::Duration;

use crypto::mask;
use db::trigger_subscription::{self, TriggerSubscription};
use plugin::{CredentialType, entity::Subscription, trigger::TriggerCall};
use serde::Serialize;
use serde_json::Value;
use types::{AccountId, TenantId};
use uuid::Uuid;

use super::{EventError, Events, Opened, Provider, Values, column_time, kind_of, secret};

/// Subscriptions a workspace may have with a provider.
const MOST: usize = 10;

/// How long a lock on a subscription is held at most, and waited for.
pub(super) const LOCK: Duration = Duration::from_secs(20);

/// A subscription as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct SubscriptionView {
    pub id: Uuid,
    pub name: String,
    pub provider: String,
    pub credential_type: String,
    pub credentials: Values,
    pub endpoint: String,
    pub parameters: Values,
    pub properties: Values,
    pub workflows_in_use: i64,
}

/// What is to change of a subscription.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Another name.
    pub name: Option<String>,
    /// Other parameters.
    pub parameters: Option<Values>,
    /// Other properties; hidden values stay.
    pub properties: Option<Values>,
    /// Other credentials; hidden values stay.
    pub credentials: Option<Values>,
}

/// A subscription that is to be stored.
pub(super) struct New {
    pub(super) id: Uuid,
    pub(super) tenant: TenantId,
    pub(super) user: AccountId,
    pub(super) name: String,
    pub(super) kind: CredentialType,
    pub(super) parameters: Values,
    pub(super) properties: Values,
    pub(super) credentials: Values,
    pub(super) credential_expires_at: i64,
    pub(super) expires_at: i64,
}

impl Events {
    /// The subscriptions with a provider, newest first, secrets masked.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if there are some, but the provider is not installed.
    #[boxed]
    pub async fn subscriptions(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Vec<SubscriptionView>, EventError> {
        let (rows, usage) = {
            let mut conn = self.ctx.db.acquire().await?;
            let rows = trigger_subscription::list(&mut conn, tenant, provider).await?;
            let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
            let usage = trigger_subscription::usage(&mut conn, tenant, &ids).await?;
            (rows, usage)
        };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let provider = self.find(tenant, provider).await?;
        let mut shown = Vec::new();
        for row in rows {
            let opened = self.open(&provider, row).await?;
            let Opened { row, kind, credentials, properties, parameters } = opened;
            let id = row.id.to_string();
            let apps = usage.iter().find(|(of, _)| *of == id).map_or(0, |(_, apps)| *apps);
            let form = provider.credential_form(kind);
            shown.push(SubscriptionView {
                id: row.id,
                name: row.name,
                provider: row.provider_id,
                credential_type: row.credential_type,
                credentials: secret::masked(form, credentials, mask::provider_secret),
                endpoint: self.endpoint(&row.endpoint_id),
                parameters,
                properties: secret::masked(
                    provider.property_form(),
                    properties,
                    mask::provider_secret,
                ),
                workflows_in_use: apps,
            });
        }
        Ok(shown)
    }

    /// The credentials of a subscription, or of a draft of one, in the clear, and their type.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if there is none.
    #[boxed]
    pub async fn credentials(
        &self,
        tenant: TenantId,
        id: &str,
    ) -> Result<(Values, CredentialType), EventError> {
        if let Some(draft) = self.draft_credentials(tenant, id).await? {
            return Ok(draft);
        }
        let (_, opened) = self.opened(tenant, id).await?.ok_or_else(|| unknown(id))?;
        Ok((opened.credentials, opened.kind))
    }

    /// A subscription and its provider.
    pub(super) async fn opened(
        &self,
        tenant: TenantId,
        id: &str,
    ) -> Result<Option<(Provider, Opened)>, EventError> {
        let Some(row) = self.row(tenant, id).await? else { return Ok(None) };
        let provider = self.find(tenant, &row.provider_id).await?;
        let opened = self.open(&provider, row).await?;
        Ok(Some((provider, opened)))
    }

    async fn row(
        &self,
        tenant: TenantId,
        id: &str,
    ) -> Result<Option<TriggerSubscription>, EventError> {
        let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
        let mut conn = self.ctx.db.acquire().await?;
        Ok(trigger_subscription::find(&mut conn, tenant, id).await?)
    }

    /// Stores a new subscription.
    pub(super) async fn add(&self, provider: &Provider, new: New) -> Result<(), EventError> {
        let id = provider.id.to_string();
        let lock = format!("trigger_provider_create_lock:{}_{id}", new.tenant);
        let guard = self.locked(&lock).await?;
        let added = self.add_locked(provider, &id, new).await;
        guard.release().await?;
        added
    }

    async fn add_locked(&self, provider: &Provider, id: &str, new: New) -> Result<(), EventError> {
        let known = {
            let mut conn = self.ctx.db.acquire().await?;
            trigger_subscription::list(&mut conn, new.tenant, id).await?
        };
        if MOST <= known.len() {
            return Err(EventError::Invalid(format!(
                "Maximum number of providers ({MOST}) reached for {id}"
            )));
        }
        if known.iter().any(|row| row.name == new.name) {
            return Err(EventError::Invalid(format!(
                "Credential name '{}' already exists for this provider",
                new.name
            )));
        }
        let credentials = if new.kind == CredentialType::Unauthorized {
            Value::Object(Values::new())
        } else {
            let form = provider.credential_form(new.kind);
            secret::seal(&self.ctx, new.tenant, form, new.credentials).await?
        };
        let form = provider.property_form();
        let row = TriggerSubscription {
            id: new.id,
            name: new.name,
            tenant_id: new.tenant,
            user_id: new.user,
            provider_id: id.to_owned(),
            endpoint_id: new.id.to_string(),
            parameters: Value::Object(new.parameters),
            properties: secret::seal(&self.ctx, new.tenant, form, new.properties).await?,
            credentials,
            credential_type: new.kind.as_str().to_owned(),
            credential_expires_at: column_time(new.credential_expires_at),
            expires_at: column_time(new.expires_at),
        };
        let mut conn = self.ctx.db.acquire().await?;
        Ok(trigger_subscription::insert(&mut conn, &row, self.ctx.now_naive()).await?)
    }

    pub(super) async fn locked(&self, key: &str) -> Result<redis::LockGuard, EventError> {
        let lock = self.ctx.redis.lock(key, LOCK).acquire(LOCK).await?;
        lock.ok_or_else(|| EventError::invalid("Somebody else changes this. Try again."))
    }

    /// Changes a subscription: in our rows where it was made by hand or only its name changes, otherwise also with the
    /// service.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::BadRequest`], what the plugin raises.
    #[boxed]
    pub async fn change(
        &self,
        tenant: TenantId,
        id: &str,
        change: Change,
    ) -> Result<(), EventError> {
        let missing = || EventError::NotFound(format!("Subscription {id} not found"));
        let guard = self.locked(&format!("trigger_subscription_update_lock:{tenant}_{id}")).await?;
        let changed = async {
            let (provider, opened) = self.opened(tenant, id).await?.ok_or_else(missing)?;
            let given = |values: &Option<Values>| values.as_ref().is_some_and(|it| !it.is_empty());
            let only_name = change.name.is_some()
                && ![&change.credentials, &change.parameters, &change.properties]
                    .into_iter()
                    .any(given);
            if only_name || opened.kind == CredentialType::Unauthorized {
                let kept = Change { parameters: None, credentials: None, ..change };
                return self.store(&provider, opened, kept, None).await;
            }
            self.rebuild(&provider, opened, change).await
        };
        let changed = changed.await.map_err(EventError::as_bad_request);
        guard.release().await?;
        changed
    }

    /// Ends a subscription with the service and makes another one under the same address.
    async fn rebuild(
        &self,
        provider: &Provider,
        opened: Opened,
        change: Change,
    ) -> Result<(), EventError> {
        let user = opened.row.user_id.to_string();
        let ended =
            self.daemon()?.unsubscribe(opened.call(&user, provider), &opened.entity(self)).await?;
        if !ended.success {
            let why = ended.message.unwrap_or_else(|| "None".to_owned());
            return Err(EventError::Invalid(format!(
                "Failed to delete previous subscription: {why}"
            )));
        }
        let given = change.credentials.filter(|it| !it.is_empty());
        let credentials = match given {
            Some(given) => secret::keep_hidden(given, &opened.credentials),
            None => opened.credentials.clone(),
        };
        let parameters = change.parameters.filter(|it| !it.is_empty());
        let parameters = parameters.unwrap_or_else(|| opened.parameters.clone());
        let call = TriggerCall { credentials: &credentials, ..opened.call(&user, provider) };
        let endpoint = self.endpoint(&opened.row.endpoint_id);
        let made = self.daemon()?.subscribe(call, &endpoint, &parameters).await?;
        let change = Change {
            name: change.name,
            parameters: Some(parameters),
            properties: None,
            credentials: Some(credentials),
        };
        self.store(provider, opened, change, Some(made)).await
    }

    async fn store(
        &self,
        provider: &Provider,
        opened: Opened,
        change: Change,
        made: Option<Subscription>,
    ) -> Result<(), EventError> {
        let Opened { mut row, kind, credentials, properties, parameters } = opened;
        if let Some(name) = change.name
            && name != row.name
        {
            let mut conn = self.ctx.db.acquire().await?;
            let known =
                trigger_subscription::list(&mut conn, row.tenant_id, &row.provider_id).await?;
            if known.iter().any(|it| it.name == name) {
                return Err(EventError::Invalid(format!(
                    "Subscription name '{name}' already exists for this provider"
                )));
            }
            row.name = name;
        }
        let properties = match change.properties {
            Some(given) => secret::keep_hidden(given, &properties),
            None => properties,
        };
        let (properties, expires_at) = match made {
            Some(made) => (made.properties, column_time(made.expires_at)),
            None => (properties, row.expires_at),
        };
        let credentials = change.credentials.unwrap_or(credentials);
        let tenant = row.tenant_id;
        row.expires_at = expires_at;
        row.parameters = Value::Object(change.parameters.unwrap_or(parameters));
        row.properties =
            secret::seal(&self.ctx, tenant, provider.property_form(), properties).await?;
        row.credentials =
            secret::seal(&self.ctx, tenant, provider.credential_form(kind), credentials).await?;
        self.save(&row).await
    }

    /// Stores a changed row, and makes Python servers beside us forget what they remember of it.
    pub(super) async fn save(&self, row: &TriggerSubscription) -> Result<(), EventError> {
        {
            let mut conn = self.ctx.db.acquire().await?;
            trigger_subscription::update(&mut conn, row, self.ctx.now_naive()).await?;
        }
        self.forget(row).await
    }

    async fn forget(&self, row: &TriggerSubscription) -> Result<(), EventError> {
        let of = format!("tenant_id:{}:provider_id:{}", row.tenant_id, row.provider_id);
        let credentials = format!("trigger_credentials:{of}:credential_id:{}", row.id);
        let properties = format!("trigger_properties:{of}:subscription_id:{}", row.id);
        self.ctx.redis.del(&[&credentials, &properties]).await?;
        Ok(())
    }

    /// Ends a subscription. That the service does not want to end it does not keep ours.
    ///
    /// # Errors
    /// [`EventError::BadRequest`] if there is none.
    #[boxed]
    pub async fn unsubscribe(&self, tenant: TenantId, id: &str) -> Result<(), EventError> {
        let missing =
            || EventError::BadRequest(format!("Trigger provider subscription {id} not found"));
        let row = self.row(tenant, id).await?.ok_or_else(missing)?;
        if kind_of(&row.credential_type)? != CredentialType::Unauthorized
            && let Err(err) = self.end(row.clone()).await
        {
            tracing::warn!(error = %err, subscription.id = %row.id, "a service keeps a subscription we drop");
        }
        let mut tx = self.ctx.db.begin().await?;
        trigger_subscription::delete(&mut tx, tenant, row.id).await?;
        tx.commit().await?;
        self.forget(&row).await
    }

    async fn end(&self, row: TriggerSubscription) -> Result<(), EventError> {
        let provider = self.find(row.tenant_id, &row.provider_id).await?;
        let opened = self.open(&provider, row).await?;
        let user = opened.row.user_id.to_string();
        self.daemon()?.unsubscribe(opened.call(&user, &provider), &opened.entity(self)).await?;
        Ok(())
    }

    /// Checks other credentials for a subscription without storing them.
    ///
    /// # Errors
    /// [`EventError::BadRequest`] if there is none, or they are refused.
    #[boxed]
    pub async fn verify(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        id: &str,
        credentials: Values,
    ) -> Result<(), EventError> {
        let checked = async {
            let provider = self.find(tenant, provider).await?;
            let (_, opened) = self.opened(tenant, id).await?.ok_or_else(|| unknown(id))?;
            if opened.kind != CredentialType::ApiKey {
                return Ok(());
            }
            let credentials = secret::keep_hidden(credentials, &opened.credentials);
            self.check_credentials(tenant, &user.to_string(), &provider, &credentials)
                .await
                .map_err(|err| EventError::Invalid(format!("Invalid credentials: {err}")))
        };
        checked.await.map_err(EventError::as_bad_request)
    }
}

fn unknown(id: &str) -> EventError {
    EventError::Invalid(format!("Subscription {id} not found"))
}
