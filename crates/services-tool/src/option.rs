//! Choices of parameters that depend on credentials.

use boxed::boxed;
use model_runtime::ProviderId;
use plugin::{CredentialType, entity::ParameterOption};
use serde_json::{Map, Value};
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::{ToolError, builtin::Tools, credential, secret};

/// Which parameter is meant.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// `organisation/plugin`.
    pub plugin_id: &'a str,
    /// The provider's id.
    pub provider: &'a str,
    /// The tool or event.
    pub action: &'a str,
    /// The parameter.
    pub parameter: &'a str,
}

impl Tools {
    /// The choices of a parameter with these credentials.
    ///
    /// # Errors
    /// Those of the daemon and the plugin.
    #[boxed]
    pub async fn options(
        &self,
        tenant: TenantId,
        user: AccountId,
        choice: Choice<'_>,
        credentials: &Map<String, Value>,
        kind: CredentialType,
    ) -> Result<Vec<ParameterOption>, ToolError> {
        let provider: ProviderId = choice
            .provider
            .parse()
            .map_err(|err: model_runtime::InvalidProviderId| ToolError::Invalid(err.to_string()))?;
        let options = self
            .daemon()?
            .dynamic_options(
                tenant,
                &user.to_string(),
                choice.plugin_id,
                &provider,
                choice.action,
                credentials,
                kind,
                choice.parameter,
            )
            .await?;
        Ok(options)
    }

    /// The choices of a tool's parameter with a credential of the workspace: the named one, else the default one.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if there is no such provider or credential.
    #[boxed]
    pub async fn tool_options(
        &self,
        tenant: TenantId,
        user: AccountId,
        choice: Choice<'_>,
        credential: Option<&str>,
    ) -> Result<Vec<ParameterOption>, ToolError> {
        let provider = self.find_builtin(tenant, choice.provider).await?;
        if !provider.needs_credentials() {
            let kind = CredentialType::Unauthorized;
            return self.options(tenant, user, choice, &Map::new(), kind).await;
        }
        let named = credential.filter(|id| !id.is_empty());
        let rows = {
            let mut conn = self.ctx.db.acquire().await?;
            let names = [choice.provider.to_owned()];
            db::tool_builtin_provider::list(&mut conn, tenant, &names).await?
        };
        let id = named.map(|id| id.parse::<Uuid>().unwrap_or_default());
        let row = rows.into_iter().find(|row| id.is_none_or(|id| id == row.id));
        let row = row.ok_or_else(|| {
            let provider = choice.provider;
            ToolError::Invalid(format!(
                "Builtin provider {provider} not found when fetching credentials"
            ))
        })?;
        let kind = credential::kind(&row);
        let secrets = secret::secrets(provider.form(kind));
        let stored = secret::parsed(row.encrypted_credentials.as_deref());
        let values = secret::open(&self.ctx, tenant, &secrets, stored).await?;
        self.options(tenant, user, choice, &values, kind).await
    }
}
