//! `/v1/workspaces/current/models/model-types/{model_type}`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, guard::DatasetKey};
use services_model::{Models, catalog};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{Listed, ProviderModels, model_type, provider_models};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_usable_models))
}

/// The models of a type that can be used, by provider.
#[utoipa::path(
    get,
    path = "/v1/workspaces/current/models/model-types/{model_type}",
    tag = "models",
    params(("model_type" = String, Path)),
    responses((status = 200, body = Listed<ProviderModels>), (status = "4XX", body = ErrorBody)),
)]
async fn list_usable_models(
    State(state): State<AppState>,
    DatasetKey(owner): DatasetKey,
    Part(models): Part<Models>,
    Path(kind): Path<String>,
) -> Result<Json<Listed<ProviderModels>>, ApiError> {
    let usable = catalog::usable(&models, owner.tenant, model_type(&kind)?).await?;
    Ok(Json(provider_models(&state.ctx, owner.tenant, usable)))
}
