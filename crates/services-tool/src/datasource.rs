//! Credentials of providers of sources of documents.

use boxed::boxed;
use std::time::Duration;

use db::datasource_provider::{
    self, DatasourceClient, DatasourceCredential, NewDatasourceCredential,
};
use model_runtime::ProviderId;
use plugin::{
    CredentialType,
    entity::{DatasourceProvider, ProviderConfig},
    oauth::{IncomingRequest, OAuthClient, OAuthCredentials},
};
use serde_json::{Map, Value};
use types::{AccountId, TenantId};
use uuid::Uuid;

mod pages;
mod shown;
mod signing_in;

pub use pages::NotionPages;
pub use shown::{SourceCredentialView, SourceOAuthView, SourceProviderView};

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

    /// Adds a credential, if the plugin accepts it.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a name that is taken, and values the plugin refuses.
    #[boxed]
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
    #[boxed]
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
    #[boxed]
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
    #[boxed]
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
    #[boxed]
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
