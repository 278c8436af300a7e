//! `/v1/workflows/run`, `/v1/workflows/{workflow_id}/run`, `/v1/workflows/tasks/{task_id}/stop`

use axum::{http::HeaderMap, response::Response};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, guard::ServiceCall};
use services_account::{App, EndUser};
use services_workflow::run::{RunRequest, Runner, Runs, select, webhook::Hook};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{
    AcceptedRun, BlockingRun, Call, ResponseMode, Success, WorkflowRunPayload, answer, check_mode,
    stop,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_workflow))
        .routes(routes!(run_workflow_version))
        .routes(routes!(stop_workflow_task))
}

/// Run the published workflow.
#[utoipa::path(
    post,
    path = "/v1/workflows/run",
    tag = "workflow",
    request_body = WorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = 202, body = AcceptedRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_workflow(
    runs: Part<Runs>,
    headers: HeaderMap,
    call: ServiceCall<WorkflowRunPayload>,
) -> Result<Response, ApiError> {
    run(&runs, &headers, call, None).await
}

/// Run a published version of the workflow.
#[utoipa::path(
    post,
    path = "/v1/workflows/{workflow_id}/run",
    tag = "workflow",
    params(("workflow_id" = String, Path)),
    request_body = WorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = 202, body = AcceptedRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_workflow_version(
    runs: Part<Runs>,
    headers: HeaderMap,
    Path(workflow): Path<String>,
    call: ServiceCall<WorkflowRunPayload>,
) -> Result<Response, ApiError> {
    run(&runs, &headers, call, Some(&workflow)).await
}

/// Stop a run.
#[utoipa::path(
    post,
    path = "/v1/workflows/tasks/{task_id}/stop",
    tag = "workflow",
    params(("task_id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn stop_workflow_task(
    runs: Part<Runs>,
    Path(task): Path<String>,
    call: ServiceCall<Nothing>,
) -> Result<Json<Success>, ApiError> {
    check_mode(&call.app)?;
    stop(&runs, &runner(&call.end_user), &task).await;
    Ok(Success::new())
}

/// A body of which only `user` counts.
#[derive(Debug, serde::Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
struct Nothing {}

async fn run(
    runs: &Runs,
    headers: &HeaderMap,
    call: ServiceCall<WorkflowRunPayload>,
    version: Option<&str>,
) -> Result<Response, ApiError> {
    check_mode(&call.app)?;
    let workflow = select::published(&runs.ctx, &call.app, version).await?;
    let mode = call.body.response_mode.unwrap_or(ResponseMode::Blocking);
    let hook = match (mode, &call.body.webhook_url) {
        (ResponseMode::Async, Some(url)) => {
            let secret = call.body.webhook_secret.as_deref().unwrap_or_default();
            Some(Hook::new(call.app.tenant_id, url, secret)?)
        }
        _ => None,
    };
    let request = request(call.app, workflow, &call.end_user, call.body);
    answer(runs, Call { headers, version, mode, hook }, request).await
}

fn request(
    app: App,
    workflow: services_workflow::run::Version,
    end_user: &EndUser,
    body: WorkflowRunPayload,
) -> RunRequest {
    RunRequest {
        app,
        workflow,
        runner: runner(end_user),
        invoke_from: InvokeFrom::ServiceApi,
        triggered_from: "app-run",
        inputs: body.inputs,
        files: body.files.unwrap_or_default(),
        root: None,
        run_id: None,
        call_depth: 0,
    }
}

/// The end user of a call.
pub(super) fn runner(end_user: &EndUser) -> Runner {
    Runner::EndUser { id: end_user.id.0, session_id: end_user.session_id.clone() }
}
