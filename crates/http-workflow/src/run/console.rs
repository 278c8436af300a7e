//! `/console/api/apps/{app_id}/workflows/draft/run`, `/console/api/apps/{app_id}/workflow-runs/tasks/{task_id}/stop`

use axum::{http::HeaderMap, response::Response};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Editor};
use services_account::session::SignedIn;
use services_workflow::run::{RunRequest, Runner, Runs, select};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{BlockingRun, Call, Success, WorkflowRunPayload, answer, stop};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_draft_workflow))
        .routes(routes!(stop_draft_workflow_task))
}

/// Run the draft of a workflow.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflows/draft/run",
    tag = "workflow",
    params(("app_id" = AppId, Path)),
    request_body = WorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft_workflow(
    runs: Part<Runs>,
    headers: HeaderMap,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    Valid(body): Valid<WorkflowRunPayload>,
) -> Result<Response, ApiError> {
    let app = select::app(&runs.ctx, user.tenant, app, &["workflow"]).await?;
    let workflow = select::draft(&runs.ctx, &app).await?;
    let request = RunRequest {
        app,
        workflow,
        runner: runner(&user),
        invoke_from: InvokeFrom::Debugger,
        triggered_from: "debugging",
        inputs: body.inputs,
        files: body.files.unwrap_or_default(),
        root: None,
        run_id: None,
        call_depth: 0,
    };
    answer(&runs, Call::streaming(&headers), request).await
}

/// Stop a run of the editor.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/workflow-runs/tasks/{task_id}/stop",
    tag = "workflow",
    params(("app_id" = AppId, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn stop_draft_workflow_task(
    runs: Part<Runs>,
    Editor(user): Editor,
    Path((app, task)): Path<(AppId, String)>,
) -> Result<Json<Success>, ApiError> {
    select::app(&runs.ctx, user.tenant, app, &["workflow", "advanced-chat"]).await?;
    stop(&runs, &runner(&user), &task).await;
    Ok(Success::new())
}

/// The signed-in user.
pub(crate) fn runner(user: &SignedIn) -> Runner {
    Runner::Account {
        id: user.account.id.0,
        name: user.account.name.clone(),
        email: user.account.email.clone(),
    }
}
