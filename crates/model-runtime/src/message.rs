//! Prompt messages, tools and tool calls, in the JSON shapes of the reference.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// How closely a model looks at an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageDetail {
    /// Cheap.
    #[default]
    Low,
    /// Close.
    High,
}

/// A file in a message: by address or as base64, the other one empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Media {
    /// Extension without the dot.
    pub format: String,
    /// The content, if it is sent along.
    #[serde(default)]
    pub base64_data: String,
    /// The address, if it is sent as one.
    #[serde(default)]
    pub url: String,
    /// Content type.
    pub mime_type: String,
    /// Name of the file.
    #[serde(default)]
    pub filename: String,
}

impl Media {
    /// The address, or the content as a `data:` address.
    #[must_use]
    pub fn data_url(&self) -> String {
        if self.url.is_empty() {
            format!("data:{};base64,{}", self.mime_type, self.base64_data)
        } else {
            self.url.clone()
        }
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ContentPart {
    /// Text.
    Text {
        /// The text.
        data: String,
    },
    /// A picture.
    Image {
        /// The file.
        #[serde(flatten)]
        media: Media,
        /// How closely to look.
        #[serde(default)]
        detail: ImageDetail,
    },
    /// A document such as a PDF.
    Document(Media),
    /// Sound.
    Audio(Media),
    /// Moving pictures.
    Video(Media),
}

impl ContentPart {
    /// A text part.
    pub fn text(data: impl Into<String>) -> Self {
        Self::Text { data: data.into() }
    }

    /// The file of a part that is not text.
    #[must_use]
    pub const fn media(&self) -> Option<&Media> {
        match self {
            Self::Text { .. } => None,
            Self::Image { media, .. }
            | Self::Document(media)
            | Self::Audio(media)
            | Self::Video(media) => Some(media),
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Texts and files in order.
    Parts(Vec<ContentPart>),
}

impl Content {
    /// The text of all text parts, joined without anything between.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    ContentPart::Text { data } => Some(data.as_str()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// Neither text nor parts.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.is_empty(),
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<ContentPart>> for Content {
    fn from(parts: Vec<ContentPart>) -> Self {
        Self::Parts(parts)
    }
}

/// A message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum PromptMessage {
    /// Instructions.
    System {
        /// What it says.
        #[serde(default)]
        content: Option<Content>,
        /// Name of the speaker.
        #[serde(default)]
        name: Option<String>,
    },
    /// What a person says.
    User {
        /// What it says.
        #[serde(default)]
        content: Option<Content>,
        /// Name of the speaker.
        #[serde(default)]
        name: Option<String>,
    },
    /// What the model said.
    Assistant {
        /// What it says.
        #[serde(default)]
        content: Option<Content>,
        /// Name of the speaker.
        #[serde(default)]
        name: Option<String>,
        /// Calls it asked for.
        #[serde(default)]
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// What it says.
        #[serde(default)]
        content: Option<Content>,
        /// Name of the tool.
        #[serde(default)]
        name: Option<String>,
        /// The call it answers.
        tool_call_id: String,
    },
}

impl PromptMessage {
    /// Instructions.
    pub fn system(content: impl Into<Content>) -> Self {
        Self::System { content: Some(content.into()), name: None }
    }

    /// What a person says.
    pub fn user(content: impl Into<Content>) -> Self {
        Self::User { content: Some(content.into()), name: None }
    }

    /// What the model said, with the calls it asked for.
    pub fn assistant(content: impl Into<Content>, tool_calls: Vec<ToolCall>) -> Self {
        Self::Assistant { content: Some(content.into()), name: None, tool_calls }
    }

    /// What a tool answered.
    pub fn tool(
        content: impl Into<Content>,
        tool_call_id: impl Into<String>,
        name: Option<String>,
    ) -> Self {
        Self::Tool { content: Some(content.into()), name, tool_call_id: tool_call_id.into() }
    }

    /// Who says it.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::System { .. } => Role::System,
            Self::User { .. } => Role::User,
            Self::Assistant { .. } => Role::Assistant,
            Self::Tool { .. } => Role::Tool,
        }
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> Option<&Content> {
        match self {
            Self::System { content, .. }
            | Self::User { content, .. }
            | Self::Assistant { content, .. }
            | Self::Tool { content, .. } => content.as_ref(),
        }
    }

    /// What it says, to change it.
    pub const fn content_mut(&mut self) -> &mut Option<Content> {
        match self {
            Self::System { content, .. }
            | Self::User { content, .. }
            | Self::Assistant { content, .. }
            | Self::Tool { content, .. } => content,
        }
    }

    /// Name of the speaker.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::System { name, .. }
            | Self::User { name, .. }
            | Self::Assistant { name, .. }
            | Self::Tool { name, .. } => name.as_deref(),
        }
    }

    /// The calls of an assistant's message; none for others.
    #[must_use]
    pub fn tool_calls(&self) -> &[ToolCall] {
        match self {
            Self::Assistant { tool_calls, .. } => tool_calls,
            _ => &[],
        }
    }

    /// The text of it, joined over its parts.
    #[must_use]
    pub fn text(&self) -> String {
        self.content().map(Content::text).unwrap_or_default()
    }

    /// It says nothing, calls nothing and answers no call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let silent = self.content().is_none_or(Content::is_empty);
        match self {
            Self::Assistant { tool_calls, .. } => silent && tool_calls.is_empty(),
            Self::Tool { tool_call_id, .. } => silent && tool_call_id.is_empty(),
            Self::System { .. } | Self::User { .. } => silent,
        }
    }
}

/// A tool a model may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptTool {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A call a model asks for, or a piece of one while it streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Id that the answer must name.
    #[serde(default, deserialize_with = "id_text")]
    pub id: String,
    /// Always `function`.
    #[serde(rename = "type", default = "function")]
    pub kind: String,
    /// What to call.
    pub function: ToolCallFunction,
}

/// Name and arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolCallFunction {
    /// Name of the tool.
    #[serde(default)]
    pub name: String,
    /// Arguments as JSON text.
    #[serde(default)]
    pub arguments: String,
}

impl ToolCall {
    /// A call of a function.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            kind: function(),
            function: ToolCallFunction { name: name.into(), arguments: arguments.into() },
        }
    }
}

fn function() -> String {
    "function".to_owned()
}

fn id_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_have_the_shapes_of_the_reference() {
        let media = Media {
            format: "png".into(),
            base64_data: "AA==".into(),
            mime_type: "image/png".into(),
            ..Media::default()
        };
        let cases = [
            (PromptMessage::user("hi"), json!({"role": "user", "content": "hi", "name": null})),
            (
                PromptMessage::assistant("", vec![ToolCall::new("c1", "f", "{}")]),
                json!({"role": "assistant", "content": "", "name": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
            ),
            (
                PromptMessage::tool("42", "c1", Some("f".into())),
                json!({"role": "tool", "content": "42", "name": "f", "tool_call_id": "c1"}),
            ),
            (
                PromptMessage::user(vec![
                    ContentPart::text("look"),
                    ContentPart::Image { media: media.clone(), detail: ImageDetail::High },
                    ContentPart::Document(media),
                ]),
                json!({"role": "user", "name": null, "content": [
                    {"type": "text", "data": "look"},
                    {"type": "image", "format": "png", "base64_data": "AA==", "url": "", "mime_type": "image/png",
                     "filename": "", "detail": "high"},
                    {"type": "document", "format": "png", "base64_data": "AA==", "url": "",
                     "mime_type": "image/png", "filename": ""}]}),
            ),
        ];
        for (message, wire) in cases {
            assert_eq!(serde_json::to_value(&message).unwrap(), wire);
            assert_eq!(serde_json::from_value::<PromptMessage>(wire).unwrap(), message);
        }
    }

    #[test]
    fn call_ids_that_are_numbers_are_read_as_text() {
        let call: ToolCall = serde_json::from_value(
            json!({"id": 7, "type": "function", "function": {"name": "f", "arguments": ""}}),
        )
        .unwrap();
        assert_eq!(call.id, "7");
    }
}
