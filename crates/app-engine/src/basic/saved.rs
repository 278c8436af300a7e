//! A prompt as `messages.message` keeps it for people who look at logs: texts whole, files hinted at.

use model_runtime::{Content, ContentPart, PromptMessage, Role, ToolCall};
use serde_json::{Value, json};

/// The stored form of a prompt.
#[must_use]
pub fn prompt(completion_model: bool, messages: &[PromptMessage]) -> Value {
    if completion_model {
        return one_text(messages);
    }
    // The calls of an assistant are told again with what follows them, up to its next message: so the reference does,
    // and the console shows them.
    let mut calls: &[ToolCall] = &[];
    let mut saved = Vec::with_capacity(messages.len());
    for message in messages {
        if message.role() == Role::Assistant {
            calls = message.tool_calls();
        }
        saved.push(one(message, calls));
    }
    Value::Array(saved)
}

fn one(message: &PromptMessage, calls: &[ToolCall]) -> Value {
    let (text, files) = split(message.content());
    let mut saved = json!({"role": message.role().as_str(), "text": text, "files": files});
    if let (Value::Object(saved), false) = (&mut saved, calls.is_empty()) {
        let calls = calls.iter().map(|call| {
            json!({"id": call.id, "type": "function", "function": {
                "name": call.function.name, "arguments": call.function.arguments}})
        });
        saved.insert("tool_calls".to_owned(), calls.collect());
    }
    saved
}

fn one_text(messages: &[PromptMessage]) -> Value {
    let (text, files) = split(messages.first().and_then(PromptMessage::content));
    let mut saved = json!({"role": "user", "text": text});
    if let (Value::Object(saved), false) = (&mut saved, files.is_empty()) {
        saved.insert("files".to_owned(), files.into());
    }
    Value::Array(vec![saved])
}

fn split(content: Option<&Content>) -> (String, Vec<Value>) {
    match content {
        None => (String::new(), Vec::new()),
        Some(Content::Text(text)) => (text.clone(), Vec::new()),
        Some(content @ Content::Parts(parts)) => {
            (content.text(), parts.iter().filter_map(hint).collect())
        }
    }
}

fn hint(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::Image { media, detail } => {
            Some(json!({"type": "image", "data": ends(&media.data_url()), "detail": detail}))
        }
        ContentPart::Audio(media) => {
            Some(json!({"type": "audio", "data": ends(&media.data_url()), "format": media.format}))
        }
        _ => None,
    }
}

/// The first and the last ten characters.
fn ends(text: &str) -> String {
    let at = |n| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let start = text.get(..at(10)).unwrap_or_default();
    let end = text.char_indices().nth_back(9).map_or(0, |(at, _)| at);
    format!("{start}...[TRUNCATED]...{}", text.get(end..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use model_runtime::{ImageDetail, Media};

    use super::*;

    #[test]
    fn files_are_hinted_at() {
        let media = Media {
            base64_data: "x".repeat(50),
            mime_type: "image/png".into(),
            ..Media::default()
        };
        let messages = [
            PromptMessage::system("S"),
            PromptMessage::user(vec![
                ContentPart::Image { media, detail: ImageDetail::Low },
                ContentPart::text("Q"),
            ]),
        ];
        assert_eq!(
            prompt(false, &messages),
            json!([
                {"role": "system", "text": "S", "files": []},
                {"role": "user", "text": "Q", "files": [
                    {"type": "image", "data": "data:image...[TRUNCATED]...xxxxxxxxxx", "detail": "low"}]},
            ])
        );
        assert_eq!(prompt(true, &messages[..1]), json!([{"role": "user", "text": "S"}]));
    }
}
