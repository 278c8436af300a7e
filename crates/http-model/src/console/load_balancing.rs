//! `/console/api/workspaces/current/model-providers/{provider}/models/load-balancing-configs`

use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Admin, validation::JsonObject,
};
use model_runtime::ModelType;
use serde::Deserialize;
use services_model::{Models, balancing, custom_model::Model};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Checked;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(validate_balancing_credential))
        .routes(routes!(validate_balancing_change))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct LoadBalancingCredentialPayload {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// Ask the provider whether it takes a credential to spread calls over.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/load-balancing-configs/credentials-validate",
    tag = "models",
    params(("provider" = String, Path)),
    request_body = LoadBalancingCredentialPayload,
    responses((status = 200, body = Checked), (status = "4XX", body = ErrorBody)),
)]
async fn validate_balancing_credential(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path(provider): Path<String>,
    Valid(body): Valid<LoadBalancingCredentialPayload>,
) -> Result<Json<Checked>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let outcome = balancing::validate(&models, user.tenant, model, &body.credentials, None).await;
    Ok(Json(Checked::of(outcome)?))
}

/// Ask the provider whether it takes the new fields of an entry.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/model-providers/{provider}/models/load-balancing-configs/{config_id}/credentials-validate",
    tag = "models",
    params(("provider" = String, Path), ("config_id" = String, Path)),
    request_body = LoadBalancingCredentialPayload,
    responses((status = 200, body = Checked), (status = "4XX", body = ErrorBody)),
)]
async fn validate_balancing_change(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Path((provider, config)): Path<(String, String)>,
    Valid(body): Valid<LoadBalancingCredentialPayload>,
) -> Result<Json<Checked>, ApiError> {
    let model = Model { provider: &provider, kind: body.model_type, name: &body.model };
    let outcome =
        balancing::validate(&models, user.tenant, model, &body.credentials, Some(&config)).await;
    Ok(Json(Checked::of(outcome)?))
}
