//! `/console/api/apps/{app_id}/convert-to-workflow`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid};
use serde::{Deserialize, Serialize};
use services_app::{
    AppMode, app,
    convert::{self, Looks},
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::EditApp;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(convert_to_workflow))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ConvertToWorkflowPayload {
    name: Option<String>,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Converted {
    new_app_id: AppId,
}

/// Make a workflow app that does what a basic app does.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/convert-to-workflow",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    request_body = ConvertToWorkflowPayload,
    responses((status = 200, body = Converted), (status = "4XX", body = ErrorBody)),
)]
async fn convert_to_workflow(
    State(state): State<AppState>,
    EditApp { user, app }: EditApp,
    Valid(body): Valid<ConvertToWorkflowPayload>,
) -> Result<Json<Converted>, ApiError> {
    let mode = app::require(&app, &[AppMode::Chat, AppMode::Completion])?;
    // An app that is not named gets a name and looks of its own, not those of the old one.
    let or =
        |given: Option<String>, default: &str| Some(given.unwrap_or_else(|| default.to_owned()));
    let looks = Looks {
        name: or(body.name, "Default Name"),
        icon_type: or(body.icon_type, "emoji"),
        icon: or(body.icon, "🤖"),
        icon_background: or(body.icon_background, "#FFEAD5"),
    };
    let made = convert::convert(&state.ctx, &app, mode, &user.account, looks).await?;
    Ok(Json(Converted { new_app_id: made.id }))
}
