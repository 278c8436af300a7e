//! `/console/api/workspaces/current/model-providers/{provider}/models`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Part, Path, Query, Valid,
    guard::{Admin, Console},
    validation::{JsonObject, lax},
};
use model_runtime::{ModelType, ParameterRule};
use serde::Deserialize;
use serde_json::Value;
use services_model::{
    Models,
    balancing::{self, Source, Wish},
    catalog,
    custom_model::{self, Adoption, Model},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::{
    Done, Listed, ModelItem, ModelName, ProviderModels, model_type, provider_models,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_provider_models, save_model, delete_model))
        .routes(routes!(enable_model))
        .routes(routes!(disable_model))
        .routes(routes!(list_parameter_rules))
        .routes(routes!(list_models_of_type))
}

impl ModelName {
    /// The model at the provider a path names.
    pub(super) fn at<'a>(&'a self, provider: &'a str) -> Model<'a> {
        Model { provider, kind: self.model_type, name: &self.model }
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct LoadBalancing {
    /// `{id?, name?, enabled, credential_id?, credentials?}` each.
    #[schema(value_type = Option<Vec<Object>>)]
    configs: Option<Vec<JsonObject>>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    enabled: Option<bool>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ModelSavePayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    load_balancing: Option<LoadBalancing>,
    /// `predefined-model` or `custom-model`.
    config_from: Option<String>,
    credential_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ParameterQuery {
    model: String,
}

fn wish(mut config: JsonObject) -> Wish {
    let text = |key: &str| match config.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (id, name, credential_id) = (text("id"), text("name"), text("credential_id"));
    Wish {
        id,
        name,
        credential_id,
        enabled: config.get("enabled").and_then(Value::as_bool),
        credentials: config.remove("credentials"),
    }
}

/// The models of a provider and whether they can be used.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers/{provider}/models",
    tag = "models",
    params(("provider" = String, Path)),
    responses((status = 200, body = Listed<ModelItem>), (status = "4XX", body = ErrorBody)),
)]
async fn list_provider_models(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
) -> Result<Json<Listed<ModelItem>>, ApiError> {
    let found = catalog::models_of(&models, user.tenant, &provider).await?;
    let data = found.iter().map(|model| ModelItem::full(&state.ctx, user.tenant, model)).collect();
    Ok(Json(Listed { data }))
}

/// Choose a model's credential, and the credentials its calls are spread over.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelSavePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn save_model(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelSavePayload>,
) -> Result<Json<Done>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let from = body.config_from.as_deref();
    if from == Some("custom-model") {
        let id = body.credential_id.ok_or_else(|| {
            ApiError::invalid_param("credential_id is required when configuring a custom-model")
        })?;
        custom_model::switch(&models, user.tenant, model, id, Adoption::Choose).await?;
    }
    if let Some(LoadBalancing { configs: Some(configs), enabled }) = body.load_balancing
        && !configs.is_empty()
    {
        let wishes = configs.into_iter().map(wish).collect();
        balancing::replace(&models, user.tenant, model, Source::of(from), wishes).await?;
        balancing::set_enabled(&models, user.tenant, model, enabled == Some(true)).await?;
    }
    Ok(Json(Done::new()))
}

/// Remove a model the workspace added.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/model-providers/{provider}/models",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelName,
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_model(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelName>,
) -> Result<NoContent, ApiError> {
    custom_model::delete(&models, user.tenant, body.at(&provider)).await?;
    Ok(NoContent)
}

/// Offer a model.
#[utoipa::path(
    patch,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/enable",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelName,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn enable_model(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelName>,
) -> Result<Json<Done>, ApiError> {
    custom_model::set_enabled(&models, user.tenant, body.at(&provider), true).await?;
    Ok(Json(Done::new()))
}

/// Stop offering a model.
#[utoipa::path(
    patch,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/disable",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelName,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn disable_model(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelName>,
) -> Result<Json<Done>, ApiError> {
    custom_model::set_enabled(&models, user.tenant, body.at(&provider), false).await?;
    Ok(Json(Done::new()))
}

/// The parameters of a chat model.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/parameter-rules",
    tag = "models",
    params(("provider" = String, Path), ParameterQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_parameter_rules(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Query(query): Query<ParameterQuery>,
) -> Result<Json<Listed<ParameterRule>>, ApiError> {
    let data = catalog::parameter_rules(&models, user.tenant, &provider, &query.model).await?;
    Ok(Json(Listed { data }))
}

/// The models of a type that can be used, by provider.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/models/model-types/{model_type}",
    tag = "models",
    params(("model_type" = String, Path)),
    responses((status = 200, body = Listed<ProviderModels>), (status = "4XX", body = ErrorBody)),
)]
async fn list_models_of_type(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Path(kind): Path<String>,
) -> Result<Json<Listed<ProviderModels>>, ApiError> {
    let usable = catalog::usable(&models, user.tenant, model_type(&kind)?).await?;
    Ok(Json(provider_models(&state.ctx, user.tenant, usable)))
}
