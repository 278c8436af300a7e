//! `/console/api/workspaces/current/model-providers/{provider}/credentials`

use axum::http::StatusCode;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Part, Path, Query, Valid,
    guard::{Admin, Console},
    validation::JsonObject,
};
use serde::{Deserialize, Serialize};
use services_model::{
    Models,
    credential::{self, Change},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::{Checked, Done};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            find_provider_credential,
            create_provider_credential,
            update_provider_credential,
            delete_provider_credential
        ))
        .routes(routes!(switch_provider_credential))
        .routes(routes!(validate_provider_credential))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct CredentialQuery {
    /// Without it, the one in use.
    credential_id: Option<Uuid>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProviderCredential {
    /// Secrets are masked.
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CredentialCreatePayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[garde(length(chars, max = 30))]
    name: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CredentialUpdatePayload {
    credential_id: Uuid,
    /// A secret may be `[__HIDDEN__]`: it stays what it is.
    #[schema(value_type = Object)]
    credentials: JsonObject,
    #[garde(length(chars, max = 30))]
    name: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CredentialIdPayload {
    credential_id: Uuid,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CredentialValidatePayload {
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// A credential of a provider, secrets masked.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials",
    tag = "model-providers",
    params(("provider" = String, Path), CredentialQuery),
    responses((status = 200, body = ProviderCredential), (status = "4XX", body = ErrorBody)),
)]
async fn find_provider_credential(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Query(query): Query<CredentialQuery>,
) -> Result<Json<ProviderCredential>, ApiError> {
    let credentials =
        credential::find(&models, user.tenant, &provider, query.credential_id).await?;
    Ok(Json(ProviderCredential { credentials }))
}

/// Store a credential the provider takes.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = CredentialCreatePayload,
    responses((status = 201, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn create_provider_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<CredentialCreatePayload>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let name = body.name.as_deref();
    credential::create(&models, user.tenant, &provider, &body.credentials, name).await?;
    Ok((StatusCode::CREATED, Json(Done::new())))
}

/// Replace a credential.
#[utoipa::path(
    put,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = CredentialUpdatePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn update_provider_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<CredentialUpdatePayload>,
) -> Result<Json<Done>, ApiError> {
    let change = Change {
        id: body.credential_id,
        credentials: &body.credentials,
        name: body.name.as_deref(),
    };
    credential::update(&models, user.tenant, &provider, change).await?;
    Ok(Json(Done::new()))
}

/// Delete a credential.
#[utoipa::path(
    delete,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = CredentialIdPayload,
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_provider_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<CredentialIdPayload>,
) -> Result<NoContent, ApiError> {
    credential::delete(&models, user.tenant, &provider, body.credential_id).await?;
    Ok(NoContent)
}

/// Take another stored credential into use.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials/switch",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = CredentialIdPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn switch_provider_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<CredentialIdPayload>,
) -> Result<Json<Done>, ApiError> {
    credential::switch(&models, user.tenant, &provider, body.credential_id).await?;
    Ok(Json(Done::new()))
}

/// Ask the provider whether it takes a credential.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/credentials/validate",
    tag = "model-providers",
    params(("provider" = String, Path)),
    request_body = CredentialValidatePayload,
    responses((status = 200, body = Checked), (status = "4XX", body = ErrorBody)),
)]
async fn validate_provider_credential(
    Console(user): Console,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<CredentialValidatePayload>,
) -> Result<Json<Checked>, ApiError> {
    let outcome = credential::validate(&models, user.tenant, &provider, &body.credentials).await;
    Ok(Json(Checked::of(outcome)?))
}
