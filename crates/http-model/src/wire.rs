//! Wire types several resources share.

use http_core::ApiError;
use model_runtime::{Feature, FetchFrom, I18n, ModelProvider, ModelType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_core::Ctx;
use services_model::{
    catalog::{ModelState, UsableModels},
    credential::CredentialName,
};
use types::TenantId;
use uuid::Uuid;

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    result: &'static str,
}

impl Done {
    /// It worked.
    pub(crate) const fn new() -> Self {
        Self { result: "success" }
    }
}

/// What came of a check of credentials.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Checked {
    /// `success` or `error`.
    result: &'static str,
    /// The provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Checked {
    /// The outcome of a check; only the provider's refusal is an outcome, everything else stays an error.
    pub(crate) fn of(outcome: Result<(), services_model::SetupError>) -> Result<Self, ApiError> {
        match outcome {
            Ok(()) => Ok(Self { result: "success", error: None }),
            Err(services_model::SetupError::Refused(why)) => {
                let why = if why.is_empty() { "Unknown error".to_owned() } else { why };
                Ok(Self { result: "error", error: Some(why) })
            }
            Err(err) => Err(err.into()),
        }
    }
}

/// `{"data": […]}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Listed<T> {
    pub(crate) data: Vec<T>,
}

/// A credential's name and id.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StoredCredential {
    credential_id: Uuid,
    credential_name: String,
}

impl From<CredentialName> for StoredCredential {
    fn from(credential: CredentialName) -> Self {
        Self { credential_id: credential.id, credential_name: credential.name }
    }
}

/// A name in two languages, or the addresses of two pictures.
pub(crate) type Words = I18n;

/// Where the pictures of a provider are.
pub(crate) struct Icons {
    pub(crate) small: Option<Words>,
    pub(crate) small_dark: Option<Words>,
}

impl Icons {
    pub(crate) fn of(ctx: &Ctx, tenant: TenantId, provider: &dyn ModelProvider) -> Self {
        let schema = provider.schema();
        let url = |kind: &str, language: &str| {
            format!(
                "{}/console/api/workspaces/{tenant}/model-providers/{}/{kind}/{language}",
                ctx.config.feature.console_api_url, schema.provider
            )
        };
        let both = |kind: &str| Words { zh_hans: url(kind, "zh_Hans"), en_us: url(kind, "en_US") };
        Self {
            small: schema.icon_small.as_ref().map(|_| both("icon_small")),
            small_dark: schema.icon_small_dark.as_ref().map(|_| both("icon_small_dark")),
        }
    }
}

/// A provider as models name it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SimpleProvider {
    /// The full id.
    provider: String,
    #[schema(value_type = Object)]
    label: Words,
    #[schema(value_type = Object)]
    icon_small: Option<Words>,
    #[schema(value_type = Object)]
    icon_small_dark: Option<Words>,
    #[schema(value_type = Vec<String>)]
    supported_model_types: Vec<ModelType>,
    /// Always empty here.
    models: [String; 0],
    tenant_id: TenantId,
}

impl SimpleProvider {
    pub(crate) fn new(ctx: &Ctx, tenant: TenantId, provider: &dyn ModelProvider) -> Self {
        let schema = provider.schema();
        let icons = Icons::of(ctx, tenant, provider);
        Self {
            provider: schema.provider.clone(),
            label: schema.label.clone(),
            icon_small: icons.small,
            icon_small_dark: icons.small_dark,
            supported_model_types: schema.supported_model_types.clone(),
            models: [],
            tenant_id: tenant,
        }
    }

    /// As default models show it: without the dark picture.
    pub(crate) fn without_dark_icon(mut self) -> Self {
        self.icon_small_dark = None;
        self
    }
}

/// A model and whether it can be used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ModelItem {
    model: String,
    #[schema(value_type = Object)]
    label: Words,
    #[schema(value_type = String)]
    model_type: ModelType,
    #[schema(value_type = Option<Vec<String>>)]
    features: Option<Vec<Feature>>,
    #[schema(value_type = String)]
    fetch_from: FetchFrom,
    #[schema(value_type = Object)]
    model_properties: Map<String, Value>,
    deprecated: bool,
    /// `active`, `no-configure`, `disabled`, `credential-removed` …
    status: &'static str,
    load_balancing_enabled: bool,
    has_invalid_load_balancing_configs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<SimpleProvider>,
}

impl ModelItem {
    /// A model with its provider.
    pub(crate) fn full(ctx: &Ctx, tenant: TenantId, state: &ModelState) -> Self {
        let mut item = Self::bare(state);
        item.has_invalid_load_balancing_configs = state.has_invalid_load_balancing_configs;
        item.provider = Some(SimpleProvider::new(ctx, tenant, state.provider.as_ref()));
        item
    }

    /// A model under its provider, where the reference leaves out whether there are too few credentials.
    fn bare(state: &ModelState) -> Self {
        let schema = &state.schema;
        Self {
            model: schema.model.clone(),
            label: schema.label.clone(),
            model_type: schema.model_type,
            features: schema.features.clone(),
            fetch_from: state.fetch_from,
            model_properties: schema.model_properties.clone(),
            deprecated: schema.deprecated,
            status: state.status.as_str(),
            load_balancing_enabled: state.load_balancing_enabled,
            has_invalid_load_balancing_configs: false,
            provider: None,
        }
    }
}

/// A provider and its models that can be used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProviderModels {
    tenant_id: TenantId,
    /// The full id.
    provider: String,
    #[schema(value_type = Object)]
    label: Words,
    #[schema(value_type = Object)]
    icon_small: Option<Words>,
    #[schema(value_type = Object)]
    icon_small_dark: Option<Words>,
    /// `active`.
    status: &'static str,
    models: Vec<ModelItem>,
}

/// Usable models as both APIs list them.
pub(crate) fn provider_models(
    ctx: &Ctx,
    tenant: TenantId,
    usable: Vec<UsableModels>,
) -> Listed<ProviderModels> {
    let data = usable.into_iter().map(|found| {
        let icons = Icons::of(ctx, tenant, found.provider.as_ref());
        let schema = found.provider.schema();
        ProviderModels {
            tenant_id: tenant,
            provider: schema.provider.clone(),
            label: schema.label.clone(),
            icon_small: icons.small,
            icon_small_dark: icons.small_dark,
            status: "active",
            models: found.models.iter().map(ModelItem::bare).collect(),
        }
    });
    Listed { data: data.collect() }
}

/// The type of models a path names.
pub(crate) fn model_type(text: &str) -> Result<ModelType, ApiError> {
    text.parse().map_err(|err: model_runtime::entity::UnknownModelType| {
        ApiError::invalid_param(err.to_string())
    })
}

/// A model of a provider, as most bodies name it.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct ModelName {
    pub(crate) model: String,
    #[schema(value_type = String)]
    pub(crate) model_type: ModelType,
}
