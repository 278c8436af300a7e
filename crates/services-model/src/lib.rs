//! Model providers of a workspace: what is set up, which credentials a call takes, default models.

pub mod balancing;
pub mod catalog;
pub mod credential;
pub mod custom_model;
mod desk;
pub mod failure;
pub mod plugin_call;
pub mod plugins;
pub mod ready;
pub mod setup;

use boxed::boxed;
use std::{sync::Arc, time::Duration};

use model_runtime::{ModelType, Registry, id::ProviderId, registry::UnknownProvider};
use services_core::{Ctx, Failure, Fault, cache::Cache};
use types::TenantId;

pub use failure::SetupError;
pub use ready::ReadyModel;
pub use setup::Setup;

/// The models of all workspaces: the part of the server's state that calls them. Cheap to clone.
#[derive(Clone)]
pub struct Models {
    ctx: Ctx,
    registry: Registry,
    setups: Cache<TenantId, Arc<Setup>>,
}

/// Why a model cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Nobody has the provider.
    #[error("Provider {} does not exist.", .0.0)]
    UnknownProvider(#[from] UnknownProvider),
    /// The provider or the model has no credentials.
    #[error("Model {0} credentials is not initialized.")]
    NotInitialized(String),
    /// The workspace switched the model off.
    #[error("Model {0} is disabled.")]
    Disabled(String),
    /// The provider has no such model.
    #[error("Model {0} not exist.")]
    Missing(String),
    /// No default model is set.
    #[error("Default model not found for {0}")]
    NoDefault(ModelType),
    /// The model's schema could not be had.
    #[error(transparent)]
    Invoke(#[from] model_runtime::InvokeError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for ModelError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for ModelError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownProvider(_) | Self::Disabled(_) => "invalid_param",
            Self::NotInitialized(_) | Self::NoDefault(_) | Self::Missing(_) => {
                "provider_not_initialize"
            }
            Self::Invoke(_) => "completion_request_error",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl Models {
    /// Models of `registry` for the workspaces of `ctx`.
    #[must_use]
    pub fn new(ctx: Ctx, registry: Registry) -> Self {
        let setups = Cache::new(ctx.invalidation(), 10_000, Duration::from_secs(60));
        Self { ctx, registry, setups }
    }

    /// All providers, set up or not.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The context this was made with.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// What a workspace has set up, secrets decrypted.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn setup(&self, tenant: TenantId) -> Result<Arc<Setup>, Fault> {
        let found = self
            .setups
            .find(tenant, [cache_tag(tenant)], async {
                Setup::load(&self.ctx, &self.registry, tenant)
                    .await
                    .map(|setup| Some(Arc::new(setup)))
            })
            .await?;
        Ok(found.unwrap_or_default())
    }

    /// To be called after every change of a workspace's providers.
    #[boxed]
    pub async fn outdate(&self, tenant: TenantId) {
        self.ctx.invalidation().outdate(&cache_tag(tenant)).await;
    }

    /// A model that can be called.
    ///
    /// # Errors
    /// [`ModelError`].
    #[boxed]
    pub async fn resolve(
        &self,
        tenant: TenantId,
        kind: ModelType,
        provider: &str,
        model: &str,
    ) -> Result<ReadyModel, ModelError> {
        ReadyModel::resolve(self, tenant, kind, provider, model).await
    }

    /// Provider and name of the workspace's default model of a type.
    ///
    /// Without one of its own, the workspace's first usable model of that type counts, as in the reference.
    ///
    /// # Errors
    /// [`ModelError::NoDefault`].
    #[boxed]
    pub async fn default_name(
        &self,
        tenant: TenantId,
        kind: ModelType,
    ) -> Result<(String, String), ModelError> {
        let setup = self.setup(tenant).await?;
        if let Some(row) = setup.default_model(kind) {
            return Ok((row.provider_name.clone(), row.model_name.clone()));
        }
        for provider in self.registry.providers(tenant).await {
            let schema = provider.schema();
            if !setup.is_usable(&schema.provider) {
                continue;
            }
            let declared = schema.models.iter().find(|model| {
                model.model_type == kind
                    && !model.deprecated
                    && setup.is_enabled(&schema.provider, kind, &model.model)
            });
            if let (Some(model), true) =
                (declared, setup.provider_credentials(&schema.provider).is_some())
            {
                return Ok((schema.provider.clone(), model.model.clone()));
            }
            if let Some(added) =
                setup.added_models(&schema.provider).find(|model| model.kind == kind)
            {
                return Ok((schema.provider.clone(), added.name.clone()));
            }
        }
        Err(ModelError::NoDefault(kind))
    }

    /// The workspace's default model of a type.
    ///
    /// # Errors
    /// [`ModelError`].
    #[boxed]
    pub async fn default_model(
        &self,
        tenant: TenantId,
        kind: ModelType,
    ) -> Result<ReadyModel, ModelError> {
        let (provider, model) = self.default_name(tenant, kind).await?;
        self.resolve(tenant, kind, &provider, &model).await
    }
}

/// The tag under which a workspace's setup is kept.
#[must_use]
pub fn cache_tag(tenant: TenantId) -> String {
    format!("models:{tenant}")
}

/// The full id of a provider; a text that is no id stays as it is.
pub(crate) fn full_id(provider: &str) -> String {
    ProviderId::model(provider).map_or_else(|_| provider.to_owned(), |id| id.to_string())
}
