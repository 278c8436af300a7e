//! `/console/api/installed-apps/{installed_app_id}/workflows/…`, `/console/api/trial-apps/{app_id}/workflows/…`: workflow
//! apps used in the console.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use graph::InvokeFrom;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Console};
use serde::Deserialize;
use serde_json::{Map, Value};
use services_account::{App, session::SignedIn};
use services_platform::explore::{
    installed::{self, Viewer},
    trial,
};
use services_workflow::{
    run::{RunRequest, Runs, select},
    version,
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    body::{BlockingRun, Call, Success, answer, stop},
    console::runner,
};
use crate::version::Workflow;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(run_installed_workflow))
        .routes(routes!(stop_installed_workflow_task))
        .routes(routes!(try_workflow))
        .routes(routes!(stop_tried_workflow_task))
        .routes(routes!(find_tried_workflow))
}

/// A run that is asked for. It always streams.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ExploreWorkflowRunPayload {
    /// Values of the start form.
    inputs: Map<String, Value>,
    /// Files beside the form.
    #[serde(default)]
    files: Option<Vec<Value>>,
}

fn need_workflow(app: &App) -> Result<(), ApiError> {
    if app.mode == "workflow" {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::BAD_REQUEST, "not_workflow_app", "Only support workflow app."))
}

async fn installed_app(state: &AppState, user: &SignedIn, id: Uuid) -> Result<App, ApiError> {
    let viewer = Viewer { tenant: user.tenant, account: user.account.id };
    let (_, app) = installed::find(&state.ctx, viewer, id).await?;
    need_workflow(&app)?;
    Ok(app)
}

async fn run(
    runs: &Runs,
    headers: &HeaderMap,
    app: App,
    user: &SignedIn,
    body: ExploreWorkflowRunPayload,
) -> Result<Response, ApiError> {
    let workflow = select::published(&runs.ctx, &app, None).await?;
    let request = RunRequest {
        app,
        workflow,
        runner: runner(user),
        invoke_from: InvokeFrom::Explore,
        triggered_from: "app-run",
        inputs: body.inputs,
        files: body.files.unwrap_or_default(),
        root: None,
        run_id: None,
        call_depth: 0,
    };
    answer(runs, Call::streaming(headers), request).await
}

/// Run an installed workflow.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/workflows/run",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = ExploreWorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn run_installed_workflow(
    State(state): State<AppState>,
    runs: Part<Runs>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<Uuid>,
    Valid(body): Valid<ExploreWorkflowRunPayload>,
) -> Result<Response, ApiError> {
    let app = installed_app(&state, &user, id).await?;
    run(&runs, &headers, app, &user, body).await
}

/// Stop a run of an installed workflow.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps/{installed_app_id}/workflows/tasks/{task_id}/stop",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn stop_installed_workflow_task(
    State(state): State<AppState>,
    runs: Part<Runs>,
    Console(user): Console,
    Path((id, task)): Path<(Uuid, String)>,
) -> Result<Json<Success>, ApiError> {
    installed_app(&state, &user, id).await?;
    stop(&runs, &runner(&user), &task).await;
    Ok(Success::new())
}

/// Try a workflow of the catalogue.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/workflows/run",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    request_body = ExploreWorkflowRunPayload,
    responses((status = 200, body = BlockingRun), (status = "4XX", body = ErrorBody)),
)]
async fn try_workflow(
    State(state): State<AppState>,
    runs: Part<Runs>,
    headers: HeaderMap,
    Console(user): Console,
    Path(id): Path<AppId>,
    Valid(body): Valid<ExploreWorkflowRunPayload>,
) -> Result<Response, ApiError> {
    let app = trial::begin(&state.ctx, user.account.id, id).await?;
    need_workflow(&app)?;
    let answer = run(&runs, &headers, app, &user, body).await?;
    trial::count(&state.ctx, user.account.id, id).await?;
    Ok(answer)
}

/// Stop a run of a workflow that is tried.
#[utoipa::path(
    post,
    path = "/console/api/trial-apps/{app_id}/workflows/tasks/{task_id}/stop",
    tag = "explore",
    params(("app_id" = AppId, Path), ("task_id" = String, Path)),
    responses((status = 200, body = Success), (status = "4XX", body = ErrorBody)),
)]
async fn stop_tried_workflow_task(
    State(state): State<AppState>,
    runs: Part<Runs>,
    Console(user): Console,
    Path((id, task)): Path<(AppId, String)>,
) -> Result<Json<Success>, ApiError> {
    // Who used the last try may still stop it.
    let app = trial::tried(&state.ctx, id).await?;
    need_workflow(&app)?;
    stop(&runs, &runner(&user), &task).await;
    Ok(Success::new())
}

/// The workflow of an app that may be tried.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/workflows",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Workflow), (status = "4XX", body = ErrorBody)),
)]
async fn find_tried_workflow(
    State(state): State<AppState>,
    Path(id): Path<AppId>,
) -> Result<Json<Workflow>, ApiError> {
    let app = trial::read(&state.ctx, id).await?;
    if app.workflow_id.is_none() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "app_unavailable",
            "App unavailable, please check your app configurations.",
        ));
    }
    let found = version::published(&state.ctx, &app).await?;
    Ok(Json(found.map(Into::into).unwrap_or_default()))
}
