//! The body of a Messages request.

use serde_json::{Map, Value, json};

use crate::{
    message::{Content, ContentPart, Media, PromptMessage},
    protocol::{Endpoint, LlmCall},
};

/// Puts a call into Anthropic's words: instructions apart, messages of one speaker joined, an upper limit always.
pub(super) fn body(endpoint: &Endpoint<'_>, call: &LlmCall<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    put("model", endpoint.remote.clone().into());
    let mut parameters = call.parameters.clone();
    let thinking = parameters.shift_remove("thinking") == Some(Value::Bool(true));
    let budget = parameters.shift_remove("thinking_budget");
    let format = parameters.shift_remove("response_format");
    let schema = parameters.shift_remove("json_schema");
    let most = parameters.shift_remove("max_tokens").and_then(|most| most.as_u64()).unwrap_or(4096);
    let most = if thinking {
        let budget = budget.and_then(|budget| budget.as_u64()).unwrap_or(1024).max(1024);
        put("thinking", json!({"type": "enabled", "budget_tokens": budget}));
        // Thinking models take no sampling parameters and count their thoughts as part of the answer.
        for name in ["temperature", "top_p", "top_k"] {
            parameters.shift_remove(name);
        }
        most.max(budget + 1)
    } else {
        most
    };
    put("max_tokens", most.into());
    for (name, value) in parameters {
        put(&name, value);
    }
    let mut system: Vec<String> = Vec::new();
    let mut messages: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in &call.request.messages {
        let (role, blocks) = match message {
            PromptMessage::System { .. } => {
                system.push(message.text());
                continue;
            }
            PromptMessage::Tool { tool_call_id, .. } => (
                "user",
                vec![
                    json!({"type": "tool_result", "tool_use_id": tool_call_id, "content": message.text()}),
                ],
            ),
            PromptMessage::User { .. } => ("user", blocks(message)),
            PromptMessage::Assistant { tool_calls, .. } => {
                let mut blocks = blocks(message);
                blocks.extend(tool_calls.iter().map(|call| {
                    let input: Value =
                        serde_json::from_str(&call.function.arguments).unwrap_or_else(|_| json!({}));
                    json!({"type": "tool_use", "id": call.id, "name": call.function.name, "input": input})
                }));
                ("assistant", blocks)
            }
        };
        if blocks.is_empty() {
            continue;
        }
        match messages.last_mut() {
            Some((last, so_far)) if *last == role => so_far.extend(blocks),
            _ => messages.push((role, blocks)),
        }
    }
    if let Some(wanted) = wanted_format(format.as_ref(), schema.as_ref()) {
        system.push(wanted);
    }
    let messages: Vec<Value> = messages
        .into_iter()
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect();
    put("messages", messages.into());
    let system = system.join("\n");
    if !system.trim().is_empty() {
        put("system", system.into());
    }
    if !call.request.tools.is_empty() {
        let tools = call.request.tools.iter().map(|tool| {
            json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
        });
        put("tools", tools.collect());
    }
    if !call.request.stop.is_empty() {
        put("stop_sequences", json!(call.request.stop));
    }
    if !call.user.is_empty() {
        put("metadata", json!({"user_id": call.user}));
    }
    if call.request.stream {
        put("stream", true.into());
    }
    body
}

/// There is no parameter for the format of an answer, so the model is told.
fn wanted_format(format: Option<&Value>, schema: Option<&Value>) -> Option<String> {
    match format?.as_str()? {
        "json_schema" => {
            let schema = match schema? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(format!(
                "Answer with JSON that fits this schema, and with nothing else:\n{schema}"
            ))
        }
        "json_object" | "JSON" => Some("Answer with one JSON object and nothing else.".to_owned()),
        "XML" => Some("Answer with XML and nothing else.".to_owned()),
        _ => None,
    }
}

fn blocks(message: &PromptMessage) -> Vec<Value> {
    match message.content() {
        None => Vec::new(),
        // Empty texts are refused.
        Some(Content::Text(text)) if text.trim().is_empty() => Vec::new(),
        Some(Content::Text(text)) => vec![json!({"type": "text", "text": text})],
        Some(Content::Parts(parts)) => parts.iter().filter_map(block).collect(),
    }
}

fn block(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::Text { data } if data.trim().is_empty() => None,
        ContentPart::Text { data } => Some(json!({"type": "text", "text": data})),
        ContentPart::Image { media, .. } => Some(json!({"type": "image", "source": source(media)})),
        ContentPart::Document(media) => Some(json!({"type": "document", "source": source(media)})),
        // Not understood by these models.
        ContentPart::Audio(_) | ContentPart::Video(_) => None,
    }
}

fn source(media: &Media) -> Value {
    if media.url.is_empty() {
        json!({"type": "base64", "media_type": media.mime_type, "data": media.base64_data})
    } else {
        json!({"type": "url", "url": media.url})
    }
}
