//! OAuth with the services that providers connect to.

use boxed::boxed;
use std::time::Duration;

use db::tool_oauth_client::{self, TenantClient};
use model_runtime::ProviderId;
use plugin::{
    CredentialType,
    entity::ProviderConfig,
    oauth::{IncomingRequest, OAuthClient},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{AccountId, TenantId, pyjson};

use crate::{
    ToolError,
    builtin::{Provider, Tools},
    credential::NewCredential,
    secret,
};

/// How long a user may take at the service.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What the console shows of a provider's OAuth client.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct ClientView {
    pub schema: Vec<ProviderConfig>,
    pub is_oauth_custom_client_enabled: bool,
    pub is_system_oauth_params_exists: bool,
    pub client_params: Map<String, Value>,
    pub redirect_uri: String,
}

/// Who went to a service, kept in Redis until he is back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// The user.
    pub user_id: AccountId,
    /// The plugin.
    pub plugin_id: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The provider's short name.
    pub provider: String,
    /// The credential that is to be renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
}

impl Tools {
    /// Notes that a user goes to a service. The id of the note.
    ///
    /// # Errors
    /// Faults of Redis.
    #[boxed]
    pub async fn depart(&self, journey: &Journey) -> Result<String, ToolError> {
        let id = uuid::Uuid::new_v4().to_string();
        let text = pyjson::dumps(journey)?;
        self.ctx.redis.set_ex(&journey_key(&id), text.as_bytes(), PATIENCE).await?;
        Ok(id)
    }

    /// Who is back. A note serves once.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for an id that is none any more.
    #[boxed]
    pub async fn arrive(&self, id: &str) -> Result<Journey, ToolError> {
        let kept = self.ctx.redis.getdel(&journey_key(id)).await?;
        kept.and_then(|kept| serde_json::from_slice(&kept).ok())
            .ok_or_else(|| ToolError::invalid("context_id is invalid"))
    }

    /// What the console shows of a provider's OAuth client.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider.
    #[boxed]
    pub async fn oauth_client_view(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<ClientView, ToolError> {
        let found = self.find_builtin(tenant, provider).await?;
        let own = self.own_client(tenant, provider).await?;
        let id = tool_id(provider)?;
        let system = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_oauth_client::find_system(&mut conn, &id.plugin_id(), id.provider_name()).await?
        };
        Ok(ClientView {
            is_oauth_custom_client_enabled: own.as_ref().is_some_and(|client| client.enabled),
            is_system_oauth_params_exists: system.is_some()
                && self.is_verified(tenant, &found).await,
            client_params: self.masked_client(tenant, &found, own.as_ref()).await?,
            redirect_uri: self.redirect_uri(provider),
            schema: found.client_form().to_vec(),
        })
    }

    /// Whether a workspace uses a client of its own.
    ///
    /// # Errors
    /// Faults of the database.
    #[boxed]
    pub async fn has_own_client(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<bool, ToolError> {
        Ok(self.own_client(tenant, provider).await?.is_some_and(|client| client.enabled))
    }

    /// The settings of a workspace's own client, secrets masked.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider.
    #[boxed]
    pub async fn own_client_params(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Map<String, Value>, ToolError> {
        let Some(own) = self.own_client(tenant, provider).await? else { return Ok(Map::new()) };
        let found = self.find_builtin(tenant, provider).await?;
        self.masked_client(tenant, &found, Some(&own)).await
    }

    /// Stores the settings of a workspace's own client. Values that arrive as hidden stay.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider.
    #[boxed]
    pub async fn save_own_client(
        &self,
        tenant: TenantId,
        provider: &str,
        params: Map<String, Value>,
        enabled: bool,
    ) -> Result<(), ToolError> {
        let found = self.find_builtin(tenant, provider).await?;
        let id = tool_id(provider)?;
        let secrets = secret::secrets(found.client_form());
        let stored = self.own_client(tenant, provider).await?;
        let stored = secret::parsed(stored.as_ref().map(|it| it.encrypted_oauth_params.as_str()));
        let stored = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        let params = secret::keep_hidden(params, &stored);
        let params = secret::seal(&self.ctx, tenant, &secrets, params).await?;
        let client = TenantClient { enabled, encrypted_oauth_params: pyjson::dumps(&params)? };
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(tool_oauth_client::save(&mut conn, tenant, &plugin, name, &client).await?)
    }

    /// Removes a workspace's own client.
    ///
    /// # Errors
    /// Faults of the database.
    #[boxed]
    pub async fn delete_own_client(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<(), ToolError> {
        let id = tool_id(provider)?;
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(tool_oauth_client::delete(&mut conn, tenant, &plugin, name).await?)
    }

    /// Where to send a user who wants to connect, and the id of the note about it.
    ///
    /// # Errors
    /// [`ToolError::Forbidden`] without a client; what the plugin raises.
    #[boxed]
    pub async fn oauth_url(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
    ) -> Result<(String, String), ToolError> {
        let id = tool_id(provider)?;
        let params = self.client_params(tenant, provider).await?;
        let journey = Journey {
            user_id: user,
            plugin_id: id.plugin_id(),
            tenant_id: tenant,
            provider: id.provider_name().to_owned(),
            credential_id: None,
        };
        let note = self.depart(&journey).await?;
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: &id,
            redirect_uri: &self.redirect_uri(provider),
            system_credentials: &params,
        };
        let url = self.daemon()?.oauth_authorization_url(client).await?;
        Ok((url, note))
    }

    /// Takes in the credential that a user's return is worth.
    ///
    /// # Errors
    /// As [`Tools::oauth_url`], and if the note is gone.
    #[boxed]
    pub async fn oauth_return(
        &self,
        provider: &str,
        note: &str,
        request: IncomingRequest<'_>,
    ) -> Result<(), ToolError> {
        let journey = self.arrive(note).await?;
        let id = tool_id(provider)?;
        let (tenant, user) = (journey.tenant_id, journey.user_id);
        let params = self.client_params(tenant, provider).await?;
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: &id,
            redirect_uri: &self.redirect_uri(provider),
            system_credentials: &params,
        };
        let gained = self.daemon()?.oauth_credentials(client, request).await?;
        if gained.credentials.is_empty() {
            return Err(ToolError::invalid("the plugin credentials failed"));
        }
        let new = NewCredential {
            credentials: gained.credentials,
            name: None,
            kind: CredentialType::Oauth2,
            expires_at: gained.expires_at,
        };
        self.add_credential(tenant, user, provider, new).await
    }

    /// The settings of the client that serves: the workspace's own, else the operator's if the plugin is verified.
    ///
    /// # Errors
    /// [`ToolError::Forbidden`] if there is none.
    pub(crate) async fn client_params(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Map<String, Value>, ToolError> {
        let none = || {
            ToolError::Forbidden(
                "no oauth available client config found for this tool provider".to_owned(),
            )
        };
        let found = self.find_builtin(tenant, provider).await?;
        if let Some(own) = self.own_client(tenant, provider).await?.filter(|it| it.enabled) {
            let secrets = secret::secrets(found.client_form());
            let stored = secret::parsed(Some(&own.encrypted_oauth_params));
            return Ok(secret::open(&self.ctx, tenant, &secrets, stored).await?);
        }
        if !self.is_verified(tenant, &found).await {
            return Err(none());
        }
        let id = tool_id(provider)?;
        let system = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_oauth_client::find_system(&mut conn, &id.plugin_id(), id.provider_name()).await?
        };
        let system = system.ok_or_else(none)?;
        crypto::system_oauth::decrypt(&system, &self.ctx.secret)
            .ok_or_else(|| ToolError::invalid("Error decrypting system oauth params"))
    }

    async fn own_client(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Option<TenantClient>, ToolError> {
        let id = tool_id(provider)?;
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(tool_oauth_client::find(&mut conn, tenant, &plugin, name).await?)
    }

    async fn masked_client(
        &self,
        tenant: TenantId,
        provider: &Provider,
        own: Option<&TenantClient>,
    ) -> Result<Map<String, Value>, ToolError> {
        let Some(own) = own else { return Ok(Map::new()) };
        let secrets = secret::secrets(provider.client_form());
        let stored = secret::parsed(Some(&own.encrypted_oauth_params));
        let plain = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        Ok(secret::masked(&secrets, plain))
    }

    /// Whether somebody checked the plugin of a provider; those of the server count as checked.
    async fn is_verified(&self, tenant: TenantId, provider: &Provider) -> bool {
        let (Some(plugin), Ok(daemon)) = (&provider.plugin, self.daemon()) else { return true };
        let manifest = daemon.find_manifest(tenant, &plugin.unique_identifier).await;
        manifest.is_ok_and(|manifest| manifest.said.verified)
    }

    pub(crate) fn redirect_uri(&self, provider: &str) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!("{base}/console/api/oauth/plugin/{provider}/tool/callback")
    }
}

fn tool_id(provider: &str) -> Result<ProviderId, ToolError> {
    ProviderId::tool(provider).map_err(|err| ToolError::Invalid(err.to_string()))
}

fn journey_key(id: &str) -> String {
    format!("oauth_proxy_context:{id}")
}
