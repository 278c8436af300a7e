//! Waiting for triggers of the draft, and running it when one fires.

use axum::response::{IntoResponse, Response};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use services_account::{App, session::SignedIn};
use services_workflow::{
    run::{RunRequest, Runs, select},
    trigger::debug,
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AppOf, Workflows},
    run::{BlockingRun, answer, runner},
};

/// When to ask again, in milliseconds.
const RETRY_IN: u32 = 2000;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_draft_at_trigger))
        .routes(routes!(run_draft_at_any_trigger))
}

/// Nothing happened yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Waiting {
    status: &'static str,
    /// Milliseconds.
    retry_in: u32,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DraftWorkflowTriggerRunPayload {
    node_id: String,
}

/// Run the draft if its trigger fired; ask again if not.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/trigger/run",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    request_body = DraftWorkflowTriggerRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_at_trigger(
    runs: Part<Runs>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    _: Editor,
    Valid(body): Valid<DraftWorkflowTriggerRunPayload>,
) -> Result<Response, ApiError> {
    run_when_fired(&runs, app, &user, &[body.node_id]).await
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct DraftWorkflowTriggerRunAllPayload {
    node_ids: Vec<String>,
}

/// Run the draft from the first of its triggers that fired; ask again if none did.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/trigger/run-all",
    tag = "workflow trigger",
    params(("app_id" = AppId, Path)),
    request_body = DraftWorkflowTriggerRunAllPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_at_any_trigger(
    runs: Part<Runs>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    _: Editor,
    Valid(body): Valid<DraftWorkflowTriggerRunAllPayload>,
) -> Result<Response, ApiError> {
    run_when_fired(&runs, app, &user, &body.node_ids).await
}

async fn run_when_fired(
    runs: &Runs,
    app: App,
    user: &SignedIn,
    nodes: &[String],
) -> Result<Response, ApiError> {
    let Some(event) = debug::poll(&runs.ctx, &app, user.account.id, nodes).await? else {
        return Ok(Json(Waiting { status: "waiting", retry_in: RETRY_IN }).into_response());
    };
    let workflow = select::draft(&runs.ctx, &app).await?;
    let request = RunRequest {
        app,
        workflow,
        runner: runner(user),
        invoke_from: InvokeFrom::Debugger,
        triggered_from: "debugging",
        inputs: event.inputs,
        files: Vec::new(),
        root: Some(event.node_id),
        run_id: None,
        call_depth: 0,
    };
    answer(runs, request, true).await
}
