//! Sources and their credentials as they are shown.

use boxed::boxed;
use plugin::entity::{I18n, ProviderConfig};
use serde::Serialize;
use types::TenantId;
use uuid::Uuid;

use super::{
    DatasourceClient, DatasourceCredential, DatasourceProvider, ProviderId, ToolError, Tools,
    Values, WELL_KNOWN, datasource_provider, form, id_of, is_of, kind_of, secret,
};

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

impl Tools {
    /// The credentials a workspace has of a provider, the one in use first.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for an id that is none.
    #[boxed]
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
    #[boxed]
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
    #[boxed]
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
}
