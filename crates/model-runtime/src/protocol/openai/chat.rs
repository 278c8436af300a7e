//! Chat and completion models.

use std::{borrow::Cow, sync::Arc, time::Instant};

use async_stream::try_stream;
use net::Response;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use text::tokens::Encoding;

use super::request;
use crate::{
    declaration::ErrorWords,
    entity::ModelSchema,
    error::InvokeError,
    llm::{LlmChunk, LlmStream},
    message::ToolCall,
    native::prompt_tokens,
    protocol::{Endpoint, LlmCall, Thinking, worded},
    upstream::{Failure, Lines, fetch, send},
    usage::Usage,
};

/// Calls the model. The answer is one chunk if the call does not stream.
pub(super) async fn invoke(
    endpoint: &Endpoint<'_>,
    call: LlmCall<'_>,
) -> Result<LlmStream, InvokeError> {
    let completion = call.schema.as_deref().is_some_and(ModelSchema::is_completion);
    let body = request::body(endpoint, &call, completion)?;
    let request = || {
        if completion {
            endpoint.post("completions", "/completions", &body)
        } else {
            endpoint.post("chat", "/chat/completions", &body)
        }
    };
    let started = Instant::now();
    let mut answer = Answer::new(endpoint, &call, started);
    let fail = |failure| endpoint.error(failure);
    if call.request.stream {
        let response = send(request, endpoint.limits).await.map_err(fail)?;
        return Ok(stream(answer, response, endpoint.protocol.errors));
    }
    let whole = fetch(request, endpoint.limits).await.map_err(fail)?;
    let event: Event<'_> = serde_json::from_slice(&whole).map_err(|error| {
        fail(Failure::Malformed(format!("The answer is not as expected: {error}")))
    })?;
    let mut text = String::new();
    let mut reasoning: Option<String> = None;
    answer.take(&event).map_err(fail)?;
    for choice in &event.choices {
        if let Some(chunk) = answer.choice(choice) {
            text.push_str(&chunk.text);
            if let Some(more) = chunk.reasoning {
                reasoning.get_or_insert_default().push_str(&more);
            }
        }
    }
    text.push_str(answer.thinking.close());
    let mut last = answer.last();
    last.tool_calls = std::mem::take(&mut answer.calls);
    last.text = text;
    last.reasoning = reasoning;
    Ok(Box::pin(futures::stream::once(async move { Ok(last) })))
}

fn stream(mut answer: Answer, response: Response, words: ErrorWords) -> LlmStream {
    let mut lines = Lines::new(response);
    Box::pin(try_stream! {
        let fail = |failure| worded(words, failure);
        let mut done = false;
        while let Some(data) = lines.data().await.map_err(fail)? {
            if &*data == b"[DONE]" {
                done = true;
                break;
            }
            // A line that is no JSON is a comment or a keep-alive of some proxy.
            let Ok(event) = serde_json::from_slice::<Event<'_>>(&data) else { continue };
            answer.take(&event).map_err(fail)?;
            for choice in &event.choices {
                if let Some(chunk) = answer.choice(choice) {
                    yield chunk;
                }
            }
        }
        // Some servers never say that they are done, but all say why they stopped.
        if !done && answer.finish.is_none() {
            Err(fail(Failure::Broken))?;
        }
        let rest = answer.thinking.close();
        if !rest.is_empty() {
            yield LlmChunk { text: rest.to_owned(), ..answer.empty() };
        }
        if !answer.calls.is_empty() {
            let tool_calls = std::mem::take(&mut answer.calls);
            yield LlmChunk { tool_calls, ..answer.empty() };
        }
        yield answer.last();
        // A connection is used again only after its answer was read to the end.
        lines.drain().await;
    })
}

/// What is known of an answer so far.
struct Answer {
    model: String,
    fingerprint: Option<String>,
    thinking: Thinking,
    calls: Vec<ToolCall>,
    finish: Option<String>,
    usage: Option<WireUsage>,
    /// Bytes of text so far, for an estimate where a provider does not count.
    said: String,
    prompt_tokens: u64,
    counts: bool,
    schema: Option<Arc<ModelSchema>>,
    started: Instant,
}

impl Answer {
    fn new(endpoint: &Endpoint<'_>, call: &LlmCall<'_>, started: Instant) -> Self {
        // Providers that may not be asked to count are counted for.
        let counts = call.request.stream && !endpoint.protocol.stream_usage;
        Self {
            model: endpoint.model.to_owned(),
            fingerprint: None,
            thinking: Thinking::default(),
            calls: Vec::new(),
            finish: None,
            usage: None,
            said: String::new(),
            prompt_tokens: if counts {
                prompt_tokens(Encoding::Gpt2, &call.request.messages, &call.request.tools)
            } else {
                0
            },
            counts,
            schema: call.schema.clone(),
            started,
        }
    }

    fn empty(&self) -> LlmChunk {
        LlmChunk {
            model: self.model.clone(),
            system_fingerprint: self.fingerprint.clone(),
            ..LlmChunk::default()
        }
    }

    /// Notes what an event says beside its choices.
    fn take(&mut self, event: &Event<'_>) -> Result<(), Failure> {
        if let Some(error) = event.error.as_ref().filter(|error| !error.is_null()) {
            return Err(reported(error));
        }
        if let Some(usage) = event.usage {
            self.usage = Some(usage);
        }
        if let (None, Some(fingerprint)) = (&self.fingerprint, &event.system_fingerprint) {
            self.fingerprint = Some(fingerprint.to_string());
        }
        Ok(())
    }

    /// Notes what a choice says; gives its text, if any.
    fn choice(&mut self, choice: &Choice<'_>) -> Option<LlmChunk> {
        if let Some(reason) = choice.finish_reason.as_ref().filter(|reason| !reason.is_empty()) {
            self.finish = Some(reason.to_string());
        }
        if let Some(usage) = choice.usage {
            self.usage = Some(usage);
        }
        let delta = choice.delta.as_ref().or(choice.message.as_ref());
        let (mut text, reasoning) = match delta {
            Some(delta) => {
                for piece in delta.tool_calls.as_deref().unwrap_or_default() {
                    self.call(piece);
                }
                let reasoning = delta.reasoning_content.or(delta.reasoning).map(plain);
                let (text, thought) = delta.content.map(content).unwrap_or_default();
                (text, reasoning.unwrap_or(thought))
            }
            None => (String::new(), String::new()),
        };
        if let Some(whole) = &choice.text {
            text.push_str(whole);
        }
        if self.counts {
            self.said.push_str(&reasoning);
            self.said.push_str(&text);
        }
        let mut chunk = self.thinking.chunk(&self.model, &reasoning, &text)?;
        chunk.system_fingerprint.clone_from(&self.fingerprint);
        Some(chunk)
    }

    fn call(&mut self, piece: &CallPiece<'_>) {
        let id = piece.id.map(plain).unwrap_or_default();
        let position = match piece.index.and_then(|index| usize::try_from(index).ok()) {
            // An index far ahead would make a list of nothings.
            Some(index) if index <= self.calls.len() => index,
            _ if !id.is_empty() => {
                self.calls.iter().position(|call| call.id == id).unwrap_or(self.calls.len())
            }
            _ => self.calls.len().saturating_sub(1),
        };
        if self.calls.len() <= position {
            self.calls.push(ToolCall::new("", "", ""));
        }
        let Some(call) = self.calls.get_mut(position) else { return };
        if !id.is_empty() {
            call.id = id;
        }
        let Some(function) = &piece.function else { return };
        if let Some(name) = &function.name {
            call.function.name.push_str(name);
        }
        if let Some(arguments) = function.arguments {
            call.function.arguments.push_str(&plain(arguments));
        }
    }

    /// The chunk that ends the answer.
    fn last(&mut self) -> LlmChunk {
        for call in &mut self.calls {
            if call.id.is_empty() {
                call.id = format!("chatcmpl-tool-{:032x}", rand::random::<u128>());
            }
        }
        let usage = self.usage.unwrap_or_else(|| WireUsage {
            prompt_tokens: Some(self.prompt_tokens),
            completion_tokens: Some(Encoding::Gpt2.count(&self.said) as u64),
        });
        let pricing = self.schema.as_deref().and_then(|schema| schema.pricing.as_ref());
        LlmChunk {
            usage: Some(Usage::priced(
                usage.prompt_tokens.unwrap_or_default(),
                usage.completion_tokens.unwrap_or_default(),
                pricing,
                self.started.elapsed(),
            )),
            finish_reason: Some(self.finish.clone().unwrap_or_else(|| "stop".to_owned())),
            ..self.empty()
        }
    }
}

/// An error told within an answer that began well.
fn reported(error: &Value) -> Failure {
    let code = ["code", "status", "status_code"].iter().find_map(|key| {
        let value = error.get(key)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    });
    let status = code
        .and_then(|code| u16::try_from(code).ok())
        .and_then(|code| http::StatusCode::from_u16(code).ok())
        .filter(|status| 400 <= status.as_u16())
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    Failure::Status { status, body: serde_json::json!({ "error": error }).to_string() }
}

/// A string, or anything else as JSON text.
fn plain(raw: &RawValue) -> String {
    match serde_json::from_str::<Cow<'_, str>>(raw.get()) {
        Ok(text) => text.into_owned(),
        Err(_) if raw.get() == "null" => String::new(),
        Err(_) => raw.get().to_owned(),
    }
}

/// Text and reasoning of a message's content: a string, or a list of parts.
fn content(raw: &RawValue) -> (String, String) {
    if !raw.get().starts_with('[') {
        return (plain(raw), String::new());
    }
    let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
    let mut text = String::new();
    let mut reasoning = String::new();
    for part in &parts {
        if let Some(more) = part.get("text").and_then(Value::as_str) {
            text.push_str(more);
        }
        match part.get("thinking") {
            Some(Value::String(more)) => reasoning.push_str(more),
            Some(Value::Array(thoughts)) => {
                reasoning.extend(thoughts.iter().filter_map(|one| one.get("text")?.as_str()));
            }
            _ => {}
        }
    }
    (text, reasoning)
}

#[derive(Debug, Deserialize)]
struct Event<'a> {
    #[serde(borrow, default = "Vec::new", deserialize_with = "nullable")]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(borrow, default)]
    system_fingerprint: Option<Cow<'a, str>>,
}

fn nullable<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Choice<'de>>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    message: Option<Delta<'a>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<CallPiece<'a>>>,
}

#[derive(Debug, Deserialize)]
struct CallPiece<'a> {
    #[serde(default)]
    index: Option<i64>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function: Option<FunctionPiece<'a>>,
}

#[derive(Debug, Deserialize)]
struct FunctionPiece<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}
