//! Credentials of providers of sources of documents.

use std::time::Duration;

use db::datasource_provider::{
    self, DatasourceClient, DatasourceCredential, NewDatasourceCredential,
};
use model_runtime::ProviderId;
use plugin::{
    CredentialType,
    entity::{DatasourceProvider, I18n, ProviderConfig},
    oauth::{IncomingRequest, OAuthClient, OAuthCredentials},
};
use serde::Serialize;
use serde_json::{Map, Value};
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::{ToolError, builtin::Tools, credential::counted, oauth::Journey, secret};

/// Plugins that older pages of the console offer by themselves.
const WELL_KNOWN: [&str; 4] = [
    "langgenius/firecrawl_datasource",
    "langgenius/notion_datasource",
    "langgenius/jina_datasource",
    "watercrawl/watercrawl_datasource",
];
/// How long one addition holds others back.
const LOCK: Duration = Duration::from_secs(20);

type Values = Map<String, Value>;

/// A credential as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct SourceCredentialView {
    /// Secrets masked.
    pub credential: Values,
    pub r#type: String,
    pub name: String,
    pub avatar_url: Option<String>,
    pub id: Uuid,
    pub is_default: bool,
}

/// A provider's OAuth client as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct SourceOAuthView {
    pub client_schema: Vec<ProviderConfig>,
    pub credentials_schema: Vec<ProviderConfig>,
    /// Secrets masked.
    pub oauth_custom_client_params: Option<Values>,
    pub is_oauth_custom_client_enabled: bool,
    pub is_system_oauth_params_exists: bool,
    pub redirect_uri: String,
}

/// A provider as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct SourceProviderView {
    pub provider: String,
    pub plugin_id: String,
    pub plugin_unique_identifier: String,
    pub icon: String,
    pub name: String,
    pub label: I18n,
    pub description: I18n,
    pub author: String,
    pub credentials_list: Vec<SourceCredentialView>,
    pub credential_schema: Vec<ProviderConfig>,
    pub oauth_schema: Option<SourceOAuthView>,
}

fn id_of(provider: &str) -> Result<ProviderId, ToolError> {
    provider
        .parse()
        .map_err(|err: model_runtime::InvalidProviderId| ToolError::Invalid(err.to_string()))
}

fn is_of(row: &DatasourceCredential, id: &ProviderId) -> bool {
    row.plugin_id == id.plugin_id() && row.provider == id.provider_name()
}

fn form(provider: &DatasourceProvider, kind: CredentialType) -> &[ProviderConfig] {
    let entry = &provider.declaration.entry;
    match kind {
        CredentialType::ApiKey => &entry.credentials_schema,
        CredentialType::Oauth2 => {
            entry.oauth_schema.as_ref().map_or(&[], |schema| &schema.credentials_schema)
        }
        CredentialType::Unauthorized => &[],
    }
}

fn kind_of(row: &DatasourceCredential) -> CredentialType {
    CredentialType::of(&row.auth_type).unwrap_or(CredentialType::ApiKey)
}

fn is_used() -> ToolError {
    ToolError::invalid("Authorization name is already exists")
}

impl Tools {
    async fn source_rows(&self, tenant: TenantId) -> Result<Vec<DatasourceCredential>, ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        Ok(datasource_provider::list(&mut conn, tenant).await?)
    }

    async fn find_source(
        &self,
        tenant: TenantId,
        id: &ProviderId,
    ) -> Result<DatasourceProvider, ToolError> {
        Ok(self.daemon()?.find_datasource_provider(tenant, id).await?)
    }

    /// The credentials a workspace has of a provider, the one in use first.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for an id that is none.
    pub async fn source_credentials(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Vec<SourceCredentialView>, ToolError> {
        let id = id_of(provider)?;
        let mut rows = self.source_rows(tenant).await?;
        rows.retain(|row| is_of(row, &id));
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.find_source(tenant, &id).await?;
        self.source_views(tenant, &found, rows).await
    }

    async fn source_views(
        &self,
        tenant: TenantId,
        provider: &DatasourceProvider,
        rows: Vec<DatasourceCredential>,
    ) -> Result<Vec<SourceCredentialView>, ToolError> {
        let mut views = Vec::with_capacity(rows.len());
        for (place, row) in rows.into_iter().enumerate() {
            let secrets = secret::secrets(form(provider, kind_of(&row)));
            let stored = row.encrypted_credentials.as_object().cloned().unwrap_or_default();
            let plain = secret::open(&self.ctx, tenant, &secrets, stored).await?;
            views.push(SourceCredentialView {
                credential: secret::masked(&secrets, plain),
                r#type: row.auth_type,
                name: row.name,
                avatar_url: row.avatar_url,
                id: row.id,
                is_default: place == 0,
            });
        }
        Ok(views)
    }

    /// All providers of sources with the workspace's credentials; only those older pages offer if `well_known`.
    ///
    /// # Errors
    /// Faults of the ground and of the plugin daemon.
    pub async fn source_providers(
        &self,
        tenant: TenantId,
        well_known: bool,
    ) -> Result<Vec<SourceProviderView>, ToolError> {
        // Without a plugin daemon no plugin is installed.
        let Some(daemon) = &self.daemon else { return Ok(Vec::new()) };
        let mut listed = daemon.list_datasource_providers(tenant).await?;
        listed.retain(|it| !well_known || WELL_KNOWN.contains(&it.plugin_id.as_str()));
        let rows = self.source_rows(tenant).await?;
        let clients = {
            let mut conn = self.ctx.db.acquire().await?;
            datasource_provider::list_clients(&mut conn, tenant).await?
        };
        let mut views = Vec::with_capacity(listed.len());
        for provider in listed {
            let id = id_of(&format!("{}/{}", provider.plugin_id, provider.provider))?;
            let own = rows.iter().filter(|row| is_of(row, &id)).cloned().collect();
            let credentials_list = self.source_views(tenant, &provider, own).await?;
            let client = clients
                .iter()
                .find(|it| it.plugin_id == provider.plugin_id && it.provider == provider.provider);
            let oauth_schema = self.source_oauth_view(tenant, &provider, &id, client).await?;
            let entry = provider.declaration.entry;
            views.push(SourceProviderView {
                provider: provider.provider,
                plugin_id: provider.plugin_id,
                plugin_unique_identifier: provider.plugin_unique_identifier,
                icon: self.plugin_icon(tenant, &entry.identity.icon),
                name: id.provider_name().to_owned(),
                label: entry.identity.label,
                description: entry.identity.description,
                author: entry.identity.author,
                credentials_list,
                credential_schema: entry.credentials_schema,
                oauth_schema,
            });
        }
        Ok(views)
    }

    /// All providers of sources as pipelines see them, the one for files first.
    ///
    /// # Errors
    /// Faults of the ground and of the plugin daemon.
    pub async fn pipeline_sources(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<DatasourceProvider>, ToolError> {
        let mut listed = vec![plugin::datasource::file_provider()];
        if let Some(daemon) = &self.daemon {
            listed.extend(daemon.list_datasource_providers(tenant).await?);
        }
        let rows = self.source_rows(tenant).await?;
        for provider in &mut listed {
            provider.is_authorized = rows.iter().any(|row| {
                row.plugin_id == provider.plugin_id && row.provider == provider.provider
            });
            let icon = &mut provider.declaration.entry.identity.icon;
            if !icon.contains("://") {
                *icon = self.plugin_icon(tenant, icon);
            }
        }
        Ok(listed)
    }

    async fn source_oauth_view(
        &self,
        tenant: TenantId,
        provider: &DatasourceProvider,
        id: &ProviderId,
        client: Option<&DatasourceClient>,
    ) -> Result<Option<SourceOAuthView>, ToolError> {
        let Some(schema) = provider.declaration.entry.oauth_schema.clone() else {
            return Ok(None);
        };
        let system = {
            let mut conn = self.ctx.db.acquire().await?;
            let (plugin, name) = (id.plugin_id(), id.provider_name());
            datasource_provider::find_system_client(&mut conn, &plugin, name).await?
        };
        let shown = match client {
            Some(client) => {
                let secrets = secret::secrets(&schema.client_schema);
                let stored = client.client_params.as_object().cloned().unwrap_or_default();
                let plain = secret::open(&self.ctx, tenant, &secrets, stored).await?;
                Some(secret::masked(&secrets, plain))
            }
            None => None,
        };
        Ok(Some(SourceOAuthView {
            oauth_custom_client_params: shown,
            is_oauth_custom_client_enabled: client.is_some_and(|client| client.enabled),
            is_system_oauth_params_exists: system.is_some(),
            redirect_uri: self.source_redirect_uri(&id.to_string()),
            client_schema: schema.client_schema,
            credentials_schema: schema.credentials_schema,
        }))
    }

    /// Adds a credential, if the plugin accepts it.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a name that is taken, and values the plugin refuses.
    pub async fn add_source_credential(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        name: Option<String>,
        credentials: Values,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let kind = CredentialType::ApiKey;
        let known = self.source_rows(tenant).await?;
        let names = known.iter().filter(|row| is_of(row, &id)).map(|row| row.name.as_str());
        let name = name.filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| counted(names.clone(), kind.label()));
        if names.into_iter().any(|known| known == name) {
            return Err(is_used());
        }
        self.check_source(tenant, user, &id, &credentials).await?;
        let found = self.find_source(tenant, &id).await?;
        let secrets = secret::secrets(form(&found, kind));
        let sealed = secret::seal(&self.ctx, tenant, &secrets, credentials).await?;
        let row = NewDatasourceCredential {
            tenant,
            name: &name,
            provider: id.provider_name(),
            plugin_id: &id.plugin_id(),
            auth_type: kind.as_str(),
            encrypted_credentials: &Value::Object(sealed),
            avatar_url: Some("default"),
            expires_at: -1,
        };
        self.insert_source(&id, row).await
    }

    /// Stores a credential, unless one of its name was stored meanwhile.
    async fn insert_source(
        &self,
        id: &ProviderId,
        row: NewDatasourceCredential<'_>,
    ) -> Result<(), ToolError> {
        let tenant = row.tenant;
        let lock = format!("datasource_provider_create_lock:{tenant}_{id}_{}", row.auth_type);
        let lock = self.ctx.redis.lock(&lock, LOCK).acquire(LOCK).await?;
        let Some(lock) = lock else {
            return Err(ToolError::invalid("another credential is being added, please try again"));
        };
        let stored = async {
            let mut tx = self.ctx.db.begin().await?;
            let known = datasource_provider::list(&mut tx, tenant).await?;
            if known.iter().any(|it| is_of(it, id) && it.name == row.name) {
                return Err(is_used());
            }
            datasource_provider::insert(&mut tx, row).await?;
            tx.commit().await?;
            Ok(())
        }
        .await;
        lock.release().await?;
        stored
    }

    async fn check_source(
        &self,
        tenant: TenantId,
        user: AccountId,
        id: &ProviderId,
        credentials: &Values,
    ) -> Result<(), ToolError> {
        let user = user.to_string();
        let checked =
            self.daemon()?.check_datasource_credentials(tenant, &user, id, credentials).await;
        checked
            .map(|_| ())
            .map_err(|err| ToolError::Invalid(format!("Failed to validate credentials: {err}")))
    }

    async fn source_row(
        &self,
        tenant: TenantId,
        provider: &ProviderId,
        credential: &str,
    ) -> Result<Option<DatasourceCredential>, ToolError> {
        let Ok(id) = credential.parse::<Uuid>() else { return Ok(None) };
        let rows = self.source_rows(tenant).await?;
        Ok(rows.into_iter().find(|row| row.id == id && is_of(row, provider)))
    }

    /// Changes a credential, if the plugin accepts it. Values that arrive as hidden stay.
    ///
    /// # Errors
    /// As [`Tools::add_source_credential`], and for one that is gone.
    pub async fn update_source_credential(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        credential: &str,
        name: Option<String>,
        credentials: Values,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let row = self.source_row(tenant, &id, credential).await?;
        let row = row.ok_or_else(|| ToolError::invalid("Datasource provider not found"))?;
        let name = name.filter(|name| !name.is_empty() && *name != row.name);
        self.check_source_name(tenant, &id, name.as_deref()).await?;
        let sealed = if credentials.is_empty() {
            None
        } else {
            let found = self.find_source(tenant, &id).await?;
            let secrets = secret::secrets(form(&found, kind_of(&row)));
            let stored = row.encrypted_credentials.as_object().cloned().unwrap_or_default();
            let stored = secret::open(&self.ctx, tenant, &secrets, stored).await?;
            let given = secret::keep_hidden(credentials, &stored);
            self.check_source(tenant, user, &id, &given).await?;
            let sealed = secret::seal(&self.ctx, tenant, &secrets, given).await?;
            Some(Value::Object(sealed))
        };
        let mut conn = self.ctx.db.acquire().await?;
        let (name, sealed) = (name.as_deref(), sealed.as_ref());
        Ok(datasource_provider::update(&mut conn, tenant, row.id, name, sealed, None, None).await?)
    }

    async fn check_source_name(
        &self,
        tenant: TenantId,
        id: &ProviderId,
        name: Option<&str>,
    ) -> Result<(), ToolError> {
        let Some(name) = name else { return Ok(()) };
        let known = self.source_rows(tenant).await?;
        if known.iter().any(|row| is_of(row, id) && row.name == name) {
            return Err(is_used());
        }
        Ok(())
    }

    /// Renames a credential.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a name that is taken, and a credential that is gone.
    pub async fn rename_source_credential(
        &self,
        tenant: TenantId,
        provider: &str,
        credential: &str,
        name: &str,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let row = self.source_row(tenant, &id, credential).await?;
        let row = row.ok_or_else(|| ToolError::invalid("provider not found"))?;
        if row.name == name {
            return Ok(());
        }
        self.check_source_name(tenant, &id, Some(name)).await?;
        let mut conn = self.ctx.db.acquire().await?;
        let name = Some(name);
        Ok(datasource_provider::update(&mut conn, tenant, row.id, name, None, None, None).await?)
    }

    /// Makes a credential the one in use where none is named.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a credential that is gone.
    pub async fn make_source_credential_default(
        &self,
        tenant: TenantId,
        provider: &str,
        credential: &str,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let row = self.source_row(tenant, &id, credential).await?;
        let row = row.ok_or_else(|| ToolError::invalid("provider not found"))?;
        let mut conn = self.ctx.db.acquire().await?;
        let (plugin, name) = (id.plugin_id(), id.provider_name());
        Ok(datasource_provider::make_default(&mut conn, tenant, &plugin, name, row.id).await?)
    }

    /// Removes a credential; one that is gone is removed.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn delete_source_credential(
        &self,
        tenant: TenantId,
        provider: &str,
        credential: &str,
    ) -> Result<(), ToolError> {
        let id = id_of(provider)?;
        let Some(row) = self.source_row(tenant, &id, credential).await? else { return Ok(()) };
        let mut conn = self.ctx.db.acquire().await?;
        Ok(datasource_provider::delete(&mut conn, tenant, row.id).await?)
    }

    fn source_redirect_uri(&self, provider: &str) -> String {
        let base = self.ctx.config.feature.console_api_url.trim_end_matches('/');
        format!("{base}/console/api/oauth/plugin/{provider}/datasource/callback")
    }
}

mod signing_in;
