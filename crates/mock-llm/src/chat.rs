//! Chat and completions.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::{
    Mock,
    answer::{self, Answer},
    error::ApiError,
    log::Entry,
    stream::{self, CREATED},
};

pub(crate) async fn chat(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    respond(&mock, &uri, &headers, &body, false).await
}

pub(crate) async fn completion(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    respond(&mock, &uri, &headers, &body, true).await
}

async fn respond(
    mock: &Mock,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    completion: bool,
) -> Response {
    let (entry, body) = match received(mock, uri, headers, body) {
        Ok(received) => received,
        Err(error) => return error.into_response(),
    };
    let made =
        allowed(mock, headers).and_then(|()| answer::make(&body, completion, &mock.config()));
    match made {
        Ok(answer) => write(&answer, &body, completion, entry).await,
        Err(error) => {
            entry.status.store(error.status.as_u16(), Relaxed);
            error.into_response()
        }
    }
}

async fn write(answer: &Answer, body: &Value, completion: bool, entry: Arc<Entry>) -> Response {
    if body.get("stream").and_then(Value::as_bool) == Some(true) {
        let usage = body.pointer("/stream_options/include_usage").and_then(Value::as_bool);
        let events = stream::events(answer, usage == Some(true), completion);
        let mut response = Response::new(stream::body(answer, events, entry));
        let head = response.headers_mut();
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        head.insert(header::CONTENT_TYPE, kind);
        head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        return response;
    }
    let pieces = u32::try_from(answer.completion_tokens).unwrap_or(u32::MAX).saturating_sub(1);
    let wait = answer.first_after + answer.between.saturating_mul(pieces);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if answer.abort_after.is_some() {
        entry.aborted.store(true, Relaxed);
        return Response::new(stream::broken());
    }
    let text = answer.pieces.concat();
    let (object, choice) = if completion {
        let choice =
            json!({"index": 0, "text": text, "logprobs": null, "finish_reason": answer.finish});
        ("text_completion", choice)
    } else {
        let message = message(answer, text);
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": answer.finish});
        ("chat.completion", choice)
    };
    Json(json!({
        "id": answer.id, "created": CREATED, "model": answer.model, "system_fingerprint": "fp_mock",
        "object": object, "choices": [choice], "usage": answer.usage(),
    }))
    .into_response()
}

fn message(answer: &Answer, text: String) -> Value {
    let mut message = json!({"role": "assistant"});
    if let Some(message) = message.as_object_mut() {
        let silent = text.is_empty() && !answer.calls.is_empty();
        message.insert("content".into(), if silent { Value::Null } else { text.into() });
        if !answer.calls.is_empty() {
            let calls = answer.calls.iter().map(|call| {
                json!({"id": call.id, "type": "function",
                       "function": {"name": call.name, "arguments": call.arguments}})
            });
            message.insert("tool_calls".into(), calls.collect());
        }
        if !answer.reasoning.is_empty() {
            message.insert("reasoning_content".into(), answer.reasoning.concat().into());
        }
    }
    message
}

/// Reads a JSON body and remembers the request.
pub(crate) fn received(
    mock: &Mock,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Arc<Entry>, Arc<Value>), ApiError> {
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::new(400, format!("We could not parse the JSON body of your request. ({error})"))
    })?;
    if !body.is_object() {
        return Err(ApiError::new(400, "The request body must be a JSON object."));
    }
    let body = Arc::new(body);
    Ok((mock.log.add("POST", uri.path(), headers, Arc::clone(&body)), body))
}

/// Checks the key: the configured one if there is one, and none that says it is invalid.
pub(crate) fn allowed(mock: &Mock, headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let wanted = mock.config().api_key;
    if (wanted.is_empty() || key == wanted) && !key.contains("invalid") {
        return Ok(());
    }
    let letters: Vec<char> = key.chars().collect();
    let shown: String = match (letters.get(..3), letters.get(letters.len().saturating_sub(4)..)) {
        (Some(start), Some(end)) if 8 < letters.len() => {
            start.iter().chain(&['*'; 3]).chain(end).collect()
        }
        _ => "***".to_owned(),
    };
    Err(ApiError::new(
        StatusCode::UNAUTHORIZED.as_u16(),
        format!("Incorrect API key provided: {shown}."),
    ))
}

/// A body of bytes with its type.
pub(crate) fn file(kind: &'static str, data: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], Body::from(data)).into_response()
}
