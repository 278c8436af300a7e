//! The body of a generation request.

use serde_json::{Map, Value, json};

use crate::{
    error::InvokeError,
    message::{Content, ContentPart, Media, PromptMessage},
    protocol::LlmCall,
};

/// Puts a call into Gemini's words: instructions apart, messages of one speaker joined, parameters in camel case.
pub(super) fn body(call: &LlmCall<'_>) -> Result<Map<String, Value>, InvokeError> {
    let mut system: Vec<String> = Vec::new();
    let mut contents: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in &call.request.messages {
        let (role, parts) = match message {
            PromptMessage::System { .. } => {
                system.push(message.text());
                continue;
            }
            PromptMessage::User { .. } => ("user", parts(message)),
            PromptMessage::Assistant { tool_calls, .. } => {
                let mut parts = parts(message);
                parts.extend(tool_calls.iter().map(|call| {
                    let args: Value = serde_json::from_str(&call.function.arguments)
                        .unwrap_or_else(|_| json!({}));
                    json!({"functionCall": {"name": call.function.name, "args": args}})
                }));
                ("model", parts)
            }
            PromptMessage::Tool { tool_call_id, name, .. } => {
                let name = name.clone().unwrap_or_else(|| called(call, tool_call_id));
                let answer = json!({"name": name, "response": {"result": message.text()}});
                ("user", vec![json!({ "functionResponse": answer })])
            }
        };
        if parts.is_empty() {
            continue;
        }
        match contents.last_mut() {
            Some((last, so_far)) if *last == role => so_far.extend(parts),
            _ => contents.push((role, parts)),
        }
    }
    let contents: Vec<Value> =
        contents.into_iter().map(|(role, parts)| json!({"role": role, "parts": parts})).collect();
    let mut body = Map::new();
    body.insert("contents".to_owned(), contents.into());
    let system = system.join("\n");
    if !system.trim().is_empty() {
        body.insert("systemInstruction".to_owned(), json!({"parts": [{"text": system}]}));
    }
    if !call.request.tools.is_empty() {
        let tools: Vec<Value> = call
            .request
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "name": tool.name, "description": tool.description,
                    "parametersJsonSchema": tool.parameters,
                })
            })
            .collect();
        body.insert("tools".to_owned(), json!([{ "functionDeclarations": tools }]));
    }
    body.insert("generationConfig".to_owned(), generation(call)?.into());
    Ok(body)
}

/// The name of the function that a call id stands for.
fn called(call: &LlmCall<'_>, id: &str) -> String {
    let calls = call.request.messages.iter().flat_map(PromptMessage::tool_calls);
    let mut calls = calls.filter(|one| one.id == id);
    calls.next().map(|one| one.function.name.clone()).unwrap_or_default()
}

fn generation(call: &LlmCall<'_>) -> Result<Map<String, Value>, InvokeError> {
    let mut config = Map::new();
    let mut thinking = Map::new();
    let schema = call.parameters.get("json_schema");
    for (name, value) in &call.parameters {
        match name.as_str() {
            "json_schema" => {}
            "thinking_budget" => {
                thinking.insert("thinkingBudget".to_owned(), value.clone());
            }
            "include_thoughts" => {
                thinking.insert("includeThoughts".to_owned(), value.clone());
            }
            "max_tokens" => {
                config.insert("maxOutputTokens".to_owned(), value.clone());
            }
            "response_format" => match value.as_str() {
                Some("json_schema") => {
                    let schema = schema.ok_or_else(|| {
                        InvokeError::Value(
                            "Must define JSON Schema when the response format is json_schema"
                                .to_owned(),
                        )
                    })?;
                    config.insert("responseMimeType".to_owned(), "application/json".into());
                    config.insert("responseJsonSchema".to_owned(), bare(schema)?);
                }
                Some("json_object" | "JSON") => {
                    config.insert("responseMimeType".to_owned(), "application/json".into());
                }
                _ => {}
            },
            other => {
                config.insert(camel(other), value.clone());
            }
        }
    }
    if !thinking.is_empty() {
        config.insert("thinkingConfig".to_owned(), thinking.into());
    }
    if !call.request.stop.is_empty() {
        config.insert("stopSequences".to_owned(), json!(call.request.stop));
    }
    Ok(config)
}

/// A schema without the name that OpenAI wants around it.
fn bare(given: &Value) -> Result<Value, InvokeError> {
    let given = match given {
        Value::String(text) => serde_json::from_str(text)
            .map_err(|_| InvokeError::Value(format!("not correct json_schema format: {text}")))?,
        other => other.clone(),
    };
    Ok(given.get("schema").cloned().unwrap_or(given))
}

fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    out
}

fn parts(message: &PromptMessage) -> Vec<Value> {
    match message.content() {
        None => Vec::new(),
        Some(Content::Text(text)) if text.is_empty() => Vec::new(),
        Some(Content::Text(text)) => vec![json!({"text": text})],
        Some(Content::Parts(parts)) => parts
            .iter()
            .map(|part| match part {
                ContentPart::Text { data } => json!({"text": data}),
                ContentPart::Image { media, .. }
                | ContentPart::Document(media)
                | ContentPart::Audio(media)
                | ContentPart::Video(media) => file(media),
            })
            .collect(),
    }
}

fn file(media: &Media) -> Value {
    if media.base64_data.is_empty() {
        json!({"fileData": {"mimeType": media.mime_type, "fileUri": media.url}})
    } else {
        json!({"inlineData": {"mimeType": media.mime_type, "data": media.base64_data}})
    }
}
