//! What runs are asked for with, and answered with.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use http_core::{ApiError, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_account::App;
use services_workflow::run::{
    RunFailure, RunRequest, Runner, Runs, Started, outcome,
    webhook::{self, Hook},
};
use types::WorkflowRunId;

use super::stream;

/// A run that is asked for.
#[derive(Debug, Clone, Default, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct WorkflowRunPayload {
    /// Values of the start form.
    pub(crate) inputs: Map<String, Value>,
    /// Files beside the form.
    #[serde(default)]
    pub(crate) files: Option<Vec<Value>>,
    /// `blocking`, `streaming`, or `async` (service API).
    #[serde(default)]
    pub(crate) response_mode: Option<ResponseMode>,
    /// With `async`: where the end of the run is told.
    #[serde(default)]
    pub(crate) webhook_url: Option<String>,
    /// With `webhook_url`: what the message is signed with.
    #[serde(default)]
    pub(crate) webhook_secret: Option<String>,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResponseMode {
    /// As one JSON body.
    Blocking,
    /// As server-sent events.
    Streaming,
    /// At once; the run is looked at later, or tells its end to a webhook.
    Async,
}

/// The answer to a request that waits for nothing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AcceptedRun {
    task_id: String,
    workflow_run_id: String,
    /// `running`.
    status: &'static str,
    /// Unix seconds.
    created_at: i64,
}

/// The answer of a blocking run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BlockingRun {
    task_id: String,
    workflow_run_id: String,
    data: Map<String, Value>,
}

/// `{"result": "success"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Success {
    result: &'static str,
}

impl Success {
    pub(crate) const fn new() -> Json<Self> {
        Json(Self { result: "success" })
    }
}

/// The modes whose apps these endpoints run.
pub(crate) fn check_mode(app: &App) -> Result<(), ApiError> {
    if app.mode == "workflow" {
        Ok(())
    } else {
        Err(services_workflow::WorkflowError::NotWorkflowApp.into())
    }
}

/// Starts a run and answers with its stream or its end.
pub(crate) async fn answer(
    runs: &Runs,
    request: RunRequest,
    is_streaming: bool,
) -> Result<Response, ApiError> {
    let detail = stream::detail(request.invoke_from);
    let started = runs.start(request).await?;
    if is_streaming {
        return Ok(stream::response(&started, detail, is_cancelled_when_left(runs)));
    }
    blocking(started).await
}

/// Starts a run and answers at once. `hook` is told its end.
pub(crate) async fn accept(
    runs: &Runs,
    mut request: RunRequest,
    hook: Option<Hook>,
) -> Result<Response, ApiError> {
    if let Some(hook) = hook {
        let run = *request.run_id.get_or_insert_with(WorkflowRunId::random);
        webhook::keep(runs, run, &hook).await?;
    }
    let started = runs.start(request).await?;
    // Somebody may want to see the stream after all.
    started.run.keep();
    let answer = AcceptedRun {
        task_id: started.run.task.to_string(),
        workflow_run_id: started.run_id.to_string(),
        status: "running",
        created_at: started.created_at,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// Whether the operator wants runs to end whose client goes away.
fn is_cancelled_when_left(runs: &Runs) -> bool {
    runs.ctx.config.own.disconnected_run_policy == "cancel"
}

async fn blocking(started: Started) -> Result<Response, ApiError> {
    let task_id = started.run.task.to_string();
    let end = outcome::end(&started).await.ok_or_else(|| {
        RunFailure::Fault(services_core::Fault::Other("a run ended without saying how".to_owned()))
    })?;
    started.run.delivered();
    let data = [
        "id",
        "workflow_id",
        "status",
        "outputs",
        "error",
        "elapsed_time",
        "total_tokens",
        "total_steps",
        "created_at",
        "finished_at",
    ]
    .into_iter()
    .map(|key| {
        let value = match key {
            "id" => Value::from(started.run_id.to_string()),
            "workflow_id" => Value::from(started.workflow_id.to_string()),
            _ => end.get(key).cloned().unwrap_or(Value::Null),
        };
        (key.to_owned(), value)
    })
    .collect();
    let answer = BlockingRun { task_id, workflow_run_id: started.run_id.to_string(), data };
    Ok(Json(answer).into_response())
}

/// Asks a run to stop, if it is one of this app's user.
pub(crate) async fn stop(runs: &Runs, app: &App, runner: &Runner, task_id: &str) {
    services_workflow::run::stop::stop(runs, app, runner, task_id).await;
}
