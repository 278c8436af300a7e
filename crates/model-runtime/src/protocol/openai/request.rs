//! The body of a chat or completion request.

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls,
    ChatCompletionRequestMessageContentPartFile, ChatCompletionRequestMessageContentPartImage,
    ChatCompletionRequestMessageContentPartText, ChatCompletionRequestUserMessageContentPart,
    ChatCompletionStreamOptions, ChatCompletionTool, ChatCompletionTools, FileObject, FunctionCall,
    FunctionObject, ImageDetail as WireDetail, ImageUrl, ResponseFormat, ResponseFormatJsonSchema,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::InvokeError,
    message::{Content, ContentPart, ImageDetail, PromptMessage, Role},
    protocol::{Endpoint, LlmCall},
};

/// The body. Parameters go in as they are, so that a provider's own ones need no code.
#[derive(Debug, Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message<'a>>>,
    /// Of completion models, instead of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format>,
    #[serde(flatten)]
    parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ChatCompletionTools>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<ChatCompletionStreamOptions>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Format {
    Known(ResponseFormat),
    /// What a user configured for a provider of their own.
    Other(Value),
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<Said<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ChatCompletionMessageToolCalls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Text(&'a str),
    Joined(String),
    Parts(Vec<Part<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Known(ChatCompletionRequestUserMessageContentPart),
    Extra(Extra<'a>),
}

/// Parts that the published types do not have, or not with every format.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Extra<'a> {
    InputAudio { input_audio: Sound<'a> },
    VideoUrl { video_url: Address },
}

#[derive(Debug, Serialize)]
struct Sound<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Debug, Serialize)]
struct Address {
    url: String,
}

/// Puts a call into OpenAI's words. `completion` is for models that take one text.
pub(super) fn body<'a>(
    endpoint: &'a Endpoint<'_>,
    call: &'a LlmCall<'_>,
    completion: bool,
) -> Result<Body<'a>, InvokeError> {
    let request = call.request;
    let mut parameters = call.parameters.clone();
    let response_format = format(&mut parameters)?;
    let parameters: Map<String, Value> = parameters
        .into_iter()
        .map(|(name, value)| (renamed(endpoint, &name).to_owned(), value))
        .collect();
    let stream = request.stream;
    let stream_options =
        (stream && endpoint.protocol.stream_usage).then_some(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        });
    Ok(Body {
        model: &endpoint.remote,
        messages: (!completion).then(|| request.messages.iter().map(message).collect()),
        prompt: completion.then(|| {
            request.messages.iter().map(PromptMessage::text).collect::<Vec<_>>().join("\n\n")
        }),
        response_format,
        parameters,
        tools: if completion { Vec::new() } else { tools(call) },
        stop: &request.stop,
        user: call.user,
        stream,
        stream_options,
    })
}

/// The name under which this model knows a parameter.
pub(super) fn renamed<'a>(endpoint: &'a Endpoint<'_>, name: &'a str) -> &'a str {
    let model = endpoint.remote.as_str();
    endpoint
        .protocol
        .rename
        .iter()
        .find(|rename| {
            rename.from == name && rename.models.iter().any(|start| model.starts_with(start))
        })
        .map_or(name, |rename| rename.to.as_str())
}

fn format(parameters: &mut Map<String, Value>) -> Result<Option<Format>, InvokeError> {
    let wanted = parameters.shift_remove("response_format");
    let schema = parameters.shift_remove("json_schema");
    let known = |format| Ok(Some(Format::Known(format)));
    match wanted {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => match name.as_str() {
            "" => Ok(None),
            "json_schema" => {
                known(ResponseFormat::JsonSchema { json_schema: json_schema(schema)? })
            }
            "json_object" | "JSON" => known(ResponseFormat::JsonObject),
            "text" => known(ResponseFormat::Text),
            other => Ok(Some(Format::Other(serde_json::json!({ "type": other })))),
        },
        Some(other) => Ok(Some(Format::Other(other))),
    }
}

fn json_schema(given: Option<Value>) -> Result<ResponseFormatJsonSchema, InvokeError> {
    let missing = || {
        InvokeError::Value(
            "Must define JSON Schema when the response format is json_schema".to_owned(),
        )
    };
    let mut given = match given.ok_or_else(missing)? {
        Value::String(text) if text.trim().is_empty() => return Err(missing()),
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|_| InvokeError::Value(format!("not correct json_schema format: {text}")))?,
        other => other,
    };
    let text = |given: &Value, key: &str| given.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(schema) = given.get_mut("schema").map(Value::take) else {
        // A bare schema.
        return Ok(ResponseFormatJsonSchema {
            description: None,
            name: "response".to_owned(),
            schema: given,
            strict: None,
        });
    };
    Ok(ResponseFormatJsonSchema {
        description: text(&given, "description"),
        name: text(&given, "name").unwrap_or_else(|| "response".to_owned()),
        schema,
        strict: given.get("strict").and_then(Value::as_bool),
    })
}

fn tools(call: &LlmCall<'_>) -> Vec<ChatCompletionTools> {
    let tools = call.request.tools.iter();
    tools
        .map(|tool| {
            ChatCompletionTools::Function(ChatCompletionTool {
                function: FunctionObject {
                    name: tool.name.clone(),
                    description: Some(tool.description.clone()),
                    parameters: Some(tool.parameters.clone()),
                    strict: None,
                },
            })
        })
        .collect()
}

fn message(message: &PromptMessage) -> Message<'_> {
    let role = message.role();
    let content = message.content().map(|content| match content {
        Content::Text(text) => Said::Text(text),
        // Only users send files; elsewhere many servers take plain text alone.
        Content::Parts(parts) if role == Role::User => {
            Said::Parts(parts.iter().map(part).collect())
        }
        content @ Content::Parts(_) => Said::Joined(content.text()),
    });
    let tool_calls = message.tool_calls().iter();
    let tool_calls = tool_calls
        .map(|call| {
            ChatCompletionMessageToolCalls::Function(ChatCompletionMessageToolCall {
                id: call.id.clone(),
                function: FunctionCall {
                    name: call.function.name.clone(),
                    arguments: call.function.arguments.clone(),
                },
            })
        })
        .collect();
    Message {
        role: role.as_str(),
        content,
        name: message.name().filter(|name| role != Role::Tool && !name.is_empty()),
        tool_calls,
        tool_call_id: match message {
            PromptMessage::Tool { tool_call_id, .. } => Some(tool_call_id),
            _ => None,
        },
    }
}

fn part(part: &ContentPart) -> Part<'_> {
    match part {
        ContentPart::Text { data } => {
            Part::Known(ChatCompletionRequestUserMessageContentPart::Text(
                ChatCompletionRequestMessageContentPartText {
                    text: data.clone(),
                    prompt_cache_breakpoint: None,
                },
            ))
        }
        ContentPart::Image { media, detail } => {
            Part::Known(ChatCompletionRequestUserMessageContentPart::ImageUrl(
                ChatCompletionRequestMessageContentPartImage {
                    image_url: ImageUrl {
                        url: media.data_url(),
                        detail: Some(match detail {
                            ImageDetail::Low => WireDetail::Low,
                            ImageDetail::High => WireDetail::High,
                        }),
                    },
                    prompt_cache_breakpoint: None,
                },
            ))
        }
        ContentPart::Document(media) => {
            Part::Known(ChatCompletionRequestUserMessageContentPart::File(
                ChatCompletionRequestMessageContentPartFile {
                    file: FileObject {
                        file_data: Some(media.data_url()),
                        file_id: None,
                        filename: Some(media.filename.clone()),
                    },
                    prompt_cache_breakpoint: None,
                },
            ))
        }
        ContentPart::Audio(media) => Part::Extra(Extra::InputAudio {
            input_audio: Sound {
                data: if media.base64_data.is_empty() { &media.url } else { &media.base64_data },
                format: &media.format,
            },
        }),
        ContentPart::Video(media) => {
            Part::Extra(Extra::VideoUrl { video_url: Address { url: media.data_url() } })
        }
    }
}
