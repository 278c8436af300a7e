//! `Idempotency-Key`: the same answer to the same question asked again.

use std::sync::Arc;

use app_engine::{
    Item, RunKey,
    basic::InvokeFrom,
    event::{AppEvent, Chunk, ChunkKind, MessageEnd, MessageMetadata},
    wire::Writer,
};
use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, Json,
    idempotency::{in_progress, key as key_of, replayed, reused},
    sse::Frame,
};
use services_conversation::{
    Engine,
    generate::Ask,
    idempotency::{self, Answer, Claim, Kept, Key},
};
use uuid::Uuid;

/// The key of a question, if it has one.
pub(super) fn key(headers: &HeaderMap, ask: &Ask, waits: bool) -> Result<Option<Key>, ApiError> {
    key_of(headers, ask.app.id.0, ask.caller.id(), || idempotency::question(ask, waits))
}

/// Claims the key of a question: the answer of who asked before, or nothing for who asks first.
pub(super) async fn earlier(
    engine: &Engine,
    headers: &HeaderMap,
    ask: &Ask,
    key: &Key,
) -> Result<Option<Response>, ApiError> {
    let ctx = engine.ctx();
    let mut claim = idempotency::claim(ctx, key).await?;
    if let Claim::Running(begun) = claim {
        if let Some(again) = joined(engine, headers, ask, begun.task) {
            return Ok(Some(again));
        }
        let run = engine.hub().find(RunKey::Task(begun.task)).ok_or_else(in_progress)?;
        // The answer is kept before the log ends.
        let mut reader = run.log.reader(0);
        while reader.next().await.is_some() {}
        claim = idempotency::claim(ctx, key).await?;
    }
    match claim {
        Claim::New => Ok(None),
        Claim::Done(kept) => Ok(Some(again(engine, headers, ask, *kept))),
        Claim::Running(_) | Claim::Busy => Err(in_progress()),
        Claim::Other => Err(reused()),
    }
}

/// The stream of a run this process still knows, from its beginning.
fn joined(engine: &Engine, headers: &HeaderMap, ask: &Ask, task: Uuid) -> Option<Response> {
    if !ask.stream {
        return None;
    }
    let run = engine.hub().find(RunKey::Task(task))?;
    let prefix = run.prefix.get()?.clone();
    let writer = Writer { prefix, task_id: task.to_string(), detail: ask.invoke_from.detail() };
    let numbered = super::wants_numbers(headers);
    let frames = super::frames(run, writer, 0, numbered, super::cancels(engine));
    Some(replayed(super::respond(&ask.app.mode, frames)))
}

/// A kept answer in the form the client wants.
fn again(engine: &Engine, headers: &HeaderMap, ask: &Ask, kept: Kept) -> Response {
    let kept = match kept {
        Kept::Accepted(words) => {
            return replayed((StatusCode::ACCEPTED, Json(words)).into_response());
        }
        Kept::Answer(answer) => answer,
    };
    // Graphs told more than what is kept.
    if let Some(again) = joined(engine, headers, ask, kept.task) {
        return again;
    }
    replayed(told(ask.invoke_from, ask.stream, kept))
}

fn told(from: InvokeFrom, streams: bool, kept: Answer) -> Response {
    let prefix = kept.prefix();
    if !streams {
        let whole = super::whole(prefix, kept.task, &kept.mode, from.detail(), kept.answered);
        return Json(whole).into_response();
    }
    let writer = Writer { prefix, task_id: kept.task.to_string(), detail: from.detail() };
    let mode = kept.mode.clone();
    let [text, end] = events(kept);
    let frames = [Frame::data(&writer.line(&text)), Frame::data(&writer.line(&end))];
    super::respond(&mode, futures::stream::iter(frames))
}

fn events(kept: Answer) -> [Item; 2] {
    let answered = kept.answered;
    let chunk = Chunk { kind: ChunkKind::Answer, selector: None };
    let end = MessageEnd {
        metadata: MessageMetadata {
            annotation_reply: answered.annotation,
            omit_annotation_reply: false,
            retriever_resources: answered.sources,
            usage: serde_json::to_value(&answered.usage).unwrap_or_default(),
        },
        files: None,
    };
    [
        Item::Text(Arc::new(chunk), answered.answer),
        Item::Event(Arc::new(AppEvent::MessageEnd(Box::new(end)))),
    ]
}
