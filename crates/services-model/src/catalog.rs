//! What the console shows of providers and their models: set up or not, which models can be used, and why not.

use boxed::boxed;
use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use model_runtime::{
    CallContext, Credentials, FetchFrom, Icon, ModelProvider, ModelRef, ModelSchema, ModelType,
    ParameterRule,
};
use serde_json::Value;
use services_core::Fault;
use types::TenantId;
use uuid::Uuid;

use crate::{Models, Setup, SetupError, credential::CredentialName, desk::Desk};

/// Whether a model can be used, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelStatus {
    /// It can.
    Active,
    /// The provider has no credentials.
    NoConfigure,
    /// It was switched off.
    Disabled,
    /// The credential it used is gone; others are stored.
    CredentialRemoved,
}

impl ModelStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NoConfigure => "no-configure",
            Self::Disabled => "disabled",
            Self::CredentialRemoved => "credential-removed",
        }
    }
}

/// A model of a provider as a workspace finds it.
#[derive(Clone)]
pub struct ModelState {
    /// Its provider.
    pub provider: Arc<dyn ModelProvider>,
    /// What it is.
    pub schema: Arc<ModelSchema>,
    /// Declared, or added by the workspace.
    pub fetch_from: FetchFrom,
    /// Whether it can be used.
    pub status: ModelStatus,
    /// Whether its calls are spread over several credentials.
    pub load_balancing_enabled: bool,
    /// Whether they should be, but there are too few.
    pub has_invalid_load_balancing_configs: bool,
}

/// A model a workspace added or could add, as the provider's page shows it.
#[derive(Debug, Clone)]
pub struct CustomModel {
    /// Its id at the provider.
    pub model: String,
    /// What it does.
    pub kind: ModelType,
    /// The credential in use.
    pub current: Option<CredentialName>,
    /// The id in the model's row, even if that credential is gone.
    pub current_id: Option<Uuid>,
    /// All of them.
    pub credentials: Vec<CredentialName>,
    /// Credentials are stored, but the model was not added.
    pub is_unadded: bool,
}

/// A provider as a workspace finds it.
#[derive(Clone)]
pub struct ProviderState {
    /// The provider.
    pub provider: Arc<dyn ModelProvider>,
    /// `custom` or `system`.
    pub preference: &'static str,
    /// Whether there are credentials or models of the workspace.
    pub is_set_up: bool,
    /// The id of the credential in use.
    pub current_id: Option<Uuid>,
    /// The name of the credential in use.
    pub current_name: Option<String>,
    /// Stored credentials, newest first.
    pub credentials: Vec<CredentialName>,
    /// Models of the workspace.
    pub models: Vec<CustomModel>,
}

/// All providers of a workspace; of those that have models of a type, if one is given.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn providers(
    models: &Models,
    tenant: TenantId,
    kind: Option<ModelType>,
) -> Result<Vec<ProviderState>, SetupError> {
    let setup = models.setup(tenant).await?;
    let states = listed(models, tenant).await.into_iter().filter(|provider| {
        kind.is_none_or(|kind| provider.schema().supported_model_types.contains(&kind))
    });
    Ok(states.map(|provider| provider_state(&setup, provider)).collect())
}

fn provider_state(setup: &Setup, provider: Arc<dyn ModelProvider>) -> ProviderState {
    let id = &provider.schema().provider;
    let custom = setup.custom_provider(id).filter(|row| row.is_valid);
    let mut credentials: Vec<CredentialName> = setup
        .credentials
        .iter()
        .filter(|row| row.provider_name == *id && row.model_name.is_empty())
        .map(|row| CredentialName { id: row.id, name: row.credential_name.clone() })
        .collect();
    credentials.reverse();
    if custom.is_none() {
        credentials.clear();
    }
    let current_id = custom.and_then(|row| row.credential_id);
    let name_of =
        |id: Uuid| credentials.iter().find(|one| one.id == id).map(|one| one.name.clone());
    let models = custom_models(setup, id);
    ProviderState {
        preference: setup.preference(id),
        is_set_up: !credentials.is_empty() || !models.is_empty(),
        current_name: current_id.and_then(name_of),
        current_id,
        credentials,
        models,
        provider,
    }
}

fn custom_models(setup: &Setup, provider: &str) -> Vec<CustomModel> {
    let mut stored: IndexMap<(&str, &str), Vec<CredentialName>> = IndexMap::new();
    for row in &setup.credentials {
        if row.provider_name == provider && !row.model_name.is_empty() {
            stored
                .entry((&row.model_name, &row.model_type))
                .or_default()
                .push(CredentialName { id: row.id, name: row.credential_name.clone() });
        }
    }
    let mut models = Vec::new();
    let added = setup.models.iter().filter(|row| row.provider_name == provider && row.is_valid);
    for row in added {
        let credentials = stored
            .shift_remove(&(row.model_name.as_str(), row.model_type.as_str()))
            .unwrap_or_default();
        let Ok(kind) = row.model_type.parse() else { continue };
        models.push(CustomModel {
            model: row.model_name.clone(),
            kind,
            current: credentials.iter().find(|one| Some(one.id) == row.credential_id).cloned(),
            current_id: row.credential_id,
            credentials,
            is_unadded: false,
        });
    }
    for ((model, kind), credentials) in stored {
        let Ok(kind) = kind.parse() else { continue };
        models.push(CustomModel {
            model: model.to_owned(),
            kind,
            current: None,
            current_id: None,
            credentials,
            is_unadded: true,
        });
    }
    models
}

/// The models of the provider with this full id; none of an unknown one.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn models_of(
    models: &Models,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<ModelState>, SetupError> {
    let setup = models.setup(tenant).await?;
    let found =
        listed(models, tenant).await.into_iter().find(|one| one.schema().provider == provider);
    match found {
        Some(found) => Ok(model_states(models, tenant, &setup, &found, None).await),
        None => Ok(Vec::new()),
    }
}

/// A provider and its models that can be used.
#[derive(Clone)]
pub struct UsableModels {
    /// The provider.
    pub provider: Arc<dyn ModelProvider>,
    /// Its models of one type, deprecated ones left out.
    pub models: Vec<ModelState>,
}

/// The models of a type that can be used, by provider.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn usable(
    models: &Models,
    tenant: TenantId,
    kind: ModelType,
) -> Result<Vec<UsableModels>, SetupError> {
    let setup = models.setup(tenant).await?;
    let mut found = Vec::new();
    for provider in listed(models, tenant).await {
        let mut states = model_states(models, tenant, &setup, &provider, Some(kind)).await;
        states.retain(|state| state.status == ModelStatus::Active && !state.schema.deprecated);
        if !states.is_empty() {
            found.push(UsableModels { provider, models: states });
        }
    }
    Ok(found)
}

/// The parameters of a chat model; none if the provider has no credentials.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn parameter_rules(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    model: &str,
) -> Result<Vec<ParameterRule>, SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let setup = models.setup(tenant).await?;
    if !setup.is_enabled(desk.id(), ModelType::Llm, model) {
        return Err(SetupError::Invalid(format!("Model {model} is disabled.")));
    }
    let credentials = setup.model_credentials(desk.id(), ModelType::Llm, model);
    let Some(credentials) = credentials.filter(|credentials| !credentials.is_empty()) else {
        return Ok(Vec::new());
    };
    let call = CallContext::new(tenant);
    let found =
        desk.provider.model_schema(&call, ModelType::Llm, ModelRef { model, credentials }).await?;
    Ok(found.map(|schema| schema.parameter_rules.clone()).unwrap_or_default())
}

/// A provider's picture: `icon_small` or `icon_small_dark`, for a language.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn icon(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    kind: &str,
    language: &str,
) -> Result<Icon, SetupError> {
    let found = models
        .registry()
        .resolve(tenant, provider)
        .await
        .map_err(|err| SetupError::Invalid(err.to_string()))?;
    let schema = found.schema();
    let (names, size) = match kind.to_lowercase().as_str() {
        "icon_small" => (&schema.icon_small, "small"),
        "icon_small_dark" => (&schema.icon_small_dark, "small dark"),
        _ => return Err(SetupError::Invalid(format!("Unsupported icon type: {kind}."))),
    };
    let name = names.as_ref().map(|names| names.get(language)).ok_or_else(|| {
        SetupError::Invalid(format!("Provider {provider} does not have {size} icon."))
    })?;
    if name.is_empty() {
        return Err(SetupError::Invalid(format!("Provider {provider} does not have icon.")));
    }
    Ok(found.icon(&CallContext::new(tenant), name).await?)
}

/// The providers of a workspace that the settings do not hide.
async fn listed(models: &Models, tenant: TenantId) -> Vec<Arc<dyn ModelProvider>> {
    models.registry().providers(tenant).await
}

async fn model_states(
    models: &Models,
    tenant: TenantId,
    setup: &Setup,
    provider: &Arc<dyn ModelProvider>,
    kind: Option<ModelType>,
) -> Vec<ModelState> {
    let schema = provider.schema();
    let id = &schema.provider;
    let kinds = match kind {
        Some(kind) => vec![kind],
        None => schema.supported_model_types.clone(),
    };
    let spreads = models.ctx().config.feature.model_lb_enabled;
    let mut states: IndexMap<(String, ModelType, FetchFrom), ModelState> = IndexMap::new();
    let has_credentials = setup.provider_credentials(id).is_some_and(|known| !known.is_empty());
    for kind in kinds.iter().copied().filter(|kind| schema.supported_model_types.contains(kind)) {
        for declared in schema.models.iter().filter(|model| model.model_type == kind) {
            let status =
                if has_credentials { ModelStatus::Active } else { ModelStatus::NoConfigure };
            let declared = Arc::new(declared.clone());
            let state = with_setting(setup, provider, declared, status, spreads, "custom_model");
            states.insert((state.schema.model.clone(), kind, state.fetch_from), state);
        }
    }
    let custom = custom_models(setup, id);
    for model in custom.iter().filter(|model| kinds.contains(&model.kind) && !model.is_unadded) {
        let opened = model.current_id.and_then(|id| setup.opened(id));
        let none = Credentials::new();
        let credentials = opened.unwrap_or(&none);
        let call = CallContext::new(tenant);
        let reference = ModelRef { model: &model.model, credentials };
        let found = match provider.model_schema(&call, model.kind, reference).await {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(err) => {
                tracing::warn!(error = %err, model = model.model, "an added model has no schema");
                continue;
            }
        };
        let mut state =
            with_setting(setup, provider, found, ModelStatus::Active, spreads, "provider");
        state.fetch_from = FetchFrom::CustomizableModel;
        if credentials.is_empty() && !model.credentials.is_empty() {
            state.status = ModelStatus::CredentialRemoved;
        }
        states.insert((state.schema.model.clone(), model.kind, state.fetch_from), state);
    }
    let mut states: Vec<ModelState> = states.into_values().collect();
    let positions = positions(schema.position.as_ref());
    states.sort_by_cached_key(|state| {
        let kind = state.schema.model_type.as_str();
        let order = positions.get(kind);
        let last = order.map_or(0, HashMap::len);
        let place = order.and_then(|order| order.get(state.schema.model.as_str())).copied();
        (kind, place.unwrap_or(last))
    });
    states
}

fn with_setting(
    setup: &Setup,
    provider: &Arc<dyn ModelProvider>,
    schema: Arc<ModelSchema>,
    mut status: ModelStatus,
    spreads: bool,
    other_source: &str,
) -> ModelState {
    let id = &provider.schema().provider;
    let setting = setup.setting(id, schema.model_type, &schema.model);
    let mut load_balancing_enabled = false;
    let mut too_few = false;
    if let Some(setting) = setting {
        if !setting.enabled {
            status = ModelStatus::Disabled;
        }
        load_balancing_enabled = setting.load_balancing_enabled;
        if load_balancing_enabled {
            let count = setup
                .load_balancing
                .iter()
                .filter(|row| {
                    spreads
                        && row.enabled
                        && row.provider_name == *id
                        && row.model_name == setting.model_name
                        && row.model_type == setting.model_type
                        && (row.encrypted_config.is_some() || row.name == crate::setup::INHERIT)
                        && row.credential_source_type.as_deref() != Some(other_source)
                })
                .count();
            too_few = count < 2;
        }
    }
    ModelState {
        provider: Arc::clone(provider),
        fetch_from: schema.fetch_from,
        schema,
        status,
        load_balancing_enabled,
        has_invalid_load_balancing_configs: too_few,
    }
}

/// By type, the place of each model.
fn positions(
    position: Option<&serde_json::Map<String, Value>>,
) -> HashMap<&str, HashMap<&str, usize>> {
    let lists = position.into_iter().flatten();
    lists
        .filter_map(|(kind, names)| {
            let names = names.as_array()?.iter().filter_map(Value::as_str);
            let mut places = HashMap::new();
            for (place, name) in names.enumerate() {
                places.entry(name).or_insert(place);
            }
            Some((kind.as_str(), places))
        })
        .collect()
}

/// The workspace's default model of a type with its provider. Where none was chosen the first usable model is, and
/// stays so, as in the reference.
///
/// # Errors
/// Faults of the ground.
#[boxed]
pub async fn default_model(
    models: &Models,
    tenant: TenantId,
    kind: ModelType,
) -> Result<Option<(Arc<dyn ModelProvider>, String)>, SetupError> {
    let setup = models.setup(tenant).await?;
    let (provider, model) = match setup.default_model(kind) {
        Some(row) => (row.provider_name.clone(), row.model_name.clone()),
        None => {
            let first = usable_first(models, tenant, &setup, kind).await;
            let Some(first) = first else { return Ok(None) };
            let provider = first.provider.schema().provider.clone();
            write_default(models, tenant, kind, &provider, &first.schema.model).await?;
            (provider, first.schema.model.clone())
        }
    };
    // The provider of a plugin that was removed: no default, as in the reference.
    let found = models.registry().resolve(tenant, &provider).await.ok();
    Ok(found.map(|provider| (provider, model)))
}

async fn usable_first(
    models: &Models,
    tenant: TenantId,
    setup: &Setup,
    kind: ModelType,
) -> Option<ModelState> {
    for provider in listed(models, tenant).await {
        let states = model_states(models, tenant, setup, &provider, Some(kind)).await;
        if let Some(state) = states.into_iter().find(|state| state.status == ModelStatus::Active) {
            return Some(state);
        }
    }
    None
}

/// Sets the default model of a type.
///
/// # Errors
/// [`SetupError`] unless the provider exists and some provider has such a model that can be used.
#[boxed]
pub async fn set_default_model(
    models: &Models,
    tenant: TenantId,
    kind: ModelType,
    provider: &str,
    model: Option<&str>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let setup = models.setup(tenant).await?;
    let mut found = None;
    for provider in listed(models, tenant).await {
        let states = model_states(models, tenant, &setup, &provider, Some(kind)).await;
        found = states
            .into_iter()
            .find(|state| {
                state.status == ModelStatus::Active && Some(state.schema.model.as_str()) == model
            })
            .or(found);
    }
    let Some(found) = found else {
        let model = model.unwrap_or("None");
        return Err(SetupError::Invalid(format!("Model {model} does not exist.")));
    };
    write_default(models, tenant, kind, desk.id(), &found.schema.model).await
}

async fn write_default(
    models: &Models,
    tenant: TenantId,
    kind: ModelType,
    provider: &str,
    model: &str,
) -> Result<(), SetupError> {
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await.map_err(Fault::from)?;
    db::provider::credential::lock(&mut tx, tenant, kind.origin()).await?;
    db::provider::choice::set_default(&mut tx, tenant, kind.origin(), provider, model, now).await?;
    tx.commit().await.map_err(Fault::from)?;
    models.outdate(tenant).await;
    Ok(())
}
