//! What a basic app sends to its model.
//!
//! The sentences that wrap knowledge and history are this server's own; tags, order and roles are the reference's.

mod advanced;
mod simple;

use std::borrow::Cow;

use model_runtime::{Content, ContentPart, PromptMessage};
use serde_json::{Map, Value};

use super::{
    Mode,
    config::{CompletionPrompt, Prompt},
    inputs,
};
use crate::event::RunError;

/// Everything a prompt is made of.
#[derive(Debug, Clone, Copy)]
pub struct Ingredients<'a> {
    /// The kind of app.
    pub mode: Mode,
    /// Whether the model takes one text instead of messages.
    pub completion_model: bool,
    /// The app's prompt.
    pub prompt: &'a Prompt,
    /// Values of the form.
    pub inputs: &'a Map<String, Value>,
    /// The question; empty in most completion apps.
    pub query: &'a str,
    /// Knowledge; `None` when none was looked up.
    pub context: Option<&'a str>,
    /// Files of the question, then those of the knowledge, as parts.
    pub files: &'a [ContentPart],
    /// Earlier turns, oldest first, already cut to what fits; `None` in apps without memory.
    pub history: Option<&'a [PromptMessage]>,
}

/// A prompt and where the model shall stop.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Built {
    /// The messages; exactly one for completion models.
    pub messages: Vec<PromptMessage>,
    /// Texts at which to stop.
    pub stop: Vec<String>,
}

/// Builds the prompt.
///
/// # Errors
/// When the app's prompt is not one for this kind of model.
pub fn build(from: Ingredients<'_>) -> Result<Built, RunError> {
    match from.prompt {
        Prompt::Simple(pre_prompt) => Ok(simple::build(&from, pre_prompt)),
        Prompt::Advanced { chat, completion } => {
            let messages = if from.completion_model {
                let prompt = completion.as_ref().ok_or_else(|| {
                    RunError::model("Advanced completion prompt template is required.")
                })?;
                vec![advanced::completion(&from, prompt)]
            } else {
                let prompt = chat
                    .as_ref()
                    .ok_or_else(|| RunError::model("Advanced chat prompt template is required."))?;
                advanced::chat(&from, prompt)
            };
            Ok(Built { messages, stop: Vec::new() })
        }
    }
}

/// Checks what [`build`] would refuse, before anything is looked up.
///
/// # Errors
/// As [`build`].
pub fn check(prompt: &Prompt, completion_model: bool) -> Result<(), RunError> {
    match prompt {
        Prompt::Advanced { completion: None, .. } if completion_model => {
            Err(RunError::model("Advanced completion prompt template is required."))
        }
        Prompt::Advanced { chat: None, .. } if !completion_model => {
            Err(RunError::model("Advanced chat prompt template is required."))
        }
        _ => Ok(()),
    }
}

/// What lines of the user and of the assistant begin with in a history that is told as one text; `None` if this app
/// tells its history otherwise or not at all.
#[must_use]
pub fn history_prefixes(prompt: &Prompt) -> Option<(&str, &str)> {
    match prompt {
        Prompt::Simple(_) => Some(("Human", "Assistant")),
        Prompt::Advanced { completion: Some(CompletionPrompt { prefixes, .. }), .. } => {
            prefixes.as_ref().map(|(user, assistant)| (user.as_str(), assistant.as_str()))
        }
        Prompt::Advanced { .. } => None,
    }
}

/// A history as one text.
#[must_use]
pub fn history_text(history: &[PromptMessage], (user, assistant): (&str, &str)) -> String {
    let mut lines = Vec::with_capacity(history.len());
    for message in history {
        let speaker = match message {
            PromptMessage::User { .. } => user,
            PromptMessage::Assistant { .. } => assistant,
            PromptMessage::System { .. } | PromptMessage::Tool { .. } => continue,
        };
        let said: Cow<'_, str> = match message.content() {
            Some(Content::Text(text)) => text.as_str().into(),
            Some(Content::Parts(parts)) => {
                let mut told = String::new();
                for part in parts {
                    match part {
                        ContentPart::Text { data } => {
                            told.push_str(data);
                            told.push('\n');
                        }
                        ContentPart::Image { .. } => told.push_str("[image]\n"),
                        _ => {}
                    }
                }
                told.trim().to_owned().into()
            }
            None => "".into(),
        };
        lines.push(format!("{speaker}: {said}"));
    }
    lines.join("\n")
}

/// The user's message: files first, then the text.
pub(super) fn user_message(text: String, files: &[ContentPart]) -> PromptMessage {
    if files.is_empty() {
        return PromptMessage::user(text);
    }
    let mut parts = files.to_vec();
    parts.push(ContentPart::text(text));
    PromptMessage::user(parts)
}

/// The value of a form variable as prompts show it.
fn input<'a>(inputs: &'a Map<String, Value>, name: &str) -> Option<Cow<'a, str>> {
    inputs.get(name).map(inputs::as_text)
}

#[cfg(test)]
mod tests;
