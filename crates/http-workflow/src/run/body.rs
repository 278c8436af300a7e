//! What runs are asked for with, and answered with.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use http_core::{ApiError, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_account::App;
use services_core::idempotency::{self, Begun, Key};
use services_workflow::run::{
    RunFailure, RunRequest, Runner, Runs, Started, outcome,
    webhook::{self, Hook},
};
use types::WorkflowRunId;

use super::{repeat, stream};

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

/// How a run is asked for.
pub(crate) struct Call<'a> {
    /// Headers of the request.
    pub(crate) headers: &'a HeaderMap,
    /// The published version the client named.
    pub(crate) version: Option<&'a str>,
    /// How the answer comes.
    pub(crate) mode: ResponseMode,
    /// With [`ResponseMode::Async`]: where the end is told.
    pub(crate) hook: Option<Hook>,
}

impl<'a> Call<'a> {
    /// A run whose events are streamed.
    pub(crate) fn streaming(headers: &'a HeaderMap) -> Self {
        Self { headers, version: None, mode: ResponseMode::Streaming, hook: None }
    }
}

/// Starts a run and answers the way the client wants it. With an `Idempotency-Key`, who asked before gets that answer.
pub(crate) async fn answer(
    runs: &Runs,
    call: Call<'_>,
    request: RunRequest,
) -> Result<Response, ApiError> {
    let Some(key) = repeat::key(&call, &request)? else {
        return start(runs, call, request, None).await;
    };
    if let Some(earlier) = repeat::earlier(runs, &call, &request, &key).await? {
        return Ok(earlier);
    }
    let answer = start(runs, call, request, Some(&key)).await;
    if answer.is_err() {
        idempotency::free(&runs.ctx, &key).await;
    }
    answer
}

async fn start(
    runs: &Runs,
    call: Call<'_>,
    mut request: RunRequest,
    key: Option<&Key>,
) -> Result<Response, ApiError> {
    let detail = stream::detail(request.invoke_from);
    if let Some(hook) = &call.hook {
        let run = *request.run_id.get_or_insert_with(WorkflowRunId::random);
        webhook::keep(runs, run, hook).await?;
    }
    let started = runs.start(request).await?;
    if let Some(key) = key {
        let begun = Begun { task: started.run.task, row: started.run_id.0 };
        idempotency::begun(&runs.ctx, key, begun).await;
        // Who names a request means to make it again.
        started.run.keep();
    }
    let (status, body) = match call.mode {
        ResponseMode::Streaming => {
            return Ok(stream::response(&started, detail, is_cancelled_when_left(runs)));
        }
        ResponseMode::Blocking => (StatusCode::OK, blocking(&started).await?),
        ResponseMode::Async => (StatusCode::ACCEPTED, accepted(&started)),
    };
    if let Some(key) = key {
        repeat::keep(runs, key, status, &body).await;
    }
    Ok((status, Json(body)).into_response())
}

/// The answer for who waits for nothing.
fn accepted(started: &Started) -> Value {
    // Somebody may want to see the stream after all.
    started.run.keep();
    let accepted = AcceptedRun {
        task_id: started.run.task.to_string(),
        workflow_run_id: started.run_id.to_string(),
        status: "running",
        created_at: started.created_at,
    };
    serde_json::to_value(accepted).unwrap_or_default()
}

/// Whether the operator wants runs to end whose client goes away.
fn is_cancelled_when_left(runs: &Runs) -> bool {
    runs.ctx.config.own.disconnected_run_policy == "cancel"
}

async fn blocking(started: &Started) -> Result<Value, ApiError> {
    let end = outcome::end(started).await.ok_or_else(|| {
        RunFailure::Fault(services_core::Fault::Other("a run ended without saying how".to_owned()))
    })?;
    started.run.delivered();
    let of = (started.run.task.to_string(), started.run_id.to_string());
    Ok(whole(of.0, of.1, Some(started.workflow_id.to_string()), &end))
}

/// The answer for who waits for the end, of the end's event.
pub(super) fn whole(
    task_id: String,
    run_id: String,
    workflow_id: Option<String>,
    end: &Map<String, Value>,
) -> Value {
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
        let known = match key {
            "id" => Some(Value::from(run_id.clone())),
            "workflow_id" => workflow_id.clone().map(Value::from),
            _ => None,
        };
        let value = known.or_else(|| end.get(key).cloned()).unwrap_or(Value::Null);
        (key.to_owned(), value)
    })
    .collect();
    let answer = BlockingRun { task_id, workflow_run_id: run_id, data };
    serde_json::to_value(answer).unwrap_or_default()
}

/// Asks a run to stop, if it is this user's.
pub(crate) async fn stop(runs: &Runs, runner: &Runner, task_id: &str) {
    services_workflow::run::stop::stop(runs, runner, task_id).await;
}
