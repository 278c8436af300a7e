//! What every change of a provider begins and ends with: the provider, the names its rows carry, the forms, secrets
//! sealed and opened, and the caches of the reference that hold decrypted values.

use boxed::boxed;
use std::sync::Arc;

use crypto::mask;
use db::provider::model::ModelKey;
use model_runtime::{
    CallContext, Credentials, ModelProvider, ModelType, ProviderSchema, form, id::ProviderId,
};
use serde_json::Value;
use services_core::{Fault, tenant_secret};
use types::{TenantId, pyjson};
use uuid::Uuid;

use crate::{Models, SetupError};

/// A provider of a workspace, about to be changed.
pub(crate) struct Desk<'m> {
    pub models: &'m Models,
    pub tenant: TenantId,
    pub provider: Arc<dyn ModelProvider>,
    /// The full id, then the short name that rows of older releases carry.
    pub names: Vec<String>,
}

/// Whose cached credentials are out of date.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cached {
    Provider(Uuid),
    Model(Uuid),
    Balancing(Uuid),
}

/// The names rows of a provider may carry, the full id first.
pub(crate) fn names(provider: &str) -> Vec<String> {
    let mut names = vec![provider.to_owned()];
    if let Ok(id) = ProviderId::model(provider)
        && id.organization() == "langgenius"
    {
        names.push(id.provider_name().to_owned());
    }
    names
}

impl<'m> Desk<'m> {
    pub async fn open(
        models: &'m Models,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Self, SetupError> {
        let found = models
            .registry()
            .resolve(tenant, provider)
            .await
            .map_err(|_| SetupError::UnknownProvider(provider.to_owned()))?;
        let names = names(&found.schema().provider);
        Ok(Self { models, tenant, provider: found, names })
    }

    pub fn schema(&self) -> &ProviderSchema {
        self.provider.schema()
    }

    pub fn id(&self) -> &str {
        &self.provider.schema().provider
    }

    pub fn key<'a>(&'a self, kind: ModelType, model: &'a str) -> ModelKey<'a> {
        ModelKey { tenant: self.tenant, names: &self.names, model, kind: kind.origin() }
    }

    /// The secret fields of the provider's own form.
    pub fn secrets(&self) -> Vec<&str> {
        self.schema().secrets().collect()
    }

    /// The secret fields of the form of added models.
    pub fn model_secrets(&self) -> Vec<&str> {
        self.schema().model_secrets().collect()
    }

    /// Provider credentials as they are to be stored, if the form and the provider take them.
    #[boxed]
    pub async fn checked(&self, credentials: &Credentials) -> Result<Credentials, SetupError> {
        let form = self.schema().provider_credential_schema.as_ref().ok_or_else(|| {
            SetupError::Invalid(format!(
                "Provider {} does not have provider_credential_schema",
                self.id()
            ))
        })?;
        let credentials = form::check_provider(form, credentials)?;
        let call = CallContext::new(self.tenant);
        Ok(self.provider.check_provider_credentials(&call, credentials).await?)
    }

    /// Credentials of an added model as they are to be stored, if the form and the provider take them.
    #[boxed]
    pub async fn checked_model(
        &self,
        kind: ModelType,
        model: &str,
        credentials: &Credentials,
    ) -> Result<Credentials, SetupError> {
        let form = self.schema().model_credential_schema.as_ref().ok_or_else(|| {
            SetupError::Invalid(format!(
                "Provider {} does not have model_credential_schema",
                self.id()
            ))
        })?;
        let credentials = form::check_model(form, kind, credentials)?;
        let call = CallContext::new(self.tenant);
        Ok(self.provider.check_model_credentials(&call, kind, model, credentials).await?)
    }

    /// The text to store: secrets encrypted, in Python's JSON.
    #[boxed]
    pub async fn seal(
        &self,
        mut credentials: Credentials,
        secrets: &[&str],
    ) -> Result<String, SetupError> {
        let mut fields = Vec::new();
        let mut values = Vec::new();
        for field in secrets {
            if let Some(Value::String(value)) = credentials.get(*field) {
                fields.push(*field);
                values.push(value.clone());
            }
        }
        let tokens = tenant_secret::encrypt_all(self.models.ctx(), self.tenant, values).await?;
        for (field, token) in fields.into_iter().zip(tokens) {
            credentials.insert(field.to_owned(), Value::String(token));
        }
        let text = pyjson::dumps(&credentials)
            .map_err(|err| Fault::caused("credentials do not print", err))?;
        Ok(text)
    }

    /// A stored text with its secrets decrypted; what does not decrypt stays as it is.
    #[boxed]
    pub async fn unseal(&self, stored: &str, secrets: &[&str]) -> Result<Credentials, SetupError> {
        let mut credentials = crate::setup::parse(stored);
        let mut fields = Vec::new();
        let mut tokens = Vec::new();
        for field in secrets {
            if let Some(Value::String(token)) = credentials.get(*field) {
                fields.push(*field);
                tokens.push(token.clone());
            }
        }
        let values = tenant_secret::decrypt_all(self.models.ctx(), self.tenant, tokens).await?;
        for (field, value) in fields.into_iter().zip(values) {
            if let Some(value) = value {
                credentials.insert(field.to_owned(), Value::String(value));
            }
        }
        Ok(credentials)
    }

    /// Puts the stored value where a secret arrived as "keep it".
    #[boxed]
    pub async fn keep_hidden(
        &self,
        given: &mut Credentials,
        stored: &str,
        secrets: &[&str],
    ) -> Result<(), SetupError> {
        let hidden = |field: &&str| given.get(*field).and_then(Value::as_str) == Some(mask::HIDDEN);
        let fields: Vec<&str> = secrets.iter().copied().filter(|field| hidden(field)).collect();
        if fields.is_empty() {
            return Ok(());
        }
        let known = self.unseal(stored, &fields).await?;
        for field in fields {
            if let Some(value) = known.get(field) {
                given.insert(field.to_owned(), value.clone());
            }
        }
        Ok(())
    }

    /// To be called after the commit: nobody serves what was.
    #[boxed]
    pub async fn changed(&self, cached: &[Cached]) -> Result<(), SetupError> {
        self.models.outdate(self.tenant).await;
        if cached.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = cached.iter().map(|cached| cached.key(self.tenant)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.models.ctx().redis.del(&keys).await?;
        Ok(())
    }
}

impl Cached {
    fn key(self, tenant: TenantId) -> String {
        let (kind, id) = match self {
            Self::Provider(id) => ("provider", id),
            Self::Model(id) => ("provider_model", id),
            Self::Balancing(id) => ("load_balancing_provider_model", id),
        };
        format!("{kind}_credentials:tenant_id:{tenant}:id:{id}")
    }
}

/// Credentials as people may see them.
pub(crate) fn masked(credentials: &Credentials, secrets: &[&str]) -> Credentials {
    let mut shown = credentials.clone();
    for (field, value) in &mut shown {
        if let (true, Value::String(secret)) = (secrets.contains(&field.as_str()), &*value) {
            *value = Value::String(mask::obfuscated_token(secret));
        }
    }
    shown
}

/// The next name of the form `API KEY 3`.
pub(crate) fn next_name<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let number = |name: &str| {
        let rest = name.trim().strip_prefix("API KEY")?;
        if !rest.starts_with(char::is_whitespace) {
            return None;
        }
        rest.trim_start().parse::<u64>().ok()
    };
    let last = names.filter_map(number).max().unwrap_or(0);
    format!("API KEY {}", last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_count_on_from_the_highest() {
        for (known, expected) in [
            (vec![], "API KEY 1"),
            (vec!["mine"], "API KEY 1"),
            (vec!["API KEY 1", "API KEY  7 ", "API KEY x", "API KEY9"], "API KEY 8"),
        ] {
            assert_eq!(next_name(known.into_iter()), expected);
        }
    }

    #[test]
    fn rows_of_older_releases_carry_the_short_name() {
        assert_eq!(names("langgenius/openai/openai"), ["langgenius/openai/openai", "openai"]);
        assert_eq!(names("me/openai/openai"), ["me/openai/openai"]);
    }

    #[test]
    fn only_secrets_are_masked() {
        let given = json!({"key": "sk-1234567890", "url": "http://x", "n": 5});
        let shown = masked(given.as_object().unwrap(), &["key", "n"]);
        assert_eq!(
            Value::Object(shown),
            json!({"key": "sk-123************90", "url": "http://x", "n": 5})
        );
    }
}
