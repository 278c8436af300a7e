//! Prompts of the expert editor.

use std::borrow::Cow;

use model_runtime::{Content, ContentPart, PromptMessage, Role};

use super::{Ingredients, history_text, input, user_message};
use crate::basic::config::CompletionPrompt;

pub(super) fn chat(from: &Ingredients<'_>, prompt: &[(Role, String)]) -> Vec<PromptMessage> {
    let mut messages = Vec::with_capacity(prompt.len() + 1);
    for (role, text) in prompt {
        let text = fill(from, text, None, false);
        match role {
            Role::User => messages.push(PromptMessage::user(text)),
            Role::System if !text.is_empty() => messages.push(PromptMessage::system(text)),
            Role::Assistant => messages.push(PromptMessage::assistant(text, Vec::new())),
            Role::System | Role::Tool => {}
        }
    }
    match from.history {
        Some(history) => {
            messages.extend_from_slice(history);
            messages.push(user_message(from.query.to_owned(), from.files));
        }
        None if !from.query.is_empty() => {
            messages.push(user_message(from.query.to_owned(), from.files));
        }
        None if from.files.is_empty() => {}
        None => give_files(&mut messages, from.files),
    }
    messages
}

/// Without a question, files go with the last message if that is the user's.
fn give_files(messages: &mut Vec<PromptMessage>, files: &[ContentPart]) {
    if let Some(PromptMessage::User { content, .. }) = messages.last_mut() {
        let text = content.take().map(|content| content.text()).unwrap_or_default();
        let mut parts = files.to_vec();
        parts.push(ContentPart::text(text));
        *content = Some(Content::Parts(parts));
    } else {
        messages.push(user_message(String::new(), files));
    }
}

pub(super) fn completion(from: &Ingredients<'_>, prompt: &CompletionPrompt) -> PromptMessage {
    let history = match (from.history, &prompt.prefixes) {
        (Some(history), Some((user, assistant))) => Some(history_text(history, (user, assistant))),
        _ => None,
    };
    let asks = !from.query.is_empty();
    user_message(fill(from, &prompt.text, history.as_deref(), asks), from.files)
}

fn fill(from: &Ingredients<'_>, template: &str, history: Option<&str>, asks: bool) -> String {
    template::prompt::format(template, |name| match name {
        // Unlike in the simple editor, no knowledge is an empty text.
        "#context#" => Some(Cow::Borrowed(from.context.unwrap_or_default())),
        "#histories#" => history.map(|history| Cow::Owned(history.to_owned())),
        "#query#" => asks.then_some(Cow::Borrowed(from.query)),
        name => input(from.inputs, name),
    })
}
