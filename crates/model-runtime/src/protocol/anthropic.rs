//! Anthropic's Messages API.

mod request;

use std::{sync::Arc, time::Instant};

use async_stream::try_stream;
use async_trait::async_trait;
use http::StatusCode;
use net::Response;
use serde_json::{Value, json};

use super::{Endpoint, LlmCall, Thinking, Wire, not_spoken, worded};
use crate::{
    declaration::ErrorWords,
    entity::{ModelSchema, ModelType},
    error::InvokeError,
    llm::{LlmChunk, LlmStream},
    message::ToolCall,
    model::{EmbeddingInput, Embeddings},
    upstream::{Failure, Lines, fetch, fetch_json, send},
    usage::Usage,
};

/// Anthropic's language.
pub(crate) struct Anthropic;

#[async_trait]
impl Wire for Anthropic {
    async fn list_models(&self, endpoint: &Endpoint<'_>) -> Result<(), Failure> {
        fetch(|| endpoint.request(http::Method::GET, "models", "/models"), endpoint.limits).await?;
        Ok(())
    }

    async fn ping(
        &self,
        endpoint: &Endpoint<'_>,
        _kind: ModelType,
        _schema: Option<&ModelSchema>,
        _user: &str,
    ) -> Result<(), Failure> {
        let body = json!({
            "model": endpoint.remote, "max_tokens": 5,
            "messages": [{"role": "user", "content": "ping"}],
        });
        fetch(|| endpoint.post("chat", "/messages", &body), endpoint.limits).await?;
        Ok(())
    }

    async fn invoke(
        &self,
        endpoint: &Endpoint<'_>,
        call: LlmCall<'_>,
    ) -> Result<LlmStream, InvokeError> {
        let body = request::body(endpoint, &call);
        let request = || endpoint.post("chat", "/messages", &body);
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
            let response = send(request, endpoint.limits).await.map_err(fail)?;
            return Ok(stream(answer, response, endpoint.protocol.errors));
        }
        let whole: Value = fetch_json(request, endpoint.limits).await.map_err(fail)?;
        let mut chunk = LlmChunk::default();
        for block in whole.get("content").and_then(Value::as_array).into_iter().flatten() {
            answer.block(block);
            let text = |key| block.get(key).and_then(Value::as_str).unwrap_or_default();
            if let Some(more) = answer.thinking.chunk(&answer.model, text("thinking"), text("text"))
            {
                chunk.text.push_str(&more.text);
                if let Some(reasoning) = more.reasoning {
                    chunk.reasoning.get_or_insert_default().push_str(&reasoning);
                }
            }
        }
        chunk.text.push_str(answer.thinking.close());
        answer.finish = whole.get("stop_reason").and_then(Value::as_str).map(str::to_owned);
        answer.count(whole.get("usage"));
        let last = answer.last();
        let chunk = LlmChunk {
            text: chunk.text,
            reasoning: chunk.reasoning,
            tool_calls: answer.take_calls(),
            ..last
        };
        Ok(Box::pin(futures::stream::once(async move { Ok(chunk) })))
    }

    async fn embed(
        &self,
        _endpoint: &Endpoint<'_>,
        _schema: Option<&ModelSchema>,
        _texts: &[String],
        _input: EmbeddingInput,
        _user: &str,
    ) -> Result<Embeddings, InvokeError> {
        Err(not_spoken("text-embedding"))
    }
}

fn stream(mut answer: Answer, response: Response, words: ErrorWords) -> LlmStream {
    let mut lines = Lines::new(response);
    Box::pin(try_stream! {
        let fail = |failure| worded(words, failure);
        let mut done = false;
        while let Some(data) = lines.data().await.map_err(fail)? {
            let Ok(event) = serde_json::from_slice::<Value>(&data) else { continue };
            match event.get("type").and_then(Value::as_str).unwrap_or_default() {
                "message_start" => answer.count(event.pointer("/message/usage")),
                "content_block_start" => {
                    if let Some(block) = event.get("content_block") {
                        answer.block(block);
                    }
                }
                "content_block_delta" => {
                    let text = |key: &str| event.pointer(key).and_then(Value::as_str).unwrap_or_default();
                    if let Some(call) = answer.calls.last_mut() {
                        call.function.arguments.push_str(text("/delta/partial_json"));
                    }
                    let (thought, said) = (text("/delta/thinking"), text("/delta/text"));
                    if let Some(chunk) = answer.thinking.chunk(&answer.model, thought, said) {
                        yield chunk;
                    }
                }
                "message_delta" => {
                    let reason = event.pointer("/delta/stop_reason").and_then(Value::as_str);
                    answer.finish = reason.map(str::to_owned).or(answer.finish.take());
                    answer.count(event.get("usage"));
                }
                "message_stop" => {
                    done = true;
                    break;
                }
                "error" => Err(fail(reported(&event)))?,
                _ => {}
            }
        }
        if !done {
            Err(fail(Failure::Broken))?;
        }
        let rest = answer.thinking.close();
        if !rest.is_empty() {
            yield LlmChunk { model: answer.model.clone(), text: rest.to_owned(), ..LlmChunk::default() };
        }
        let tool_calls = answer.take_calls();
        if !tool_calls.is_empty() {
            yield LlmChunk { model: answer.model.clone(), tool_calls, ..LlmChunk::default() };
        }
        yield answer.last();
        lines.drain().await;
    })
}

/// An error told within an answer that began well; its type is named, its status is not.
fn reported(event: &Value) -> Failure {
    let kind = event.pointer("/error/type").and_then(Value::as_str).unwrap_or_default();
    let status = match kind {
        "rate_limit_error" => StatusCode::TOO_MANY_REQUESTS,
        "authentication_error" | "permission_error" => StatusCode::UNAUTHORIZED,
        "invalid_request_error" | "not_found_error" | "request_too_large" => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failure::Status { status, body: event.to_string() }
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
    /// Notes a call; its arguments may follow in pieces.
    fn block(&mut self, block: &Value) {
        if block.get("type").and_then(Value::as_str) != Some("tool_use") {
            return;
        }
        let text = |key| block.get(key).and_then(Value::as_str).unwrap_or_default();
        let whole =
            block.get("input").filter(|input| input.as_object().is_some_and(|i| !i.is_empty()));
        let arguments = whole.map(Value::to_string).unwrap_or_default();
        self.calls.push(ToolCall::new(text("id"), text("name"), arguments));
    }

    fn count(&mut self, usage: Option<&Value>) {
        let number = |key| usage.and_then(|usage| usage.get(key)).and_then(Value::as_u64);
        if let Some(sent) = number("input_tokens") {
            let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
            self.prompt_tokens = sent + cached.iter().filter_map(|key| number(key)).sum::<u64>();
        }
        if let Some(received) = number("output_tokens") {
            self.completion_tokens = received;
        }
    }

    fn take_calls(&mut self) -> Vec<ToolCall> {
        let mut calls = std::mem::take(&mut self.calls);
        for call in &mut calls {
            if call.function.arguments.is_empty() {
                "{}".clone_into(&mut call.function.arguments);
            }
        }
        calls
    }

    fn last(&self) -> LlmChunk {
        let finish = match self.finish.as_deref() {
            None | Some("end_turn" | "stop_sequence") => "stop",
            Some("max_tokens") => "length",
            Some("tool_use") => "tool_calls",
            Some(other) => other,
        };
        let pricing = self.schema.as_deref().and_then(|schema| schema.pricing.as_ref());
        LlmChunk {
            model: self.model.clone(),
            usage: Some(Usage::priced(
                self.prompt_tokens,
                self.completion_tokens,
                pricing,
                self.started.elapsed(),
            )),
            finish_reason: Some(finish.to_owned()),
            ..LlmChunk::default()
        }
    }
}
