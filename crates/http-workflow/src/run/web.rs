//! `/api/workflows/run`, `/api/workflows/tasks/{task_id}/stop`

use axum::{http::HeaderMap, response::Response};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Visitor};
use services_workflow::run::{RunRequest, Runs, select};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{BlockingRun, Call, Success, WorkflowRunPayload, answer, check_mode, stop};
use super::service::runner;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(run_web_workflow)).routes(routes!(stop_web_workflow_task))
}

/// Run the published workflow of a web app.
#[utoipa::path(
    post,
    path = "/api/workflows/run",
    tag = "workflow",
    request_body = WorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_web_workflow(
    runs: Part<Runs>,
    headers: HeaderMap,
    Visitor(visitor): Visitor,
    Valid(body): Valid<WorkflowRunPayload>,
) -> Result<Response, ApiError> {
    check_mode(&visitor.app)?;
    let workflow = select::published(&runs.ctx, &visitor.app, None).await?;
    let request = RunRequest {
        runner: runner(&visitor.end_user),
        app: visitor.app,
        workflow,
        invoke_from: InvokeFrom::WebApp,
        triggered_from: "app-run",
        inputs: body.inputs,
        files: body.files.unwrap_or_default(),
        root: None,
        run_id: None,
        call_depth: 0,
    };
    answer(&runs, Call::streaming(&headers), request).await
}

/// Stop a run of a web app.
#[utoipa::path(
    post,
    path = "/api/workflows/tasks/{task_id}/stop",
    tag = "workflow",
    params(("task_id" = String, Path)),
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn stop_web_workflow_task(
    runs: Part<Runs>,
    Path(task): Path<String>,
    Visitor(visitor): Visitor,
) -> Result<Json<Success>, ApiError> {
    check_mode(&visitor.app)?;
    stop(&runs, &runner(&visitor.end_user), &task).await;
    Ok(Success::new())
}
