//! A run as an answer: a stream of events, or one JSON object at its end.

use std::sync::Arc;

use app_engine::{
    Run, RunKey,
    basic::{Caller, InvokeFrom, Mode},
    event::{MessageMetadata, RunError},
    wire::{self, BlockingAnswer, Detail, Prefix, Writer},
};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::Stream;
use http_core::{
    ApiError, Json,
    sse::{self, Frame},
};
use serde::Serialize;
use serde_json::Value;
use services_conversation::{
    Engine,
    generate::{self, Answered, Ask, GenerateError, Started, like::Like},
    idempotency, stop,
};
use uuid::Uuid;

use crate::request::Position;

mod repeat;

/// Asks, and answers the way the client wants it. With an `Idempotency-Key`, who asked before gets that answer again.
pub(crate) async fn ask(
    engine: &Engine,
    headers: &HeaderMap,
    mut ask: Ask,
) -> Result<Response, ApiError> {
    if let Some(key) = repeat::key(headers, &ask, true)? {
        if let Some(earlier) = repeat::earlier(engine, headers, &ask, &key).await? {
            return Ok(earlier);
        }
        ask.idempotency = Some(key);
    }
    let (invoke_from, streams, is_keyed) = (ask.invoke_from, ask.stream, ask.idempotency.is_some());
    let started = generate::start(engine, ask).await.map_err(refused)?;
    if is_keyed {
        // Who names a question means to ask it again.
        started.run.keep();
    }
    answer(engine, headers, invoke_from, streams, started).await
}

/// The answer to a question that waits for nothing.
#[derive(Debug, Serialize)]
struct Accepted {
    event: &'static str,
    task_id: String,
    id: String,
    message_id: String,
    conversation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_run_id: Option<String>,
    mode: &'static str,
    status: &'static str,
    created_at: i64,
}

/// Asks, and answers at once: the client looks for the answer later, or is told that it is there. With an
/// `Idempotency-Key`, who asked before hears of the run that began then.
pub(crate) async fn accept(
    engine: &Engine,
    headers: &HeaderMap,
    ask: Ask,
) -> Result<Response, ApiError> {
    if ask.webhook.is_some() && ask.app.mode != Mode::Chatflow.as_str() {
        let why = "webhook_url is for apps drawn as a graph only";
        return Err(ApiError::invalid_param(why));
    }
    let Some(key) = repeat::key(headers, &ask, false)? else {
        let accepted = begin(engine, ask).await?;
        return Ok((StatusCode::ACCEPTED, Json(accepted)).into_response());
    };
    if let Some(earlier) = repeat::earlier(engine, headers, &ask, &key).await? {
        return Ok(earlier);
    }
    // The key is not the run's: whatever becomes of that, it was accepted.
    match begin(engine, ask).await {
        Ok(accepted) => {
            let words = serde_json::to_value(&accepted).unwrap_or_default();
            idempotency::accepted(engine.ctx(), &key, words).await;
            Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
        }
        Err(err) => {
            idempotency::free(engine.ctx(), &key).await;
            Err(err)
        }
    }
}

async fn begin(engine: &Engine, mut ask: Ask) -> Result<Accepted, ApiError> {
    // Agents do nothing but stream.
    ask.stream |= ask.app.mode == Mode::Agent.as_str();
    let started = generate::start(engine, ask).await.map_err(refused)?;
    // Somebody may want to see the stream after all.
    started.run.keep();
    Ok(Accepted {
        event: "message",
        task_id: started.run.task.to_string(),
        id: started.message.to_string(),
        message_id: started.message.to_string(),
        conversation_id: started.conversation.to_string(),
        workflow_run_id: started.workflow_run.map(|run| run.to_string()),
        mode: started.mode.as_str(),
        status: "running",
        created_at: started.created_at,
    })
}

/// Asks for another answer like one, and answers the way the client wants it.
pub(crate) async fn more_like(
    engine: &Engine,
    headers: &HeaderMap,
    like: Like,
) -> Result<Response, ApiError> {
    let (invoke_from, streams) = (like.invoke_from, like.stream);
    let started = generate::like::more_like(engine, like).await.map_err(refused)?;
    answer(engine, headers, invoke_from, streams, started).await
}

async fn answer(
    engine: &Engine,
    headers: &HeaderMap,
    from: InvokeFrom,
    streams: bool,
    started: Started,
) -> Result<Response, ApiError> {
    if streams {
        Ok(stream(engine, headers, from, started))
    } else {
        block(engine, from, started).await
    }
}

/// A refusal, with a hint when to try again where that helps.
fn refused(err: GenerateError) -> ApiError {
    let GenerateError::TooMany { limit, .. } = err else { return err.into() };
    // How many runs go on at once does not say when one ends; a second is a fair guess.
    [
        (header::RETRY_AFTER, "1".to_owned()),
        (HeaderName::from_static("ratelimit-limit"), limit.to_string()),
        (HeaderName::from_static("ratelimit-remaining"), "0".to_owned()),
        (HeaderName::from_static("ratelimit-reset"), "1".to_owned()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
    .fold(err.into(), |answer: ApiError, (name, value)| answer.header(name, value))
}

/// Whether the client wants numbered events, from which it may come back.
fn wants_numbers(headers: &HeaderMap) -> bool {
    headers.contains_key("x-event-ids") || headers.contains_key("last-event-id")
}

fn stream(engine: &Engine, headers: &HeaderMap, from: InvokeFrom, started: Started) -> Response {
    let writer = Writer {
        prefix: started.prefix(),
        task_id: started.run.task.to_string(),
        detail: from.detail(),
    };
    let numbered = wants_numbers(headers);
    if numbered {
        started.run.keep();
    }
    let mode = started.mode.as_str();
    respond(mode, frames(started.run, writer, 0, numbered, cancels(engine)))
}

/// A stream of an app's kind: only those of graphs begin with a ping in the reference.
fn respond<S>(mode: &str, frames: S) -> Response
where
    S: Stream<Item = Frame> + Send + 'static,
{
    if mode == Mode::Chatflow.as_str() {
        sse::response(frames)
    } else {
        sse::response_of_data(frames)
    }
}

/// Whether a run ends when its client goes away.
fn cancels(engine: &Engine) -> bool {
    engine.ctx().config.own.disconnected_run_policy == "cancel"
}

/// Streams the rest of a run the caller began, behind the event it saw last.
pub(crate) async fn come_back(
    engine: &Engine,
    headers: &HeaderMap,
    task: Uuid,
    caller: Caller,
    from: InvokeFrom,
    position: Position,
) -> Result<Response, ApiError> {
    let gone = || ApiError::not_found("The run is over and no longer kept, or it is not yours.");
    let run = engine.hub().find(RunKey::Task(task)).ok_or_else(gone)?;
    if !stop::is_owner(engine.ctx(), engine.hub(), &task.to_string(), caller).await {
        return Err(gone());
    }
    let prefix = run.prefix.get().cloned().ok_or_else(gone)?;
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let after = header.or(position.last_event_id).unwrap_or(0);
    let writer = Writer { prefix, task_id: task.to_string(), detail: from.detail() };
    run.keep();
    Ok(sse::response(frames(run, writer, after, true, cancels(engine))))
}

/// The events of a run behind number `after`.
pub(crate) fn frames(
    run: Arc<Run>,
    writer: Writer,
    after: u64,
    numbered: bool,
    cancels: bool,
) -> impl Stream<Item = Frame> + Send {
    async_stream::stream! {
        let mut reader = run.log.reader(after);
        let mut attached = Attached { run: Some(run), cancels };
        while let Some((number, item)) = reader.next().await {
            let line = writer.line(&item);
            yield if numbered { Frame::data_with_id(number, &line) } else { Frame::data(&line) };
        }
        attached.has_everything();
    }
}

/// A client at a run. Dropped before the end, it means that the client went away.
struct Attached {
    run: Option<Arc<Run>>,
    cancels: bool,
}

impl Attached {
    fn has_everything(&mut self) {
        if let Some(run) = self.run.take() {
            run.delivered();
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let Some(run) = &self.run else { return };
        if self.cancels {
            run.cancel.cancel();
        } else {
            run.keep();
        }
    }
}

async fn block(engine: &Engine, from: InvokeFrom, started: Started) -> Result<Response, ApiError> {
    let mut attached = Attached { run: Some(started.run.clone()), cancels: cancels(engine) };
    let prefix = started.prefix();
    let answered =
        started.answered.await.map_err(|_| ApiError::internal("a run ended without a word"))?;
    attached.has_everything();
    let answered = answered.map_err(failed)?;
    let mode = started.mode.as_str();
    Ok(Json(whole(prefix, started.run.task, mode, from.detail(), answered)).into_response())
}

/// A blocking answer.
fn whole(
    prefix: Prefix,
    task: Uuid,
    mode: &str,
    detail: Detail,
    answered: Answered,
) -> BlockingAnswer {
    let (conversation_id, message_id, created_at) = match prefix {
        Prefix::Chat { conversation_id, message_id, created_at } => {
            (Some(conversation_id), message_id, created_at)
        }
        Prefix::Completion { message_id, created_at } => (None, message_id, created_at),
        Prefix::Workflow { workflow_run_id } => (None, workflow_run_id, 0),
    };
    let Answered { answer, annotation, sources, usage } = answered;
    let metadata = MessageMetadata {
        // Chatflows leave out what others say.
        omit_annotation_reply: mode == Mode::Chatflow.as_str() && annotation.is_some(),
        annotation_reply: annotation,
        retriever_resources: sources,
        usage: Value::Object(usage.plain_json()),
    };
    BlockingAnswer {
        event: "message",
        task_id: task.to_string(),
        id: message_id.clone(),
        message_id,
        conversation_id,
        mode: mode.to_owned(),
        answer,
        metadata: wire::metadata(&metadata, detail),
        created_at,
    }
}

/// A run that failed, as a blocking answer says it.
fn failed(err: RunError) -> ApiError {
    if err.status == StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        return ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "The server encountered an internal error and was unable to complete your request. Either the server is \
             overloaded or there is an error in the application.",
        );
    }
    let status = StatusCode::from_u16(err.status).unwrap_or(StatusCode::BAD_REQUEST);
    ApiError::new(status, err.code, err.message)
}
