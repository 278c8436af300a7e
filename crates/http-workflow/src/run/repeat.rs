//! `Idempotency-Key`: the same run for the same request made again.

use app_engine::{RunKey, wire::Prefix};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http_core::{
    ApiError, Json,
    idempotency::{in_progress, key as key_of, replayed, reused},
    sse::{self, Frame},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use services_core::idempotency::{self, Begun, Claim, Key};
use services_workflow::run::{
    RunRequest, Runs,
    watch::{self, Wish},
};

use super::{
    body::{Call, ResponseMode, whole},
    stream,
};

/// An answer that is kept. Of streams nothing is: they are told again from the run.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    body: Value,
}

/// The key of a request, if it has one.
pub(super) fn key(call: &Call<'_>, request: &RunRequest) -> Result<Option<Key>, ApiError> {
    key_of(call.headers, request.app.id.0, request.runner.id(), || {
        json!([
            request.invoke_from.as_str(),
            request.inputs,
            request.files,
            call.version,
            call.mode as u8,
            call.hook.as_ref().map(|hook| &hook.url),
        ])
    })
}

/// Keeps the answer of a key.
pub(super) async fn keep(runs: &Runs, key: &Key, status: StatusCode, body: &Value) {
    let kept = Kept { status: status.as_u16(), body: body.clone() };
    idempotency::done(&runs.ctx, key, &kept).await;
}

/// Claims the key of a request: the answer of who asked before, or nothing for who asks first.
pub(super) async fn earlier(
    runs: &Runs,
    call: &Call<'_>,
    request: &RunRequest,
    key: &Key,
) -> Result<Option<Response>, ApiError> {
    match idempotency::claim::<Kept>(&runs.ctx, key).await? {
        Claim::New => Ok(None),
        Claim::Done(kept) => {
            let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
            Ok(Some(replayed((status, Json(kept.body)).into_response())))
        }
        Claim::Running(begun) => match call.mode {
            ResponseMode::Streaming => told_again(runs, request, begun).await.map(Some),
            ResponseMode::Blocking => ended(runs, request, begun).await.map(Some),
            ResponseMode::Async => Err(in_progress()),
        },
        Claim::Busy => Err(in_progress()),
        Claim::Other => Err(reused()),
    }
}

/// The events of a run: all of them while they are known, else how it stands.
async fn told_again(runs: &Runs, request: &RunRequest, begun: Begun) -> Result<Response, ApiError> {
    if let Some(run) = runs.find(RunKey::WorkflowRun(begun.row)) {
        let prefix = Prefix::Workflow { workflow_run_id: begun.row.to_string() };
        let detail = stream::detail(request.invoke_from);
        return Ok(replayed(stream::again(run, prefix, detail)));
    }
    let run = begun.row.to_string();
    let events = watch::events(runs, &wish(request, &run)).await?;
    Ok(replayed(sse::response(events.map(|event| Frame::data(&event)))))
}

/// The end of a run, waited for.
async fn ended(runs: &Runs, request: &RunRequest, begun: Begun) -> Result<Response, ApiError> {
    let run = begun.row.to_string();
    let mut events = watch::events(runs, &wish(request, &run)).await?;
    while let Some(event) = events.next().await {
        let name = event.get("event").and_then(Value::as_str);
        let data = event.get("data").and_then(Value::as_object);
        if let (Some("workflow_finished" | "workflow_paused"), Some(data)) = (name, data) {
            let body = whole(begun.task.to_string(), run, None, data);
            return Ok(replayed(Json(body).into_response()));
        }
    }
    Err(in_progress())
}

fn wish<'a>(request: &'a RunRequest, run: &'a str) -> Wish<'a> {
    Wish {
        tenant: request.app.tenant_id,
        app: Some(request.app.id),
        run,
        runner: &request.runner,
        snapshot: true,
    }
}
