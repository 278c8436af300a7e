//! The prompt of the simple editor.

use std::borrow::Cow;

use model_runtime::PromptMessage;

use super::{Built, Ingredients, history_text, input, user_message};
use crate::basic::Mode;

/// How knowledge is introduced.
const CONTEXT: &str = "Treat what stands between the <context> tags below as things you know.\n\n\
                       <context>\n{{#context#}}\n</context>\n\n\
                       When you answer:\n\
                       - Say so if you do not know the answer.\n\
                       - Ask back if you are not sure what is meant.\n\
                       Do not mention that you were given this context.\n\
                       Use the language of the question.\n\n";

/// How a history is introduced that is told as one text.
const HISTORY: &str = "What the human and the assistant said so far stands between the <histories> tags.\n\n\
                       <histories>\n{{#histories#}}\n</histories>\n\n";

/// How a completion model is asked in a chat.
const CHAT_QUERY: &str = "\n\nHuman: {{#query#}}\n\nAssistant: ";

/// Where a completion model is stopped in a chat: it would go on with the human's next line.
const CHAT_STOPS: [&str; 2] = ["\nHuman:", "</histories>"];

pub(super) fn build(from: &Ingredients<'_>, pre_prompt: &str) -> Built {
    if from.completion_model {
        for_completion(from, pre_prompt)
    } else {
        for_chat(from, pre_prompt)
    }
}

fn for_chat(from: &Ingredients<'_>, pre_prompt: &str) -> Built {
    let system = fill(from, &template(from, pre_prompt, false, false), None);
    let mut messages = Vec::with_capacity(from.history.map_or(0, <[_]>::len) + 2);
    let asks = !from.query.is_empty();
    if !system.is_empty() && asks {
        messages.push(PromptMessage::system(system.clone()));
    }
    messages.extend_from_slice(from.history.unwrap_or_default());
    let last = if asks { from.query.to_owned() } else { system };
    messages.push(user_message(last, from.files));
    Built { messages, stop: Vec::new() }
}

fn for_completion(from: &Ingredients<'_>, pre_prompt: &str) -> Built {
    let history = from.history.map(|history| history_text(history, ("Human", "Assistant")));
    let text = fill(from, &template(from, pre_prompt, true, history.is_some()), history.as_deref());
    let stop = match from.mode {
        Mode::Completion => Vec::new(),
        Mode::Chat | Mode::Agent | Mode::Chatflow => CHAT_STOPS.map(str::to_owned).to_vec(),
    };
    Built { messages: vec![user_message(text, from.files)], stop }
}

fn template(from: &Ingredients<'_>, pre_prompt: &str, asks: bool, tells_history: bool) -> String {
    let mut template = String::new();
    if from.context.is_some() {
        template.push_str(CONTEXT);
    }
    if !pre_prompt.is_empty() {
        template.push_str(pre_prompt);
        template.push('\n');
    }
    let is_chat = from.mode != Mode::Completion;
    if tells_history && is_chat {
        template.push_str(HISTORY);
    }
    if asks {
        template.push_str(if is_chat { CHAT_QUERY } else { "{{#query#}}" });
    }
    template
}

fn fill(from: &Ingredients<'_>, template: &str, history: Option<&str>) -> String {
    let asks = from.completion_model;
    template::prompt::format(template, |name| match name {
        "#context#" => from.context.map(Cow::Borrowed),
        "#histories#" => history.map(|history| Cow::Owned(history.to_owned())),
        "#query#" => asks.then_some(Cow::Borrowed(from.query)),
        name => input(from.inputs, name),
    })
}
