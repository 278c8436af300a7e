//! Everything but chat: vectors, reranking, moderation, sound, the list of models.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use axum::{
    Json,
    extract::{Multipart, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};

use crate::{
    Mock,
    chat::{allowed, file, received},
    config::Config,
    directive,
    error::ApiError,
    pieces, vectors,
};

const MODELS: [&str; 10] = [
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-3.5-turbo-instruct",
    "o3-mini",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "whisper-1",
    "tts-1",
    "omni-moderation-latest",
    "mock-reranker",
];

pub(crate) async fn models(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let entry = mock.log.add("GET", uri.path(), &headers, Arc::new(json!({})));
    if let Err(error) = allowed(&mock, &headers) {
        entry.status.store(error.status.as_u16(), Relaxed);
        return error.into_response();
    }
    let data: Vec<Value> = MODELS
        .iter()
        .map(|id| json!({"id": id, "object": "model", "created": crate::stream::CREATED, "owned_by": "mock"}))
        .collect();
    Json(json!({"object": "list", "data": data})).into_response()
}

/// Remembers a request, checks its key, and makes its answer.
fn answered(
    mock: &Mock,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
    make: impl FnOnce(&Value, &Config) -> Result<Response, ApiError>,
) -> Response {
    let (entry, body) = match received(mock, uri, headers, body) {
        Ok(received) => received,
        Err(error) => return error.into_response(),
    };
    let made = allowed(mock, headers).and_then(|()| make(&body, &mock.config()));
    made.unwrap_or_else(|error| {
        entry.status.store(error.status.as_u16(), Relaxed);
        error.into_response()
    })
}

pub(crate) async fn embeddings(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wait =
        Duration::try_from_secs_f64(mock.config().embed_delay_ms / 1000.0).unwrap_or_default();
    let response = answered(&mock, &uri, &headers, &body, |body, config| {
        Ok(Json(embed(body, config)?).into_response())
    });
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    response
}

fn embed(body: &Value, config: &Config) -> Result<Value, ApiError> {
    let texts: Vec<String> = match body.get("input") {
        None => return Err(ApiError::new(400, "Missing required parameter: 'input'.")),
        Some(Value::Array(items)) => items.iter().map(text_of).collect(),
        Some(one) => vec![text_of(one)],
    };
    let dimensions = body.get("dimensions").and_then(Value::as_u64);
    let dimensions = dimensions.and_then(|wanted| usize::try_from(wanted).ok());
    let dimensions =
        dimensions.filter(|wanted| (1..=65_536).contains(wanted)).unwrap_or(config.embed_dims);
    let base64 = body.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let mut data = Vec::with_capacity(texts.len());
    let mut tokens = 0;
    for (index, text) in texts.iter().enumerate() {
        if let Some(status) = directive::take(text).0.embed_error {
            return Err(ApiError::new(status, "mock embedding error requested by the text"));
        }
        tokens += pieces::tokens(text) + 1;
        let vector = vectors::embed(text, dimensions);
        let vector = if base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            BASE64_STANDARD.encode(bytes).into()
        } else {
            json!(vector)
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": vector}));
    }
    Ok(json!({
        "object": "list", "data": data, "model": body.get("model").cloned().unwrap_or_else(|| "mock".into()),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(crate) async fn rerank(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered(&mock, &uri, &headers, &body, |body, _| {
        let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
        let given = body.get("documents").and_then(Value::as_array);
        let documents: Vec<String> = given
            .into_iter()
            .flatten()
            .map(|one| one.get("text").map_or_else(|| text_of(one), text_of))
            .collect();
        let scores = vectors::scores(query, &documents);
        let mut order: Vec<(usize, f64)> = scores.into_iter().enumerate().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let most =
            body.get("top_n").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        order.truncate(most.filter(|most| *most != 0).unwrap_or(order.len()));
        let whole = body.get("return_documents").and_then(Value::as_bool).unwrap_or(true);
        let results: Vec<Value> = order
            .into_iter()
            .map(|(index, score)| {
                let mut result = json!({"index": index, "relevance_score": score});
                if let (true, Some(result)) = (whole, result.as_object_mut()) {
                    result.insert("document".into(), json!({"text": documents.get(index)}));
                }
                result
            })
            .collect();
        let tokens: u64 = documents.iter().map(|one| pieces::tokens(one)).sum();
        Ok(Json(json!({
            "id": "rerank-mock", "model": body.get("model").cloned().unwrap_or_else(|| "mock-reranker".into()),
            "results": results, "usage": {"total_tokens": tokens, "prompt_tokens": tokens},
        }))
        .into_response())
    })
}

pub(crate) async fn moderations(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered(&mock, &uri, &headers, &body, |body, config| {
        let inputs = match body.get("input") {
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let results: Vec<Value> = inputs
            .iter()
            .map(|item| {
                let text = item.get("text").map_or_else(|| text_of(item), text_of).to_lowercase();
                let words = config.flag_words.split(',').map(|word| word.trim().to_lowercase());
                let flagged = text.contains("[[flag]]")
                    || words.filter(|word| !word.is_empty()).any(|word| text.contains(&word));
                let score = if flagged { 0.99 } else { 0.001 };
                json!({
                    "flagged": flagged,
                    "categories": {"hate": false, "self-harm": false, "sexual": false, "violence": flagged},
                    "category_scores": {"hate": 0.001, "self-harm": 0.001, "sexual": 0.001, "violence": score},
                })
            })
            .collect();
        let model = body.get("model").cloned().unwrap_or_else(|| "omni-moderation-latest".into());
        Ok(Json(json!({"id": "modr-mock", "model": model, "results": results})).into_response())
    })
}

pub(crate) async fn speech(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answered(&mock, &uri, &headers, &body, |body, _| {
        let text = body.get("input").and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(ApiError::new(400, "Missing required parameter: 'input'."));
        }
        let length = text.chars().count();
        Ok(match body.get("response_format").and_then(Value::as_str) {
            Some("wav") => file("audio/wav", silent_wav(length)),
            Some("pcm") => file("audio/pcm", silence(length)),
            _ => file("audio/mpeg", silent_mp3(length)),
        })
    })
}

/// MPEG-1 layer III frames of 128 kbit/s and 44.1 kHz, one a character.
fn silent_mp3(characters: usize) -> Vec<u8> {
    let mut frame = vec![0; 417];
    frame.splice(..4, [0xff, 0xfb, 0x90, 0x00]);
    frame.repeat(characters.clamp(8, 400))
}

fn silence(characters: usize) -> Vec<u8> {
    vec![0; 2 * (characters * 800).clamp(1600, 160_000)]
}

fn silent_wav(characters: usize) -> Vec<u8> {
    let data = silence(characters);
    let size = u32::try_from(data.len()).unwrap_or_default();
    let mut out = Vec::with_capacity(44 + data.len());
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + size).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&16_000_u32.to_le_bytes());
    out.extend_from_slice(&32_000_u32.to_le_bytes());
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&data);
    out
}

pub(crate) async fn transcriptions(
    State(mock): State<Arc<Mock>>,
    uri: Uri,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    let mut fields = Map::new();
    let mut sound: Option<Bytes> = None;
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let Ok(data) = field.bytes().await else { break };
        let shown = match filename {
            Some(filename) => {
                let shown = json!({"filename": filename, "bytes": data.len()});
                sound = Some(data);
                shown
            }
            None => String::from_utf8_lossy(&data).into(),
        };
        fields.insert(name, shown);
    }
    let fields = Arc::new(Value::Object(fields));
    let entry = mock.log.add("POST", uri.path(), &headers, Arc::clone(&fields));
    let made = allowed(&mock, &headers).and_then(|()| {
        let sound =
            sound.ok_or_else(|| ApiError::new(400, "Missing required parameter: 'file'."))?;
        Ok(transcript(&fields, &sound))
    });
    match made {
        Ok(text) if fields.get("response_format").and_then(Value::as_str) == Some("text") => {
            text.into_response()
        }
        Ok(text) => Json(json!({ "text": text })).into_response(),
        Err(error) => {
            entry.status.store(error.status.as_u16(), Relaxed);
            error.into_response()
        }
    }
}

/// The reply that the file or the prompt asks for, else size and checksum. The file's name is no part of it: callers
/// name files differently.
fn transcript(fields: &Value, sound: &[u8]) -> String {
    let marker = b"[[reply:";
    let inside = sound.windows(marker.len()).position(|window| window == marker);
    let inside = inside.and_then(|at| sound.get(at..sound.len().min(at + 4096)));
    let inside = inside.map(|part| String::from_utf8_lossy(part).into_owned());
    let prompt = fields.get("prompt").and_then(Value::as_str).map(str::to_owned);
    let reply = prompt.into_iter().chain(inside).find_map(|text| directive::take(&text).0.reply);
    reply.unwrap_or_else(|| {
        format!("mock transcription of {} bytes, crc {:08x}", sound.len(), crc32(sound))
    })
}

/// The checksum of zip files.
fn crc32(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
