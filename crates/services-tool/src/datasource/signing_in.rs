//! OAuth with services that sources connect to.

use super::{
    CredentialType, DatasourceClient, IncomingRequest, Journey, NewDatasourceCredential,
    OAuthClient, OAuthCredentials, ProviderId, ToolError, Tools, Value, Values, counted,
    datasource_provider, form, id_of, is_of, secret,
};
use boxed::boxed;
use types::{AccountId, TenantId};

impl Tools {
    /// Stores a workspace's own client of a provider. Values that arrive as hidden stay.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if the provider knows no OAuth.
    #[boxed]
    pub async fn save_source_client(
        &self,
        tenant: TenantId,
        provider: &str,
        params: Values,
        enabled: bool,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let secrets = self.source_client_secrets(tenant, &id).await?;
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let known = self.source_client(tenant, &id).await?;
        let stored = known.and_then(|it| it.client_params.as_object().cloned()).unwrap_or_default();
        let stored = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        let params = secret::keep_hidden(params, &stored);
        let params = secret::seal(&self.ctx, tenant, &secrets, params).await?;
        let client = DatasourceClient {
            provider: id.provider_name().to_owned(),
            plugin_id: id.plugin_id(),
            client_params: Value::Object(params),
            enabled,
        };
        let mut conn = self.ctx.db.acquire().await?;
        Ok(datasource_provider::save_client(&mut conn, tenant, &client).await?)
    }

    /// Removes a workspace's own client of a provider.
    ///
    /// # Errors
    /// Faults of the database.
    #[boxed]
    pub async fn delete_source_client(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(datasource_provider::delete_client(&mut conn, tenant, &plugin, name).await?)
    }

    /// Where to send a user who wants to connect, and the id of the note about it. `credential`: the one to renew.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] without a client; what the plugin raises.
    #[boxed]
    pub async fn source_oauth_url(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        credential: Option<String>,
    ) -> Result<(String, String), ToolError> {
        let id = id_of(provider)?;
        let params = self.source_client_params(tenant, &id).await?;
        let journey = Journey {
            user_id: user,
            plugin_id: id.plugin_id(),
            tenant_id: tenant,
            provider: id.provider_name().to_owned(),
            credential_id: credential,
        };
        let note = self.depart(&journey).await?;
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: &id,
            redirect_uri: &self.source_redirect_uri(provider),
            system_credentials: &params,
        };
        Ok((self.daemon()?.oauth_authorization_url(client).await?, note))
    }

    /// Takes in the credential that a user's return is worth.
    ///
    /// # Errors
    /// As [`Tools::source_oauth_url`], and if the note is gone.
    #[boxed]
    pub async fn source_oauth_return(
        &self,
        provider: &str,
        note: &str,
        request: IncomingRequest<'_>,
    ) -> Result<(), ToolError> {
        let journey = self.arrive(note).await?;
        let id = id_of(provider)?;
        let (tenant, user) = (journey.tenant_id, journey.user_id);
        let params = self.source_client_params(tenant, &id).await?;
        let client = OAuthClient {
            tenant,
            user: &user.to_string(),
            provider: &id,
            redirect_uri: &self.source_redirect_uri(provider),
            system_credentials: &params,
        };
        let gained = self.daemon()?.oauth_credentials(client, request).await?;
        self.take_source(tenant, &id, gained, journey.credential_id.as_deref()).await
    }

    async fn take_source(
        &self,
        tenant: TenantId,
        id: &ProviderId,
        gained: OAuthCredentials,
        renewed: Option<&str>,
    ) -> Result<(), ToolError> {
        let kind = CredentialType::Oauth2;
        let found = self.find_source(tenant, id).await?;
        let secrets = secret::secrets(form(&found, kind));
        let sealed = secret::seal(&self.ctx, tenant, &secrets, gained.credentials).await?;
        let sealed = Value::Object(sealed);
        let text = |name: &str| {
            gained.metadata.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
        };
        let expires_at = i32::try_from(gained.expires_at).unwrap_or(i32::MAX);
        if let Some(credential) = renewed {
            let row = self.source_row(tenant, id, credential).await?;
            let row = row.ok_or_else(|| ToolError::invalid("provider not found"))?;
            let mut conn = self.ctx.db.acquire().await?;
            let (sealed, until, avatar) = (Some(&sealed), Some(expires_at), text("avatar_url"));
            return Ok(datasource_provider::update(
                &mut conn, tenant, row.id, None, sealed, until, avatar,
            )
            .await?);
        }
        let known = self.source_rows(tenant).await?;
        let names = known.iter().filter(|row| is_of(row, id)).map(|row| row.name.as_str());
        let name = match text("name") {
            Some(name) if names.clone().any(|known| known == name) => counted(names, name),
            Some(name) => name.to_owned(),
            None => counted(names, kind.label()),
        };
        let row = NewDatasourceCredential {
            tenant,
            name: &name,
            provider: id.provider_name(),
            plugin_id: &id.plugin_id(),
            auth_type: kind.as_str(),
            encrypted_credentials: &sealed,
            avatar_url: Some(text("avatar_url").unwrap_or("default")),
            expires_at,
        };
        self.insert_source(id, row).await
    }

    async fn source_client(
        &self,
        tenant: TenantId,
        id: &ProviderId,
    ) -> Result<Option<DatasourceClient>, ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        let clients = datasource_provider::list_clients(&mut conn, tenant).await?;
        let mine = |it: &DatasourceClient| {
            it.plugin_id == id.plugin_id() && it.provider == id.provider_name()
        };
        Ok(clients.into_iter().find(mine))
    }

    async fn source_client_secrets(
        &self,
        tenant: TenantId,
        id: &ProviderId,
    ) -> Result<Vec<String>, ToolError> {
        let found = self.find_source(tenant, id).await?;
        let schema = found.declaration.entry.oauth_schema;
        let schema = schema
            .ok_or_else(|| ToolError::invalid("Datasource provider oauth schema not found"))?;
        Ok(secret::secrets(&schema.client_schema).into_iter().map(str::to_owned).collect())
    }

    /// The settings of the client that serves: the workspace's own, else the operator's if the plugin is verified.
    pub(super) async fn source_client_params(
        &self,
        tenant: TenantId,
        id: &ProviderId,
    ) -> Result<Values, ToolError> {
        if let Some(own) = self.source_client(tenant, id).await?.filter(|it| it.enabled) {
            let secrets = self.source_client_secrets(tenant, id).await?;
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let stored = own.client_params.as_object().cloned().unwrap_or_default();
            return Ok(secret::open(&self.ctx, tenant, &secrets, stored).await?);
        }
        let found = self.find_source(tenant, id).await?;
        let manifest = self.daemon()?.find_manifest(tenant, &found.plugin_unique_identifier).await;
        if manifest.is_ok_and(|manifest| manifest.said.verified) {
            let mut conn = self.ctx.db.acquire().await?;
            let (plugin, name) = (id.plugin_id(), id.provider_name());
            let system = datasource_provider::find_system_client(&mut conn, &plugin, name).await?;
            if let Some(Value::Object(params)) = system {
                return Ok(params);
            }
        }
        Err(ToolError::Invalid(format!(
            "Please configure oauth client params(system/tenant) for {}/{}",
            id.plugin_id(),
            id.provider_name()
        )))
    }
}
