//! Triggers in the console: the list, the switch, the address of a webhook.

mod debug;
mod oauth;
mod provider;

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Query, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use services_workflow::trigger::{self, Shown};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::{AppOf, Workflows},
    wire::iso,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_triggers))
        .routes(routes!(switch_trigger))
        .routes(routes!(find_webhook))
        .merge(debug::router())
        .merge(provider::router())
        .merge(oauth::router())
}

/// A node that starts runs of the published version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowTrigger {
    id: Uuid,
    /// `trigger-webhook`, `trigger-schedule` or `trigger-plugin`.
    trigger_type: String,
    title: String,
    node_id: String,
    provider_name: Option<String>,
    /// A link for plugin triggers; empty for others.
    icon: String,
    /// `enabled`, `disabled` …
    status: String,
    /// ISO 8601, UTC.
    created_at: String,
    /// ISO 8601, UTC.
    updated_at: String,
}

impl From<Shown> for WorkflowTrigger {
    fn from(shown: Shown) -> Self {
        let Shown { trigger, icon } = shown;
        Self {
            id: trigger.id,
            trigger_type: trigger.trigger_type,
            title: trigger.title,
            node_id: trigger.node_id,
            provider_name: trigger.provider_name,
            icon,
            status: trigger.status,
            created_at: iso(trigger.created_at),
            updated_at: iso(trigger.updated_at),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowTriggerList {
    data: Vec<WorkflowTrigger>,
}

/// The triggers of an app, newest first.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/triggers",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = WorkflowTriggerList), (status = "4XX", body = ErrorBody)),
)]
async fn list_triggers(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Workflows>,
) -> Result<Json<WorkflowTriggerList>, ApiError> {
    let triggers = trigger::list(&state.ctx, &app).await?;
    Ok(Json(WorkflowTriggerList { data: triggers.into_iter().map(Into::into).collect() }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TriggerSwitch {
    trigger_id: String,
    enable_trigger: bool,
}

/// Switch a trigger on or off.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/trigger-enable",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    request_body = TriggerSwitch,
    responses((status = 200, body = WorkflowTrigger), (status = "4XX", body = ErrorBody)),
)]
async fn switch_trigger(
    State(state): State<AppState>,
    _: Editor,
    AppOf { app, .. }: AppOf<Workflows>,
    Valid(body): Valid<TriggerSwitch>,
) -> Result<Json<WorkflowTrigger>, ApiError> {
    let switched = trigger::switch(&state.ctx, &app, &body.trigger_id, body.enable_trigger);
    Ok(Json(switched.await?.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WebhookQuery {
    node_id: String,
}

/// Where a webhook node is called.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WebhookTrigger {
    id: Uuid,
    webhook_id: String,
    webhook_url: String,
    webhook_debug_url: String,
    node_id: String,
    /// ISO 8601, UTC.
    created_at: String,
}

/// The address of a webhook node.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflows/triggers/webhook",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path), WebhookQuery),
    responses((status = 200, body = WebhookTrigger), (status = "4XX", body = ErrorBody)),
)]
async fn find_webhook(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Workflows>,
    Query(query): Query<WebhookQuery>,
) -> Result<Json<WebhookTrigger>, ApiError> {
    let found = trigger::webhook_of_node(&state.ctx, &app, &query.node_id).await?;
    Ok(Json(WebhookTrigger {
        id: found.id,
        webhook_url: trigger::webhook_url(&state.ctx, &found.webhook_id),
        webhook_debug_url: trigger::webhook_debug_url(&state.ctx, &found.webhook_id),
        webhook_id: found.webhook_id,
        node_id: found.node_id,
        created_at: iso(found.created_at),
    }))
}
