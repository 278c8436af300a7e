//! OAuth with the services that tell about events.

use boxed::boxed;
use std::time::Duration;

use crypto::mask;
use db::trigger_oauth_client::{self, TriggerOAuthClient};
use plugin::{
    entity::ProviderConfig,
    oauth::{IncomingRequest, OAuthClient},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{AccountId, TenantId, pyjson};
use uuid::Uuid;

use super::{
    EventError, Events, Provider, Values,
    builder::{At, BuilderView},
    secret,
};

/// How long somebody may take at the service.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What the console shows of a provider's OAuth client.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct ClientView {
    pub configured: bool,
    pub system_configured: bool,
    pub custom_configured: bool,
    pub oauth_client_schema: Vec<ProviderConfig>,
    pub custom_enabled: bool,
    pub redirect_uri: String,
    pub params: Values,
}

/// Where somebody is sent to allow events.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The service's page.
    pub authorization_url: String,
    /// The draft that gets the credentials.
    pub builder: BuilderView,
    /// The note by which they are known when they come back.
    pub note: String,
}

/// Who went to a service, kept in Redis until they are back.
#[derive(Debug, Serialize, Deserialize)]
struct Journey {
    user_id: AccountId,
    plugin_id: String,
    tenant_id: TenantId,
    provider: String,
    subscription_builder_id: String,
}

impl Events {
    /// What the console shows of a provider's OAuth client.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if the provider is not installed.
    #[boxed]
    pub async fn client(&self, tenant: TenantId, provider: &str) -> Result<ClientView, EventError> {
        let provider = self.find(tenant, provider).await?;
        let own = self.own_client(tenant, &provider).await?;
        let params = match &own {
            Some(own) => {
                let plain = self.opened_client(tenant, &provider, own).await?;
                secret::masked(provider.client_form(), plain, mask::provider_secret)
            }
            None => Values::new(),
        };
        let system = self.system_client(tenant, &provider).await?.is_some();
        Ok(ClientView {
            configured: !params.is_empty() || system,
            system_configured: system,
            custom_configured: !params.is_empty(),
            oauth_client_schema: provider.client_form().to_vec(),
            custom_enabled: own.is_some_and(|own| own.enabled),
            redirect_uri: self.redirect_uri(&provider),
            params,
        })
    }

    /// Stores a workspace's own client, or switches it. Without settings it has none any more, as in the reference.
    ///
    /// # Errors
    /// [`EventError::BadRequest`] if the provider is not installed.
    #[boxed]
    pub async fn save_client(
        &self,
        tenant: TenantId,
        provider: &str,
        params: Option<Values>,
        enabled: Option<bool>,
    ) -> Result<(), EventError> {
        if params.is_none() && enabled.is_none() {
            return Ok(());
        }
        let provider = self.find(tenant, provider).await.map_err(EventError::as_bad_request)?;
        let own = self.own_client(tenant, &provider).await?;
        let sealed = match params {
            None => Value::Object(Values::new()),
            Some(given) => {
                let stored = match &own {
                    Some(own) => self.opened_client(tenant, &provider, own).await?,
                    None => Values::new(),
                };
                let params = secret::keep_hidden(given, &stored);
                secret::seal(&self.ctx, tenant, provider.client_form(), params).await?
            }
        };
        let client = TriggerOAuthClient {
            enabled: enabled.unwrap_or_else(|| own.is_none_or(|own| own.enabled)),
            encrypted_oauth_params: pyjson::dumps(&sealed)?,
        };
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (provider.id.plugin_id(), provider.id.provider_name());
        Ok(trigger_oauth_client::save(&mut conn, tenant, &plugin, name, &client).await?)
    }

    /// Removes a workspace's own client.
    ///
    /// # Errors
    /// [`EventError::BadRequest`] for an id that is none.
    #[boxed]
    pub async fn delete_client(&self, tenant: TenantId, provider: &str) -> Result<(), EventError> {
        let id: model_runtime::ProviderId =
            provider.parse().map_err(|err| EventError::BadRequest(format!("{err}")))?;
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(trigger_oauth_client::delete(&mut conn, tenant, &plugin, name).await?)
    }

    /// Sends somebody to the service to allow events.
    ///
    /// # Errors
    /// [`EventError::NotFound`] without a client, and what the plugin raises.
    #[boxed]
    pub async fn depart(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
    ) -> Result<Departure, EventError> {
        let found = self.find(tenant, provider).await?;
        let client = self
            .client_params(tenant, &found)
            .await?
            .ok_or_else(|| EventError::NotFound(NO_CLIENT.to_owned()))?;
        let builder = self.begin(tenant, user, provider, "oauth2").await?;
        let journey = Journey {
            user_id: user,
            plugin_id: found.id.plugin_id(),
            tenant_id: tenant,
            provider: found.id.provider_name().to_owned(),
            subscription_builder_id: builder.id.clone(),
        };
        let note = Uuid::new_v4().to_string();
        let text = pyjson::dumps(&journey)?;
        self.ctx.redis.set_ex(&journey_key(&note), text.as_bytes(), PATIENCE).await?;
        let user = user.to_string();
        let redirect_uri = self.redirect_uri(&found);
        let client = OAuthClient {
            tenant,
            user: &user,
            provider: &found.id,
            redirect_uri: &redirect_uri,
            system_credentials: &client,
        };
        let authorization_url = self.daemon()?.oauth_authorization_url(client).await?;
        Ok(Departure { authorization_url, builder, note })
    }

    /// Takes in the credentials somebody's return is worth. A note serves once.
    ///
    /// # Errors
    /// [`EventError::Invalid`] if the note is gone, [`EventError::Forbidden`] without a client, what the plugin raises.
    #[boxed]
    pub async fn come_back(
        &self,
        provider: &str,
        note: &str,
        request: IncomingRequest<'_>,
    ) -> Result<(), EventError> {
        let kept = self.ctx.redis.getdel(&journey_key(note)).await?;
        let journey: Journey = kept
            .and_then(|kept| serde_json::from_slice(&kept).ok())
            .ok_or_else(|| EventError::invalid("context_id is invalid"))?;
        let (tenant, user) = (journey.tenant_id, journey.user_id);
        let found = self.find(tenant, provider).await?;
        let client = self.client_params(tenant, &found).await?;
        let client = client.ok_or_else(|| EventError::Forbidden(NO_CLIENT.to_owned()))?;
        let redirect_uri = self.redirect_uri(&found);
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: &found.id,
            redirect_uri: &redirect_uri,
            system_credentials: &client,
        };
        let gained = self.daemon()?.oauth_credentials(client, request).await?;
        if gained.credentials.is_empty() {
            return Err(EventError::invalid("Failed to get OAuth credentials from the provider."));
        }
        let at = At { tenant, user, provider, id: &journey.subscription_builder_id };
        self.arrived(at, gained).await
    }

    /// The client that serves: the workspace's own, else the operator's if the plugin is verified.
    pub(super) async fn client_params(
        &self,
        tenant: TenantId,
        provider: &Provider,
    ) -> Result<Option<Values>, EventError> {
        if let Some(own) = self.own_client(tenant, provider).await?.filter(|own| own.enabled) {
            return self.opened_client(tenant, provider, &own).await.map(Some);
        }
        let Some(system) = self.system_client(tenant, provider).await? else { return Ok(None) };
        let plain = crypto::system_oauth::decrypt(&system, &self.ctx.secret);
        let plain =
            plain.ok_or_else(|| EventError::invalid("Error decrypting system oauth params"))?;
        Ok(Some(plain))
    }

    async fn own_client(
        &self,
        tenant: TenantId,
        provider: &Provider,
    ) -> Result<Option<TriggerOAuthClient>, EventError> {
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (provider.id.plugin_id(), provider.id.provider_name());
        Ok(trigger_oauth_client::find(&mut conn, tenant, &plugin, name).await?)
    }

    async fn opened_client(
        &self,
        tenant: TenantId,
        provider: &Provider,
        own: &TriggerOAuthClient,
    ) -> Result<Values, EventError> {
        let stored = serde_json::from_str(&own.encrypted_oauth_params).unwrap_or_default();
        Ok(secret::open(&self.ctx, tenant, provider.client_form(), &stored).await?)
    }

    async fn system_client(
        &self,
        tenant: TenantId,
        provider: &Provider,
    ) -> Result<Option<String>, EventError> {
        let package = &provider.entity.plugin_unique_identifier;
        let manifest = self.daemon()?.find_manifest(tenant, package).await;
        if !manifest.is_ok_and(|manifest| manifest.said.verified) {
            return Ok(None);
        }
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (provider.id.plugin_id(), provider.id.provider_name());
        Ok(trigger_oauth_client::find_system(&mut conn, &plugin, name).await?)
    }

    pub(super) fn redirect_uri(&self, provider: &Provider) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!("{base}/console/api/oauth/plugin/{}/trigger/callback", provider.id)
    }
}

const NO_CLIENT: &str = "No OAuth client configuration found for this trigger provider";

fn journey_key(note: &str) -> String {
    format!("oauth_proxy_context:{note}")
}
