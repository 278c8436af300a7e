//! Subscriptions that would end: prolonged with their services ahead of time.

use boxed::boxed;
use std::time::Duration;

use db::trigger_subscription::{self, Due};
use jobs::{Job, tasks};
use plugin::{CredentialType, oauth::OAuthClient};
use serde_json::Value;
use services_core::Fault;
use types::TenantId;
use uuid::Uuid;

use super::{EventError, Events, Opened, Provider, column_time, secret};

impl Events {
    /// Queues the renewal of subscriptions that are due at `now` (Unix seconds) and not being renewed already; answers
    /// how many.
    ///
    /// # Errors
    /// Faults of database, Redis and queue. What is queued until then stays queued.
    #[boxed]
    pub async fn queue_due(&self, now: i64) -> Result<usize, EventError> {
        let settings = &self.ctx.config.feature;
        let credentials = column_time(now + settings.trigger_provider_credential_threshold_seconds);
        let until = column_time(now + settings.trigger_provider_subscription_threshold_seconds);
        let page = settings.trigger_provider_refresh_batch_size.max(1);
        let (mut after, mut queued) = (Uuid::nil(), 0);
        loop {
            let due = {
                let mut conn = self.ctx.db.acquire().await?;
                trigger_subscription::due(&mut conn, credentials, until, after, page).await?
            };
            let Some(last) = due.last() else { return Ok(queued) };
            after = last.id;
            for one in due {
                queued += usize::from(self.queue_one(one).await?);
            }
        }
    }

    async fn queue_one(&self, due: Due) -> Result<bool, EventError> {
        let key = lock_key(due.tenant_id, due.id);
        if !self.ctx.redis.set_nx_ex(&key, "1", self.lock_time()).await? {
            return Ok(false);
        }
        let job = Job::new(tasks::TRIGGER_SUBSCRIPTION_REFRESH)
            .set("tenant_id", due.tenant_id)
            .set("subscription_id", due.id);
        if let Err(err) = self.ctx.jobs.enqueue(job).await {
            self.ctx.redis.del(&[&key]).await?;
            return Err(Fault::caused("a renewal could not be queued", err).into());
        }
        Ok(true)
    }

    fn lock_time(&self) -> Duration {
        let seconds = self.ctx.config.feature.trigger_provider_subscription_threshold_seconds;
        Duration::from_secs(u64::try_from(seconds.max(300)).unwrap_or(300))
    }

    /// Renews the credentials and the time of a subscription, as far as they are due at `now` (Unix seconds).
    ///
    /// # Errors
    /// Faults of the ground. What the plugin raises is logged: the next round tries again.
    #[boxed]
    pub async fn renew(&self, tenant: TenantId, id: Uuid, now: i64) -> Result<(), EventError> {
        let key = lock_key(tenant, id);
        if self.ctx.redis.get(&key).await?.is_none() {
            return Ok(());
        }
        let renewed = self.renew_now(tenant, id, now).await;
        self.ctx.redis.del(&[&key]).await?;
        match renewed {
            Err(EventError::Fault(fault)) => Err(fault.into()),
            Err(err) => {
                tracing::warn!(error = %err, subscription.id = %id, "a subscription was not renewed");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn renew_now(&self, tenant: TenantId, id: Uuid, now: i64) -> Result<(), EventError> {
        let settings = &self.ctx.config.feature;
        let is_due = |at: i32, early: i64| at != -1 && i64::from(at) <= now + early;
        let Some((provider, opened)) = self.opened(tenant, &id.to_string()).await? else {
            return Ok(());
        };
        let early = settings.trigger_provider_credential_threshold_seconds;
        let mut opened = opened;
        if opened.kind == CredentialType::Oauth2 && is_due(opened.row.credential_expires_at, early)
        {
            opened = self.renew_credentials(&provider, opened).await?;
        }
        let early = settings.trigger_provider_subscription_threshold_seconds;
        if is_due(opened.row.expires_at, early) {
            self.prolong(&provider, opened).await?;
        }
        Ok(())
    }

    async fn renew_credentials(
        &self,
        provider: &Provider,
        mut opened: Opened,
    ) -> Result<Opened, EventError> {
        let tenant = opened.row.tenant_id;
        let client = self.client_params(tenant, provider).await?.unwrap_or_default();
        let redirect_uri = self.redirect_uri(provider);
        let user = opened.row.user_id.to_string();
        let client = OAuthClient {
            tenant,
            user: &user,
            provider: &provider.id,
            redirect_uri: &redirect_uri,
            system_credentials: &client,
        };
        let gained = self.daemon()?.oauth_refresh(client, &opened.credentials).await?;
        opened.credentials = gained.credentials;
        opened.row.credential_expires_at = column_time(gained.expires_at);
        self.save_opened(provider, &mut opened).await?;
        Ok(opened)
    }

    async fn prolong(&self, provider: &Provider, mut opened: Opened) -> Result<(), EventError> {
        let call = opened.call("system", provider);
        let prolonged = self.daemon()?.refresh_subscription(call, &opened.entity(self)).await?;
        opened.properties = prolonged.properties;
        opened.row.expires_at = column_time(prolonged.expires_at);
        self.save_opened(provider, &mut opened).await
    }

    async fn save_opened(
        &self,
        provider: &Provider,
        opened: &mut Opened,
    ) -> Result<(), EventError> {
        let tenant = opened.row.tenant_id;
        let form = provider.credential_form(opened.kind);
        opened.row.credentials =
            secret::seal(&self.ctx, tenant, form, opened.credentials.clone()).await?;
        opened.row.properties =
            secret::seal(&self.ctx, tenant, provider.property_form(), opened.properties.clone())
                .await?;
        opened.row.parameters = Value::Object(opened.parameters.clone());
        self.save(&opened.row).await
    }
}

fn lock_key(tenant: TenantId, id: Uuid) -> String {
    format!("trigger_provider_refresh_lock:{tenant}_{id}")
}
