//! `/console/api/workspaces/current/default-model`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, Valid,
    guard::{Admin, Console},
};
use model_runtime::ModelType;
use serde::{Deserialize, Serialize};
use services_model::{Models, catalog};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{Done, SimpleProvider};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_default_model, set_default_models))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct DefaultModelQuery {
    #[param(value_type = String)]
    model_type: ModelType,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DefaultModel {
    model: String,
    #[schema(value_type = String)]
    model_type: ModelType,
    provider: SimpleProvider,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DefaultModelAnswer {
    data: Option<DefaultModel>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DefaultModelSetting {
    #[schema(value_type = String)]
    model_type: ModelType,
    model: Option<String>,
    /// Without it nothing changes for this type.
    provider: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DefaultModelPayload {
    model_settings: Vec<DefaultModelSetting>,
}

/// The default model of a type.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/default-model",
    tag = "models",
    params(DefaultModelQuery),
    responses((status = 200, body = DefaultModelAnswer), (status = "4XX", body = ErrorBody)),
)]
async fn find_default_model(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Query(query): Query<DefaultModelQuery>,
) -> Result<Json<DefaultModelAnswer>, ApiError> {
    let found = catalog::default_model(&models, user.tenant, query.model_type).await?;
    let data = found.map(|(provider, model)| DefaultModel {
        model,
        model_type: query.model_type,
        provider: SimpleProvider::new(&state.ctx, user.tenant, provider.as_ref())
            .without_dark_icon(),
    });
    Ok(Json(DefaultModelAnswer { data }))
}

/// Set the default models of some types.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/default-model",
    tag = "models",
    request_body = DefaultModelPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn set_default_models(
    Admin(user): Admin,
    Part(models): Part<Models>,
    Valid(body): Valid<DefaultModelPayload>,
) -> Result<Json<Done>, ApiError> {
    for setting in body.model_settings {
        let Some(provider) = setting.provider else { continue };
        let model = setting.model.as_deref();
        catalog::set_default_model(&models, user.tenant, setting.model_type, &provider, model)
            .await?;
    }
    Ok(Json(Done::new()))
}
