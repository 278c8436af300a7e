//! `/console/api/workspaces/current/model-providers`

use axum::{extract::State, response::Response};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, Valid,
    guard::{Admin, Console},
    picture::picture,
};
use model_runtime::{
    ModelType,
    provider::{ConfigurateMethod, Help, ModelCredentialSchema, ProviderCredentialSchema},
};
use serde::{Deserialize, Serialize};
use services_core::Ctx;
use services_model::{
    Models,
    catalog::{self, CustomModel, ProviderState},
    credential::{self, Preference},
};
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::{Done, Icons, Listed, StoredCredential, Words};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_model_providers))
        .routes(routes!(find_model_provider_icon))
        .routes(routes!(set_preferred_provider_type))
        .routes(routes!(find_checkout_url))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ModelListQuery {
    /// Only providers that have models of this type.
    #[param(value_type = Option<String>)]
    model_type: Option<ModelType>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CustomModelItem {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    /// Always null in lists.
    #[schema(value_type = Object)]
    credentials: Option<()>,
    current_credential_id: Option<Uuid>,
    current_credential_name: Option<String>,
    available_model_credentials: Vec<StoredCredential>,
    unadded_to_model_list: bool,
}

impl From<CustomModel> for CustomModelItem {
    fn from(model: CustomModel) -> Self {
        Self {
            model: model.model,
            model_type: model.kind,
            credentials: None,
            current_credential_id: model.current_id,
            current_credential_name: model.current.map(|current| current.name),
            available_model_credentials: model.credentials.into_iter().map(Into::into).collect(),
            unadded_to_model_list: model.is_unadded,
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UnaddedModel {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CustomConfiguration {
    /// `active` or `no-configure`.
    status: &'static str,
    current_credential_id: Option<Uuid>,
    current_credential_name: Option<String>,
    available_credentials: Vec<StoredCredential>,
    custom_models: Vec<CustomModelItem>,
    can_added_models: Vec<UnaddedModel>,
}

/// Hosted credentials: there are none.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SystemConfiguration {
    enabled: bool,
    current_quota_type: Option<String>,
    quota_configurations: [String; 0],
}

/// A provider of models, and how far the workspace has set it up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ModelProviderItem {
    tenant_id: TenantId,
    /// The full id.
    provider: String,
    #[schema(value_type = Object)]
    label: Words,
    #[schema(value_type = Object)]
    description: Option<Words>,
    #[schema(value_type = Object)]
    icon_small: Option<Words>,
    #[schema(value_type = Object)]
    icon_small_dark: Option<Words>,
    background: Option<String>,
    #[schema(value_type = Object)]
    help: Option<Help>,
    #[schema(value_type = Vec<String>)]
    supported_model_types: Vec<ModelType>,
    #[schema(value_type = Vec<String>)]
    configurate_methods: Vec<ConfigurateMethod>,
    #[schema(value_type = Object)]
    provider_credential_schema: Option<ProviderCredentialSchema>,
    #[schema(value_type = Object)]
    model_credential_schema: Option<ModelCredentialSchema>,
    /// `custom` or `system`.
    preferred_provider_type: &'static str,
    custom_configuration: CustomConfiguration,
    system_configuration: SystemConfiguration,
}

impl ModelProviderItem {
    fn new(ctx: &Ctx, tenant: TenantId, state: ProviderState) -> Self {
        let icons = Icons::of(ctx, tenant, state.provider.as_ref());
        let unadded = state.models.iter().filter(|model| model.is_unadded);
        let can_added_models = unadded
            .map(|model| UnaddedModel { model: model.model.clone(), model_type: model.kind })
            .collect();
        let schema = state.provider.schema().clone();
        Self {
            tenant_id: tenant,
            provider: schema.provider,
            label: schema.label,
            description: schema.description,
            icon_small: icons.small,
            icon_small_dark: icons.small_dark,
            background: schema.background,
            help: schema.help,
            supported_model_types: schema.supported_model_types,
            configurate_methods: schema.configurate_methods,
            provider_credential_schema: schema.provider_credential_schema,
            model_credential_schema: schema.model_credential_schema,
            preferred_provider_type: state.preference,
            custom_configuration: CustomConfiguration {
                status: if state.is_set_up { "active" } else { "no-configure" },
                current_credential_id: state.current_id,
                current_credential_name: state.current_name,
                available_credentials: state.credentials.into_iter().map(Into::into).collect(),
                custom_models: state.models.into_iter().map(Into::into).collect(),
                can_added_models,
            },
            system_configuration: SystemConfiguration {
                enabled: false,
                current_quota_type: None,
                quota_configurations: [],
            },
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ProviderType {
    System,
    Custom,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PreferredProviderTypePayload {
    preferred_provider_type: ProviderType,
}

/// Every provider of models, set up or not.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers",
    tag = "model-providers",
    params(ModelListQuery),
    responses((status = 200, body = Listed<ModelProviderItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_model_providers(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Query(query): Query<ModelListQuery>,
) -> Result<Json<Listed<ModelProviderItem>>, ApiError> {
    let found = catalog::providers(&models, user.tenant, query.model_type).await?;
    let data = found
        .into_iter()
        .map(|provider| ModelProviderItem::new(&state.ctx, user.tenant, provider))
        .collect();
    Ok(Json(Listed { data }))
}

/// A provider's picture. Public, as in the reference: pages show it without a session.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/{tenant_id}/model-providers/{provider}/{icon_type}/{lang}",
    tag = "model-providers",
    params(
        ("tenant_id" = TenantId, Path),
        ("provider" = String, Path),
        ("icon_type" = String, Path),
        ("lang" = String, Path),
    ),
    responses((status = 200, body = Vec<u8>, content_type = "image/*"), (status = "4XX", body = ErrorBody)),
)]
async fn find_model_provider_icon(
    Part(models): Part<Models>,
    Path((tenant, provider, kind, language)): Path<(TenantId, String, String, String)>,
) -> Result<Response, ApiError> {
    let icon = catalog::icon(&models, tenant, &provider, &kind, &language).await?;
    Ok(picture(icon.data, &icon.mime_type))
}

/// Choose whether hosted or own credentials come first.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/preferred-provider-type",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = PreferredProviderTypePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn set_preferred_provider_type(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<PreferredProviderTypePayload>,
) -> Result<Json<Done>, ApiError> {
    let preference = match body.preferred_provider_type {
        ProviderType::System => Preference::System,
        ProviderType::Custom => Preference::Custom,
    };
    credential::prefer(&models, user.tenant, &provider, preference).await?;
    Ok(Json(Done::new()))
}

/// Where to pay for hosted quota: only a cloud edition sells any.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers/{provider}/checkout-url",
    tag = "model-providers",
    params(("provider" = String, Path)),
    responses((status = "4XX", body = ErrorBody)),
)]
async fn find_checkout_url(_: Console, Path(provider): Path<String>) -> ApiError {
    ApiError::invalid_param(format!("provider name {provider} is invalid"))
}
