//! Forms of the draft, without a run: `…/human-input/nodes/{node_id}/form/preview`, `…/form/run`, `…/delivery-test`.

use axum::extract::State;
use graph::pause::HumanInputRequired;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_workflow::form::{Filled, preview};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Nothing;
use crate::guard::{AppOf, Chatflows, Flows, Modes, Workflows};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(preview_form))
        .routes(routes!(preview_chatflow_form))
        .routes(routes!(submit_form_preview))
        .routes(routes!(submit_chatflow_form_preview))
        .routes(routes!(test_form_delivery))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct HumanInputFormPreviewPayload {
    /// Values of variables, by `#node.name#`, over those runs left behind.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
}

/// A form as a run would show it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FormPreview {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    form: HumanInputRequired,
    #[serde(rename = "TYPE")]
    kind: &'static str,
}

async fn show<M: Modes>(
    state: &AppState,
    AppOf { app, user, .. }: AppOf<M>,
    node: &str,
    body: HumanInputFormPreviewPayload,
) -> Result<Json<FormPreview>, ApiError> {
    let form = preview::show(&state.ctx, &app, user.account.id, node, &body.inputs).await?;
    Ok(Json(FormPreview { form, kind: "human_input_required" }))
}

/// The form of a node.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/human-input/nodes/{node_id}/form/preview",
    tag = "human input",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = HumanInputFormPreviewPayload,
    responses((status = 200, body = FormPreview), (status = "4XX", body = ErrorBody)),
)]
async fn preview_form(
    State(state): State<AppState>,
    app: AppOf<Workflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<HumanInputFormPreviewPayload>,
) -> Result<Json<FormPreview>, ApiError> {
    show(&state, app, &node, body).await
}

/// The form of a node of a chatflow.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/advanced-chat/workflows/draft/human-input/nodes/{node_id}/form/preview",
    tag = "human input",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = HumanInputFormPreviewPayload,
    responses((status = 200, body = FormPreview), (status = "4XX", body = ErrorBody)),
)]
async fn preview_chatflow_form(
    State(state): State<AppState>,
    app: AppOf<Chatflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<HumanInputFormPreviewPayload>,
) -> Result<Json<FormPreview>, ApiError> {
    show(&state, app, &node, body).await
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct HumanInputFormSubmitPayload {
    /// Values by field.
    #[schema(value_type = Object)]
    form_inputs: Map<String, Value>,
    /// Values of variables, by `#node.name#`, over those runs left behind.
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// The button.
    action: String,
}

async fn submit<M: Modes>(
    state: &AppState,
    AppOf { app, user, .. }: AppOf<M>,
    node: &str,
    body: HumanInputFormSubmitPayload,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let filled = Filled { action: body.action, inputs: body.form_inputs };
    let by = user.account.id;
    Ok(Json(preview::submit(&state.ctx, &app, by, node, &body.inputs, &filled).await?))
}

/// What a node would answer if its form were filled in like this; kept in the draft's variables.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/human-input/nodes/{node_id}/form/run",
    tag = "human input",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = HumanInputFormSubmitPayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn submit_form_preview(
    State(state): State<AppState>,
    app: AppOf<Workflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<HumanInputFormSubmitPayload>,
) -> Result<Json<Map<String, Value>>, ApiError> {
    submit(&state, app, &node, body).await
}

/// The same for a chatflow.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/advanced-chat/workflows/draft/human-input/nodes/{node_id}/form/run",
    tag = "human input",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = HumanInputFormSubmitPayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn submit_chatflow_form_preview(
    State(state): State<AppState>,
    app: AppOf<Chatflows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<HumanInputFormSubmitPayload>,
) -> Result<Json<Map<String, Value>>, ApiError> {
    submit(&state, app, &node, body).await
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct HumanInputDeliveryTestPayload {
    delivery_method_id: String,
    /// Values of variables, by `#node.name#`, over those runs left behind.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
}

/// Send the form of a node by one of its methods, to see that it arrives.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/human-input/nodes/{node_id}/delivery-test",
    tag = "human input",
    params(("app_id" = AppId, Path), ("node_id" = String, Path)),
    request_body = HumanInputDeliveryTestPayload,
    responses((status = 200, body = Nothing), (status = "4XX", body = ErrorBody)),
)]
async fn test_form_delivery(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Flows>,
    _: Editor,
    Path((_app, node)): Path<(AppId, String)>,
    Valid(body): Valid<HumanInputDeliveryTestPayload>,
) -> Result<Json<Nothing>, ApiError> {
    let by = user.account.id;
    let method = &body.delivery_method_id;
    preview::try_delivery(&state.ctx, &app, by, &node, method, &body.inputs).await?;
    Ok(Json(Nothing {}))
}
