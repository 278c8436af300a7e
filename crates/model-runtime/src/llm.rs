//! A call of a chat model and its streamed answer.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::InvokeError,
    message::{Content, ContentPart, PromptMessage, PromptTool, ToolCall},
    provider::Credentials,
    usage::Usage,
};

/// A call of a chat or completion model.
#[derive(Debug, Clone, Default)]
pub struct LlmRequest {
    /// The model's id at the provider.
    pub model: String,
    /// Decrypted credentials.
    pub credentials: Credentials,
    /// The prompt.
    pub messages: Vec<PromptMessage>,
    /// `completion_params`, sent as they are.
    pub parameters: Map<String, Value>,
    /// Tools the model may call.
    pub tools: Vec<PromptTool>,
    /// Texts at which to stop.
    pub stop: Vec<String>,
    /// Whether the provider shall stream; the answer is a stream either way.
    pub stream: bool,
}

/// A piece of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmChunk {
    /// The model that answers.
    pub model: String,
    /// Text. Reasoning is part of it, between `<think>\n` and `\n</think>`, as the reference's plugins send it.
    pub text: String,
    /// The reasoning of this piece without the tags, for who wants it apart; it is in `text` already.
    pub reasoning: Option<String>,
    /// Files the model made, as parts.
    pub parts: Vec<ContentPart>,
    /// Calls, whole or in pieces; merge them with [`merge_tool_calls`].
    pub tool_calls: Vec<ToolCall>,
    /// What it cost, with the last piece.
    pub usage: Option<Usage>,
    /// Why it ended, with the last piece: `stop`, `length`, `tool_calls`, …
    pub finish_reason: Option<String>,
    /// The provider's configuration id.
    pub system_fingerprint: Option<String>,
}

/// The pieces of an answer. Dropping it closes the connection to the provider.
pub type LlmStream = Pin<Box<dyn Stream<Item = Result<LlmChunk, InvokeError>> + Send>>;

/// A whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LlmResult {
    /// The model that answered.
    pub model: String,
    /// The text, reasoning included as in [`LlmChunk::text`].
    pub text: String,
    /// The reasoning alone.
    pub reasoning: Option<String>,
    /// Files the model made.
    pub parts: Vec<ContentPart>,
    /// Calls it asks for.
    pub tool_calls: Vec<ToolCall>,
    /// What it cost.
    pub usage: Usage,
    /// Why it ended.
    pub finish_reason: Option<String>,
    /// The provider's configuration id.
    pub system_fingerprint: Option<String>,
}

impl LlmResult {
    /// The answer as a message; parts only if there is no text.
    #[must_use]
    pub fn message(&self) -> PromptMessage {
        let content = if self.text.is_empty() && !self.parts.is_empty() {
            Content::Parts(self.parts.clone())
        } else {
            Content::Text(self.text.clone())
        };
        PromptMessage::assistant(content, self.tool_calls.clone())
    }

    fn add(&mut self, chunk: LlmChunk) -> Result<(), InvokeError> {
        self.text.push_str(&chunk.text);
        if let Some(reasoning) = chunk.reasoning {
            self.reasoning.get_or_insert_default().push_str(&reasoning);
        }
        self.parts.extend(chunk.parts);
        merge_tool_calls(&mut self.tool_calls, chunk.tool_calls)?;
        if let Some(usage) = chunk.usage {
            self.usage = usage;
        }
        self.finish_reason = chunk.finish_reason.or(self.finish_reason.take());
        self.system_fingerprint = chunk
            .system_fingerprint
            .filter(|print| !print.is_empty())
            .or(self.system_fingerprint.take());
        Ok(())
    }
}

/// Reads a stream to its end.
///
/// # Errors
/// The first error of the stream.
pub async fn collect(model: &str, mut stream: LlmStream) -> Result<LlmResult, InvokeError> {
    let mut result = LlmResult { model: model.to_owned(), ..LlmResult::default() };
    while let Some(chunk) = stream.next().await {
        result.add(chunk?)?;
    }
    Ok(result)
}

/// Adds pieces of calls to the calls so far: by id; a piece without one belongs to the last call, or starts a call if
/// it names a function.
///
/// # Errors
/// When a piece has neither id nor name and there is no call yet.
pub fn merge_tool_calls(
    calls: &mut Vec<ToolCall>,
    pieces: Vec<ToolCall>,
) -> Result<(), InvokeError> {
    for mut piece in pieces {
        if piece.id.is_empty() && !piece.function.name.is_empty() {
            piece.id = format!("chatcmpl-tool-{:032x}", rand::random::<u128>());
        }
        let position = if piece.id.is_empty() {
            calls.len().checked_sub(1).ok_or_else(|| {
                InvokeError::Value(
                    "tool_call_id is empty but no existing tool call is available to apply the delta"
                        .to_owned(),
                )
            })?
        } else {
            calls.iter().position(|call| call.id == piece.id).unwrap_or_else(|| {
                calls.push(ToolCall::new(piece.id.clone(), "", ""));
                calls.len() - 1
            })
        };
        let Some(call) = calls.get_mut(position) else { continue };
        if !piece.kind.is_empty() {
            call.kind = piece.kind;
        }
        if !piece.function.name.is_empty() {
            call.function.name = piece.function.name;
        }
        call.function.arguments.push_str(&piece.function.arguments);
    }
    Ok(())
}

/// A chunk on the wire between API and plugin daemon, in both directions (`LLMResultChunk` of the reference).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireChunk {
    /// The model that answers.
    #[serde(default)]
    pub model: String,
    /// Always empty on the way out.
    #[serde(default)]
    pub prompt_messages: Vec<Value>,
    /// The provider's configuration id.
    #[serde(default)]
    pub system_fingerprint: Option<String>,
    /// What is new.
    pub delta: WireDelta,
}

/// What is new in a [`WireChunk`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireDelta {
    /// Counts the chunks.
    #[serde(default)]
    pub index: i64,
    /// The text and calls, as a message.
    pub message: WireMessage,
    /// What it cost.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// Why it ended.
    #[serde(default)]
    pub finish_reason: Option<String>,
}

/// The message of a [`WireDelta`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireMessage {
    /// Always `assistant`.
    #[serde(default = "assistant")]
    pub role: String,
    /// Text or parts.
    #[serde(default)]
    pub content: Option<Content>,
    /// Name of the speaker.
    #[serde(default)]
    pub name: Option<String>,
    /// Calls, whole or in pieces.
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
}

fn assistant() -> String {
    "assistant".to_owned()
}

impl LlmChunk {
    /// The chunk for the wire; `index` counts the chunks of the answer.
    #[must_use]
    pub fn to_wire(&self, index: i64) -> WireChunk {
        let content = if self.parts.is_empty() {
            Content::Text(self.text.clone())
        } else {
            let text = (!self.text.is_empty()).then(|| ContentPart::text(self.text.clone()));
            Content::Parts(text.into_iter().chain(self.parts.iter().cloned()).collect())
        };
        WireChunk {
            model: self.model.clone(),
            prompt_messages: Vec::new(),
            system_fingerprint: self.system_fingerprint.clone(),
            delta: WireDelta {
                index,
                message: WireMessage {
                    role: assistant(),
                    content: Some(content),
                    name: None,
                    tool_calls: self.tool_calls.clone(),
                },
                usage: self.usage.clone(),
                finish_reason: self.finish_reason.clone(),
            },
        }
    }
}

impl From<WireChunk> for LlmChunk {
    fn from(wire: WireChunk) -> Self {
        let WireChunk { model, system_fingerprint, delta, .. } = wire;
        let mut chunk = Self {
            model,
            system_fingerprint,
            tool_calls: delta.message.tool_calls,
            usage: delta.usage,
            finish_reason: delta.finish_reason,
            ..Self::default()
        };
        match delta.message.content {
            Some(Content::Text(text)) => chunk.text = text,
            Some(Content::Parts(parts)) => {
                for part in parts {
                    match part {
                        ContentPart::Text { data } => chunk.text.push_str(&data),
                        other => chunk.parts.push(other),
                    }
                }
            }
            None => {}
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_of_calls_are_put_together() {
        let mut calls = Vec::new();
        let mut add = |id: &str, name: &str, arguments: &str| {
            merge_tool_calls(&mut calls, vec![ToolCall::new(id, name, arguments)])
        };
        assert!(add("", "", "{").is_err());
        add("a", "f", "").unwrap();
        add("", "", "{\"x\"").unwrap();
        add("", "", ":1}").unwrap();
        add("b", "g", "{}").unwrap();
        add("a", "", "!").unwrap();
        add("", "h", "{}").unwrap();
        assert_eq!(calls[0], ToolCall::new("a", "f", "{\"x\":1}!"));
        assert_eq!(calls[1], ToolCall::new("b", "g", "{}"));
        assert!(calls[2].id.starts_with("chatcmpl-tool-") && calls[2].id.len() == 46);
    }

    #[test]
    fn chunks_have_the_wire_shape() {
        let chunk = LlmChunk { model: "m".into(), text: "hi".into(), ..LlmChunk::default() };
        let wire = serde_json::to_value(chunk.to_wire(3)).unwrap();
        assert_eq!(
            wire,
            json!({"model": "m", "prompt_messages": [], "system_fingerprint": null, "delta": {
                "index": 3, "usage": null, "finish_reason": null,
                "message": {"role": "assistant", "content": "hi", "name": null, "tool_calls": []}}})
        );
        assert_eq!(LlmChunk::from(serde_json::from_value::<WireChunk>(wire).unwrap()), chunk);
    }
}
