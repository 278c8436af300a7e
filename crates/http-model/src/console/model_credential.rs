//! `/console/api/workspaces/current/model-providers/{provider}/models/credentials`

use axum::http::StatusCode;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Part, Path, Query, Valid,
    guard::{Admin, Console},
    validation::JsonObject,
};
use model_runtime::ModelType;
use serde::{Deserialize, Serialize};
use services_model::{
    Models,
    balancing::{self, Entry, Source},
    credential::{self, Change},
    custom_model::{self, Adoption, Model},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::{Checked, Done, StoredCredential};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            find_model_credential,
            create_model_credential,
            update_model_credential,
            delete_model_credential
        ))
        .routes(routes!(switch_model_credential))
        .routes(routes!(validate_model_credential))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ModelCredentialQuery {
    model: String,
    #[param(value_type = String)]
    model_type: ModelType,
    /// `predefined-model` or `custom-model`.
    config_from: Option<String>,
    /// Without it, the one in use.
    credential_id: Option<Uuid>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BalancingEntry {
    id: Uuid,
    name: String,
    /// Secrets are masked.
    #[schema(value_type = Object)]
    credentials: JsonObject,
    credential_id: Option<Uuid>,
    enabled: bool,
    /// Whether it rests after a refusal.
    in_cooldown: bool,
    /// Seconds it still rests.
    ttl: i64,
}

impl From<Entry> for BalancingEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            name: entry.name,
            credentials: entry.credentials,
            credential_id: entry.credential_id,
            enabled: entry.enabled,
            in_cooldown: entry.rests.is_some(),
            ttl: entry.rests.unwrap_or(0),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Balancing {
    enabled: bool,
    configs: Vec<BalancingEntry>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ModelCredentials {
    /// Secrets are masked.
    #[schema(value_type = Object)]
    credentials: JsonObject,
    current_credential_id: Option<Uuid>,
    current_credential_name: Option<String>,
    load_balancing: Balancing,
    available_credentials: Vec<StoredCredential>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ModelCredentialCreatePayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    #[garde(length(chars, max = 30))]
    name: Option<String>,
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ModelCredentialUpdatePayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    credential_id: Uuid,
    /// A secret may be `[__HIDDEN__]`: it stays what it is.
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[garde(length(chars, max = 30))]
    name: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ModelCredentialIdPayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    credential_id: Uuid,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ModelCredentialValidatePayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// A credential of an added model, and the credentials its calls are spread over; secrets masked.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials",
    tag = "models",
    params(("provider" = String, Path), ModelCredentialQuery),
    responses((status = 200, body = ModelCredentials), (status = "4XX", body = ErrorBody)),
)]
async fn find_model_credential(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Query(query): Query<ModelCredentialQuery>,
) -> Result<Json<ModelCredentials>, ApiError> {
    let model = Model { provider: &provider, kind: query.model_type, name: &query.model };
    let found = custom_model::find(&models, user.tenant, model, query.credential_id).await?;
    let source = Source::of(query.config_from.as_deref());
    let (enabled, entries) = balancing::list(&models, user.tenant, model, source).await?;
    let stored = match source {
        Source::Provider => credential::names(&models, user.tenant, &provider).await?,
        Source::CustomModel => custom_model::names(&models, user.tenant, model).await?,
    };
    let (credentials, id, name) =
        found.map(|found| (found.credentials, found.id, found.name)).unwrap_or_default();
    Ok(Json(ModelCredentials {
        credentials,
        current_credential_id: id,
        current_credential_name: name,
        load_balancing: Balancing {
            enabled,
            configs: entries.into_iter().map(Into::into).collect(),
        },
        available_credentials: stored.into_iter().map(Into::into).collect(),
    }))
}

/// Store a credential of a model; the first one adds the model.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelCredentialCreatePayload,
    responses((status = 201, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn create_model_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelCredentialCreatePayload>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let name = body.name.as_deref();
    custom_model::create(&models, user.tenant, model, &body.credentials, name).await?;
    Ok((StatusCode::CREATED, Json(Done::new())))
}

/// Replace a credential of a model.
#[utoipa::path(
    put,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelCredentialUpdatePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_model_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelCredentialUpdatePayload>,
) -> Result<Json<Done>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let change = Change {
        id: body.credential_id,
        credentials: &body.credentials,
        name: body.name.as_deref(),
    };
    custom_model::update(&models, user.tenant, model, change).await?;
    Ok(Json(Done::new()))
}

/// Delete a credential of a model; with the last one goes the model.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelCredentialIdPayload,
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_model_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelCredentialIdPayload>,
) -> Result<NoContent, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    custom_model::delete_credential(&models, user.tenant, model, body.credential_id).await?;
    Ok(NoContent)
}

/// Take another stored credential of a model into use; adds the model if it was not.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials/switch",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelCredentialIdPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn switch_model_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelCredentialIdPayload>,
) -> Result<Json<Done>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    custom_model::switch(&models, user.tenant, model, body.credential_id, Adoption::Add).await?;
    Ok(Json(Done::new()))
}

/// Ask the provider whether it takes a credential for a model.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/credentials/validate",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = ModelCredentialValidatePayload,
    responses((status = 200, body = Checked), (status = "4XX", body = ErrorBody)),
)]
async fn validate_model_credential(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<ModelCredentialValidatePayload>,
) -> Result<Json<Checked>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let outcome = custom_model::validate(&models, user.tenant, model, &body.credentials).await;
    Ok(Json(Checked::of(outcome)?))
}
