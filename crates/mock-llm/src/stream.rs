//! Answers as server-sent events, at their pace.

use std::{
    fmt::Write,
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_stream::stream;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{answer::Answer, log::Entry};

/// A constant, so that equal requests are answered alike.
pub(crate) const CREATED: i64 = 1_700_000_000;

/// All events of an answer in order.
pub(crate) fn events(answer: &Answer, usage: bool, completion: bool) -> Vec<Bytes> {
    let kind = if completion { "text_completion" } else { "chat.completion.chunk" };
    let head = format!(
        "data: {{\"id\":\"{}\",\"object\":\"{kind}\",\"created\":{CREATED},\"model\":{},\
         \"system_fingerprint\":\"fp_mock\",\"choices\":",
        answer.id,
        Value::from(answer.model.as_str()),
    );
    let nothing = if usage { ",\"usage\":null}\n\n" } else { "}\n\n" };
    let mut out = Vec::with_capacity(answer.pieces.len() + answer.reasoning.len() + 4);
    // One buffer for all, cut into events.
    let mut buffer = BytesMut::with_capacity((head.len() + 96) * (answer.pieces.len() + 4));
    let mut put = |parts: &[&str]| {
        for part in parts {
            buffer.extend_from_slice(part.as_bytes());
        }
        out.push(buffer.split().freeze());
    };
    let open = ",\"logprobs\":null,\"finish_reason\":null}]";
    if completion {
        for piece in &answer.pieces {
            put(&[&head, "[{\"index\":0,\"text\":", &quoted(piece), open, nothing]);
        }
    } else {
        let delta = "[{\"index\":0,\"delta\":";
        put(&[&head, delta, "{\"role\":\"assistant\",\"content\":\"\"}", open, nothing]);
        for piece in &answer.reasoning {
            put(&[&head, delta, "{\"reasoning_content\":", &quoted(piece), "}", open, nothing]);
        }
        for piece in &answer.pieces {
            put(&[&head, delta, "{\"content\":", &quoted(piece), "}", open, nothing]);
        }
        for (index, call) in answer.calls.iter().enumerate() {
            let first = json!({"tool_calls": [{"index": index, "id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": ""}}]});
            put(&[&head, delta, &first.to_string(), open, nothing]);
            let letters: Vec<char> = call.arguments.chars().collect();
            for part in letters.chunks(24) {
                let part: String = part.iter().collect();
                let more =
                    json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]});
                put(&[&head, delta, &more.to_string(), open, nothing]);
            }
        }
    }
    let said = if completion { "\"text\":\"\"" } else { "\"delta\":{}" };
    let end = ",\"logprobs\":null,\"finish_reason\":\"";
    put(&[&head, "[{\"index\":0,", said, end, answer.finish, "\"}]", nothing]);
    if usage {
        put(&[&head, "[],\"usage\":", &answer.usage().to_string(), "}\n\n"]);
    }
    put(&["data: [DONE]\n\n"]);
    out
}

fn quoted(text: &str) -> String {
    // The usual case needs no escapes.
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        let mut out = String::with_capacity(text.len() + 2);
        let _ = write!(out, "\"{text}\"");
        return out;
    }
    Value::from(text).to_string()
}

/// Notes that the client went away, unless it stayed to the end.
struct Watch(Arc<Entry>, bool);

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.1 {
            self.0.client_disconnected.store(true, Relaxed);
        }
    }
}

/// The events as a body: at once, or at the answer's pace; cut off where the answer says so.
pub(crate) fn body(answer: &Answer, mut events: Vec<Bytes>, entry: Arc<Entry>) -> Body {
    entry.stream.store(true, Relaxed);
    if let Some(after) = answer.abort_after {
        events.truncate(1 + after);
    }
    let (first, between) = (answer.first_after, answer.between);
    if answer.abort_after.is_none() && first.is_zero() && between.is_zero() {
        entry.events_sent.store(events.len(), Relaxed);
        return Body::from(joined(&events));
    }
    let abort = answer.abort_after.is_some();
    Body::from_stream(stream! {
        let mut watch = Watch(Arc::clone(&entry), false);
        let start = Instant::now() + first;
        let mut sent = 0;
        while sent < events.len() {
            let due = start + between.saturating_mul(u32::try_from(sent).unwrap_or(u32::MAX));
            tokio::time::sleep_until(due).await;
            let upto = ready(start, between, events.len()).max(sent + 1);
            let batch = joined(events.get(sent..upto).unwrap_or_default());
            sent = upto;
            entry.events_sent.store(sent, Relaxed);
            yield Ok(batch);
        }
        watch.1 = true;
        if abort {
            entry.aborted.store(true, Relaxed);
            // What was given is on its way before the connection is dropped.
            tokio::time::sleep(Duration::from_millis(10)).await;
            yield Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
    })
}

/// How many of `total` events are due by now.
fn ready(start: Instant, between: Duration, total: usize) -> usize {
    if between.is_zero() {
        return total;
    }
    let passed = start.elapsed().as_nanos() / between.as_nanos().max(1);
    usize::try_from(passed).unwrap_or(total).saturating_add(1).min(total)
}

fn joined(events: &[Bytes]) -> Bytes {
    match events {
        [one] => one.clone(),
        several => several.concat().into(),
    }
}

/// A body that breaks off at once.
pub(crate) fn broken() -> Body {
    Body::from_stream(stream! {
        yield Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted));
    })
}
