//! What a workspace has set up: rows of all provider tables, secrets decrypted, provider names in full.

use std::collections::HashMap;

use db::provider::{
    Credential, DefaultModel, LoadBalancingConfig, ModelSetting, Preference, Provider,
    ProviderModel,
};
use model_runtime::{Credentials, ModelType, Registry, id::ProviderId};
use serde_json::Value;
use services_core::{Ctx, Fault, tenant_secret};
use types::TenantId;
use uuid::Uuid;

/// The name of the load balancing entry that stands for the provider's own credential.
pub const INHERIT: &str = "__inherit__";

/// A workspace's providers. All `provider` arguments are full ids.
#[derive(Debug, Default)]
pub struct Setup {
    /// `providers`.
    pub providers: Vec<Provider>,
    /// Credentials of providers and added models.
    pub credentials: Vec<Credential>,
    /// `provider_models`.
    pub models: Vec<ProviderModel>,
    /// `provider_model_settings`.
    pub settings: Vec<ModelSetting>,
    /// `tenant_default_models`.
    pub defaults: Vec<DefaultModel>,
    /// `tenant_preferred_model_providers`.
    pub preferences: Vec<Preference>,
    /// `load_balancing_model_configs`.
    pub load_balancing: Vec<LoadBalancingConfig>,
    open: HashMap<Uuid, Credentials>,
}

/// A model a workspace added, with the credential in use.
#[derive(Debug, Clone, Copy)]
pub struct AddedModel<'a> {
    /// What it does.
    pub kind: ModelType,
    /// Its id at the provider.
    pub name: &'a String,
    /// Decrypted; `None` if the row names none that exists.
    pub credentials: Option<&'a Credentials>,
}

impl Setup {
    pub(crate) async fn load(
        ctx: &Ctx,
        registry: &Registry,
        tenant: TenantId,
    ) -> Result<Self, Fault> {
        let mut setup = {
            let mut conn = ctx.db.acquire().await?;
            Self {
                providers: db::provider::list(&mut conn, tenant).await?,
                credentials: db::provider::credentials(&mut conn, tenant).await?,
                models: db::provider::models(&mut conn, tenant).await?,
                settings: db::provider::settings(&mut conn, tenant).await?,
                defaults: db::provider::defaults(&mut conn, tenant).await?,
                preferences: db::provider::preferences(&mut conn, tenant).await?,
                load_balancing: db::provider::load_balancing(&mut conn, tenant).await?,
                open: HashMap::new(),
            }
        };
        setup.expand_names();
        setup.open_secrets(ctx, registry, tenant).await?;
        Ok(setup)
    }

    fn expand_names(&mut self) {
        let names = self
            .providers
            .iter_mut()
            .map(|row| &mut row.provider_name)
            .chain(self.credentials.iter_mut().map(|row| &mut row.provider_name))
            .chain(self.models.iter_mut().map(|row| &mut row.provider_name))
            .chain(self.settings.iter_mut().map(|row| &mut row.provider_name))
            .chain(self.defaults.iter_mut().map(|row| &mut row.provider_name))
            .chain(self.preferences.iter_mut().map(|row| &mut row.provider_name))
            .chain(self.load_balancing.iter_mut().map(|row| &mut row.provider_name));
        for name in names {
            if let Ok(id) = ProviderId::model(name) {
                *name = id.to_string();
            }
        }
    }

    async fn open_secrets(
        &mut self,
        ctx: &Ctx,
        registry: &Registry,
        tenant: TenantId,
    ) -> Result<(), Fault> {
        let mut secret_fields: HashMap<String, Vec<String>> = HashMap::new();
        for provider in registry.providers(tenant).await {
            let schema = provider.schema();
            let fields =
                schema.secrets().chain(schema.model_secrets()).map(str::to_owned).collect();
            secret_fields.insert(schema.provider.clone(), fields);
        }
        let stored = self
            .credentials
            .iter()
            .map(|row| (row.id, &row.provider_name, Some(&row.encrypted_config)))
            .chain(
                self.load_balancing
                    .iter()
                    .map(|row| (row.id, &row.provider_name, row.encrypted_config.as_ref())),
            );
        let mut tokens = Vec::new();
        let mut places = Vec::new();
        let mut open = HashMap::new();
        for (id, provider, config) in stored {
            let Some(config) = config else { continue };
            let credentials = parse(config);
            for field in secret_fields.get(provider).into_iter().flatten() {
                if let Some(Value::String(token)) = credentials.get(field) {
                    tokens.push(token.clone());
                    places.push((id, field.clone()));
                }
            }
            open.insert(id, credentials);
        }
        let secrets = tenant_secret::decrypt_all(ctx, tenant, tokens).await?;
        for ((id, field), secret) in places.into_iter().zip(secrets) {
            // As in the reference, what does not decrypt stays as it is.
            if let (Some(credentials), Some(secret)) = (open.get_mut(&id), secret) {
                credentials.insert(field, Value::String(secret));
            }
        }
        self.open = open;
        Ok(())
    }

    /// The decrypted credentials of a row of `credentials` or `load_balancing`.
    #[must_use]
    pub fn opened(&self, id: Uuid) -> Option<&Credentials> {
        self.open.get(&id)
    }

    /// The row of a provider's own (not hosted) credentials.
    #[must_use]
    pub fn custom_provider(&self, provider: &str) -> Option<&Provider> {
        self.providers
            .iter()
            .find(|row| row.provider_name == provider && row.provider_type == "custom")
    }

    /// Which credentials of a provider come first. Without hosted ones that are the workspace's, unless it chose.
    #[must_use]
    pub fn preference(&self, provider: &str) -> &'static str {
        let chosen = self.preferences.iter().find(|row| row.provider_name == provider);
        match chosen.map(|row| row.preferred_provider_type.as_str()) {
            Some("system") => "system",
            _ => "custom",
        }
    }

    /// The credentials in use of a provider.
    #[must_use]
    pub fn provider_credentials(&self, provider: &str) -> Option<&Credentials> {
        let row = self.custom_provider(provider).filter(|row| row.is_valid)?;
        row.credential_id.and_then(|id| self.opened(id))
    }

    /// The models a workspace added to a provider.
    pub fn added_models<'a, 'p>(
        &'a self,
        provider: &'p str,
    ) -> impl Iterator<Item = AddedModel<'a>> + use<'a, 'p> {
        self.models
            .iter()
            .filter(move |row| row.provider_name == provider && row.is_valid)
            .filter_map(|row| {
                Some(AddedModel {
                    kind: row.model_type.parse().ok()?,
                    name: &row.model_name,
                    credentials: row.credential_id.and_then(|id| self.opened(id)),
                })
            })
    }

    /// Whether a provider has credentials or models of the workspace.
    #[must_use]
    pub fn is_usable(&self, provider: &str) -> bool {
        self.provider_credentials(provider).is_some()
            || self.added_models(provider).next().is_some()
    }

    /// The credentials of a model: its own, else its provider's.
    #[must_use]
    pub fn model_credentials(
        &self,
        provider: &str,
        kind: ModelType,
        model: &str,
    ) -> Option<&Credentials> {
        self.added_models(provider)
            .find(|added| added.kind == kind && added.name == model)
            .and_then(|added| added.credentials)
            .or_else(|| self.provider_credentials(provider))
    }

    /// The setting of a model.
    #[must_use]
    pub fn setting(&self, provider: &str, kind: ModelType, model: &str) -> Option<&ModelSetting> {
        self.settings.iter().find(|row| {
            row.provider_name == provider
                && row.model_name == model
                && row.model_type.parse() == Ok(kind)
        })
    }

    /// Whether the workspace offers a model; it does unless switched off.
    #[must_use]
    pub fn is_enabled(&self, provider: &str, kind: ModelType, model: &str) -> bool {
        self.setting(provider, kind, model).is_none_or(|row| row.enabled)
    }

    /// The credentials a model's calls are spread over; empty where they are not spread. One alone is not spreading.
    #[must_use]
    pub fn spread(
        &self,
        provider: &str,
        kind: ModelType,
        model: &str,
    ) -> Vec<&LoadBalancingConfig> {
        if !self.setting(provider, kind, model).is_some_and(|row| row.load_balancing_enabled) {
            return Vec::new();
        }
        let configs: Vec<_> = self
            .load_balancing
            .iter()
            .filter(|row| {
                row.enabled
                    && row.provider_name == provider
                    && row.model_name == model
                    && row.model_type.parse() == Ok(kind)
            })
            .collect();
        if configs.len() < 2 { Vec::new() } else { configs }
    }

    /// The default model of a type. The reference writes the wire name and reads the older one; both count here.
    #[must_use]
    pub fn default_model(&self, kind: ModelType) -> Option<&DefaultModel> {
        self.defaults
            .iter()
            .find(|row| row.model_type == kind.origin())
            .or_else(|| self.defaults.iter().find(|row| row.model_type == kind.as_str()))
    }
}

/// A stored configuration; what is not JSON is an OpenAI key of the earliest releases.
pub(crate) fn parse(config: &str) -> Credentials {
    match serde_json::from_str(config) {
        Ok(Value::Object(credentials)) => credentials,
        _ => Credentials::from_iter([(
            "openai_api_key".to_owned(),
            Value::String(config.to_owned()),
        )]),
    }
}
