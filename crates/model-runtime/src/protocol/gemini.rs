//! Google's Gemini API.

mod request;

use std::{sync::Arc, time::Instant};

use async_stream::try_stream;
use async_trait::async_trait;
use net::Response;
use serde_json::{Value, json};
use text::tokens::Encoding;

use super::{Endpoint, LlmCall, Thinking, Wire, worded};
use crate::{
    declaration::ErrorWords,
    entity::{ModelSchema, ModelType},
    error::InvokeError,
    llm::{LlmChunk, LlmStream},
    message::{ContentPart, ImageDetail, Media, ToolCall},
    model::{EmbeddingInput, Embeddings},
    upstream::{Failure, Lines, fetch, fetch_json, send},
    usage::{EmbeddingUsage, Usage},
};

/// Gemini's language.
pub(crate) struct Gemini;

#[async_trait]
impl Wire for Gemini {
    async fn list_models(&self, endpoint: &Endpoint<'_>) -> Result<(), Failure> {
        fetch(|| endpoint.request(http::Method::GET, "models", "/models"), endpoint.limits).await?;
        Ok(())
    }

    async fn ping(
        &self,
        endpoint: &Endpoint<'_>,
        kind: ModelType,
        _schema: Option<&ModelSchema>,
        _user: &str,
    ) -> Result<(), Failure> {
        let content = json!({"role": "user", "parts": [{"text": "ping"}]});
        let (name, path, body) = if kind == ModelType::TextEmbedding {
            ("embed", "/models/{model}:embedContent", json!({ "content": content }))
        } else {
            let body = json!({"contents": [content], "generationConfig": {"maxOutputTokens": 5}});
            ("chat", "/models/{model}:generateContent", body)
        };
        fetch(|| endpoint.post(name, path, &body), endpoint.limits).await?;
        Ok(())
    }

    async fn invoke(
        &self,
        endpoint: &Endpoint<'_>,
        call: LlmCall<'_>,
    ) -> Result<LlmStream, InvokeError> {
        let body = request::body(&call)?;
        let mut answer = Answer {
            model: endpoint.model.to_owned(),
            schema: call.schema.clone(),
            started: Instant::now(),
            thinking: Thinking::default(),
            calls: Vec::new(),
            finish: None,
            prompt_tokens: 0,
            completion_tokens: 0,
        };
        let fail = |failure| endpoint.error(failure);
        if call.request.stream {
            let request = || {
                let call = endpoint.post("stream", "/models/{model}:streamGenerateContent", &body);
                call.query(&[("alt", "sse")])
            };
            let response = send(request, endpoint.limits).await.map_err(fail)?;
            return Ok(stream(answer, response, endpoint.protocol.errors));
        }
        let request = || endpoint.post("chat", "/models/{model}:generateContent", &body);
        let whole: Value = fetch_json(request, endpoint.limits).await.map_err(fail)?;
        let said = answer.take(&whole).map_err(fail)?;
        let mut chunk = said.unwrap_or_default();
        chunk.text.push_str(answer.thinking.close());
        let tool_calls = std::mem::take(&mut answer.calls);
        let last = LlmChunk {
            text: chunk.text,
            reasoning: chunk.reasoning,
            parts: chunk.parts,
            finish_reason: Some(answer.finish_reason(!tool_calls.is_empty())),
            tool_calls,
            ..answer.last()
        };
        Ok(Box::pin(futures::stream::once(async move { Ok(last) })))
    }

    async fn embed(
        &self,
        endpoint: &Endpoint<'_>,
        schema: Option<&ModelSchema>,
        texts: &[String],
        input: EmbeddingInput,
        _user: &str,
    ) -> Result<Embeddings, InvokeError> {
        let started = Instant::now();
        let task = match input {
            EmbeddingInput::Document => "RETRIEVAL_DOCUMENT",
            EmbeddingInput::Query => "RETRIEVAL_QUERY",
        };
        let model = format!("models/{}", endpoint.remote);
        let requests: Vec<Value> = texts
            .iter()
            .map(|text| json!({"model": model, "content": {"parts": [{"text": text}]}, "taskType": task}))
            .collect();
        let body = json!({ "requests": requests });
        let call = || endpoint.post("batch_embed", "/models/{model}:batchEmbedContents", &body);
        let answer: Value =
            fetch_json(call, endpoint.limits).await.map_err(|failure| endpoint.error(failure))?;
        let vectors = answer.get("embeddings").and_then(Value::as_array);
        let embeddings: Vec<Vec<f32>> = vectors
            .into_iter()
            .flatten()
            .filter_map(|one| serde_json::from_value(one.get("values")?.clone()).ok())
            .collect();
        if embeddings.len() != texts.len() {
            let wrong = format!("{} vectors for {} texts", embeddings.len(), texts.len());
            return Err(endpoint.error(Failure::Malformed(wrong)));
        }
        let tokens = texts.iter().map(|text| Encoding::Gpt2.count(text) as u64).sum();
        let pricing = schema.and_then(|schema| schema.pricing.as_ref());
        Ok(Embeddings {
            model: endpoint.model.to_owned(),
            embeddings,
            usage: EmbeddingUsage::priced(tokens, pricing, started.elapsed()),
        })
    }
}

fn stream(mut answer: Answer, response: Response, words: ErrorWords) -> LlmStream {
    let mut lines = Lines::new(response);
    Box::pin(try_stream! {
        let fail = |failure| worded(words, failure);
        while let Some(data) = lines.data().await.map_err(fail)? {
            let Ok(event) = serde_json::from_slice::<Value>(&data) else { continue };
            if let Some(chunk) = answer.take(&event).map_err(fail)? {
                yield chunk;
            }
        }
        if answer.finish.is_none() {
            Err(fail(Failure::Broken))?;
        }
        let rest = answer.thinking.close();
        if !rest.is_empty() {
            yield LlmChunk { model: answer.model.clone(), text: rest.to_owned(), ..LlmChunk::default() };
        }
        let tool_calls = std::mem::take(&mut answer.calls);
        let finish_reason = Some(answer.finish_reason(!tool_calls.is_empty()));
        if !tool_calls.is_empty() {
            yield LlmChunk { model: answer.model.clone(), tool_calls, ..LlmChunk::default() };
        }
        yield LlmChunk { finish_reason, ..answer.last() };
    })
}

struct Answer {
    model: String,
    schema: Option<Arc<ModelSchema>>,
    started: Instant,
    thinking: Thinking,
    calls: Vec<ToolCall>,
    finish: Option<String>,
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Answer {
    /// Notes what an event says; gives its text and files, if any.
    fn take(&mut self, event: &Value) -> Result<Option<LlmChunk>, Failure> {
        if let Some(error) = event.get("error") {
            let code = error.get("code").and_then(Value::as_u64);
            let status = code
                .and_then(|code| u16::try_from(code).ok())
                .and_then(|code| http::StatusCode::from_u16(code).ok())
                .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            return Err(Failure::Status { status, body: event.to_string() });
        }
        if let Some(reason) = event.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
            let body = format!("The prompt was blocked: {reason}");
            return Err(Failure::Status { status: http::StatusCode::BAD_REQUEST, body });
        }
        let number = |key: &str| event.pointer(key).and_then(Value::as_u64);
        if let Some(sent) = number("/usageMetadata/promptTokenCount") {
            self.prompt_tokens = sent;
        }
        let said = number("/usageMetadata/candidatesTokenCount");
        let thought = number("/usageMetadata/thoughtsTokenCount");
        if said.is_some() || thought.is_some() {
            self.completion_tokens = said.unwrap_or_default() + thought.unwrap_or_default();
        }
        if let Some(reason) = event.pointer("/candidates/0/finishReason").and_then(Value::as_str) {
            self.finish = Some(reason.to_owned());
        }
        let parts = event.pointer("/candidates/0/content/parts").and_then(Value::as_array);
        let (mut reasoning, mut text, mut files) = (String::new(), String::new(), Vec::new());
        for part in parts.into_iter().flatten() {
            let words = part.get("text").and_then(Value::as_str).unwrap_or_default();
            if part.get("thought").and_then(Value::as_bool) == Some(true) {
                reasoning.push_str(words);
            } else {
                text.push_str(words);
            }
            if let Some(call) = part.get("functionCall") {
                let name = call.get("name").and_then(Value::as_str).unwrap_or_default();
                let arguments = call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string);
                // Gemini tells calls apart by name alone.
                let id = format!("chatcmpl-tool-{:032x}", rand::random::<u128>());
                self.calls.push(ToolCall::new(id, name, arguments));
            }
            files.extend(part.get("inlineData").and_then(file));
        }
        let chunk = self.thinking.chunk(&self.model, &reasoning, &text);
        if files.is_empty() {
            return Ok(chunk);
        }
        let model = self.model.clone();
        let mut chunk = chunk.unwrap_or_else(|| LlmChunk { model, ..LlmChunk::default() });
        chunk.parts = files;
        Ok(Some(chunk))
    }

    fn finish_reason(&self, calls: bool) -> String {
        match self.finish.as_deref() {
            _ if calls => "tool_calls".to_owned(),
            None | Some("STOP") => "stop".to_owned(),
            Some("MAX_TOKENS") => "length".to_owned(),
            Some(other) => other.to_lowercase(),
        }
    }

    fn last(&self) -> LlmChunk {
        let pricing = self.schema.as_deref().and_then(|schema| schema.pricing.as_ref());
        LlmChunk {
            model: self.model.clone(),
            usage: Some(Usage::priced(
                self.prompt_tokens,
                self.completion_tokens,
                pricing,
                self.started.elapsed(),
            )),
            ..LlmChunk::default()
        }
    }
}

fn file(data: &Value) -> Option<ContentPart> {
    let text = |key| data.get(key).and_then(Value::as_str);
    let mime_type = text("mimeType")?.to_owned();
    let format = mime_type.rsplit('/').next().unwrap_or_default().to_owned();
    let media =
        Media { format, base64_data: text("data")?.to_owned(), mime_type, ..Media::default() };
    Some(if media.mime_type.starts_with("image/") {
        ContentPart::Image { media, detail: ImageDetail::Low }
    } else if media.mime_type.starts_with("audio/") {
        ContentPart::Audio(media)
    } else {
        ContentPart::Document(media)
    })
}
