//! `/console/api/app/prompt-templates`

use http_core::{ApiError, AppState, ErrorBody, Json, Query, guard::Console};
use serde::Deserialize;
use serde_json::Value;
use services_app::prompt_template::{self, Asked};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_advanced_prompt_templates))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct AdvancedPromptTemplateQuery {
    app_mode: String,
    model_mode: String,
    /// `true` for an app with knowledge.
    #[serde(default = "yes")]
    has_context: String,
    model_name: String,
}

fn yes() -> String {
    "true".to_owned()
}

/// The prompt the expert editor begins with.
#[utoipa::path(
    get,
    path = "/console/api/app/prompt-templates",
    tag = "app",
    params(AdvancedPromptTemplateQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn get_advanced_prompt_templates(
    _: Console,
    Query(query): Query<AdvancedPromptTemplateQuery>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(prompt_template::skeleton(&Asked {
        app_mode: &query.app_mode,
        model_mode: &query.model_mode,
        model_name: &query.model_name,
        has_context: query.has_context == "true",
    })))
}
