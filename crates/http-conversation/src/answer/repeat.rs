//! `Idempotency-Key`: the same answer to the same question asked again.

use std::sync::Arc;

use app_engine::{
    Item, RunKey,
    basic::InvokeFrom,
    event::{AppEvent, Chunk, ChunkKind, MessageEnd, MessageMetadata},
    wire::Writer,
};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, Json,
    sse::{self, Frame},
};
use services_conversation::{
    Engine,
    generate::Ask,
    idempotency::{self, Claim, Kept, Key},
};

/// The header that names a question.
pub(super) const HEADER: &str = "idempotency-key";

/// Claims the key of a question. `Err` is the answer of who asked before.
pub(super) async fn claim(
    engine: &Engine,
    headers: &HeaderMap,
    ask: &Ask,
    key: &HeaderValue,
) -> Result<Result<Key, Response>, ApiError> {
    let key = key.to_str().ok().and_then(|key| Key::new(ask, key)).ok_or_else(|| {
        ApiError::invalid_param("Idempotency-Key has to be 1 to 255 visible characters.")
    })?;
    let ctx = engine.ctx();
    let mut claim = idempotency::claim(ctx, &key).await?;
    if let Claim::Running(task) = claim {
        let Some(run) = engine.hub().find(RunKey::Task(task)) else { return Err(in_progress()) };
        if let (true, Some(prefix)) = (ask.stream, run.prefix.get()) {
            let detail = ask.invoke_from.detail();
            let writer = Writer { prefix: prefix.clone(), task_id: task.to_string(), detail };
            let numbered = super::wants_numbers(headers);
            let frames =
                super::frames(run, writer, 0, numbered, super::SILENCE, super::cancels(engine));
            return Ok(Err(marked(sse::response(frames))));
        }
        // The answer is kept before the log ends.
        let mut reader = run.log.reader(0);
        while reader.next().await.is_some() {}
        claim = idempotency::claim(ctx, &key).await?;
    }
    match claim {
        Claim::New => Ok(Ok(key)),
        Claim::Done(kept) => Ok(Err(marked(again(ask.invoke_from, ask.stream, *kept)))),
        Claim::Running(_) | Claim::Busy => Err(in_progress()),
        Claim::Other => Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request.",
        )),
    }
}

fn in_progress() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "idempotency_key_in_progress",
        "The first request with this Idempotency-Key is still being answered.",
    )
    .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn marked(mut response: Response) -> Response {
    let name = HeaderName::from_static("idempotency-replayed");
    response.headers_mut().insert(name, HeaderValue::from_static("true"));
    response
}

/// A kept answer in the form the client wants.
fn again(from: InvokeFrom, streams: bool, kept: Kept) -> Response {
    let prefix = kept.prefix();
    if !streams {
        let whole = super::whole(prefix, kept.task, &kept.mode, from.detail(), kept.answered);
        return Json(whole).into_response();
    }
    let writer = Writer { prefix, task_id: kept.task.to_string(), detail: from.detail() };
    let [text, end] = events(kept);
    let frames = [Frame::data(&writer.line(&text)), Frame::data(&writer.line(&end))];
    sse::response(futures::stream::iter(frames))
}

fn events(kept: Kept) -> [Item; 2] {
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
