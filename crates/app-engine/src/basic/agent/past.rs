//! Earlier turns, with the calls they made.

use model_runtime::{ImageDetail, PromptMessage, ToolCall};
use serde_json::{Map, Value};
use types::{TenantId, pyjson};
use uuid::Uuid;

use crate::{
    basic::{
        budget,
        history::{Turn, with_text},
    },
    event::RunError,
    ports::{LlmModel, Ports},
};

/// A round of an earlier answer, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastThought {
    /// What the model said.
    pub thought: String,
    /// Names of tools, joined by `;`.
    pub tool: String,
    /// JSON: arguments by name of tool.
    pub tool_input: String,
    /// JSON: answers by name of tool.
    pub observation: String,
}

/// The turns that lead to a question, oldest first; one that no longer fits goes as a whole.
pub(super) struct Past(Vec<Vec<PromptMessage>>);

impl Past {
    /// Rebuilds the turns. Files are shown to models that see.
    pub async fn of(
        ports: &Ports,
        tenant: TenantId,
        turns: Vec<Turn>,
        detail: Option<ImageDetail>,
    ) -> Result<Self, RunError> {
        let mut past = Vec::with_capacity(turns.len());
        for turn in turns {
            let mut messages = vec![match detail {
                Some(detail) if !turn.user_files.is_empty() => {
                    let (files, query) = (&turn.user_files, turn.query);
                    PromptMessage::user(
                        with_text(tenant, &*ports.files, files, query, detail).await?,
                    )
                }
                _ => PromptMessage::user(turn.query),
            }];
            turn.thoughts.iter().for_each(|thought| rebuild(thought, &mut messages));
            // An answer that was ended before a thought was on record has only its text.
            if messages.len() == 1 && !turn.answer.is_empty() {
                messages.push(PromptMessage::assistant(turn.answer, Vec::new()));
            }
            past.push(messages);
        }
        Ok(Self(past))
    }

    /// Turns as ReAct prompts tell them: each answer as one text of thoughts, actions and observations.
    pub fn told(self, tell: impl Fn(&[PromptMessage]) -> String) -> Self {
        let retold = self.0.into_iter().map(|turn| {
            let mut messages = turn.into_iter();
            let question = messages.next();
            let rest: Vec<PromptMessage> = messages.collect();
            let answer =
                (!rest.is_empty()).then(|| PromptMessage::assistant(tell(&rest), Vec::new()));
            question.into_iter().chain(answer).collect()
        });
        Self(retold.collect())
    }

    /// The turns that fit beside `fixed`; the others are forgotten.
    pub async fn fitting(
        &mut self,
        model: &dyn LlmModel,
        parameters: &Map<String, Value>,
        system: &[PromptMessage],
        fixed: &[PromptMessage],
    ) -> Result<impl Iterator<Item = &PromptMessage>, RunError> {
        budget::trim_turns(model, parameters, system, fixed, &mut self.0).await?;
        Ok(self.0.iter().flatten())
    }
}

/// A round as the messages it was: what the model said and called, and what the tools answered.
fn rebuild(thought: &PastThought, messages: &mut Vec<PromptMessage>) {
    let names: Vec<&str> = thought.tool.split(';').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        if !thought.thought.is_empty() {
            messages.push(PromptMessage::assistant(thought.thought.as_str(), Vec::new()));
        }
        return;
    }
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (inputs, outputs) = (object(&thought.tool_input), object(&thought.observation));
    let mut calls = Vec::with_capacity(names.len());
    let mut answers = Vec::with_capacity(names.len());
    for name in names {
        let id = Uuid::new_v4().to_string();
        let input = inputs.get(name).map(pyjson::dumps).and_then(Result::ok);
        let output = match outputs.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => thought.observation.clone(),
        };
        calls.push(ToolCall::new(id.as_str(), name, input.unwrap_or_else(|| "{}".to_owned())));
        answers.push(PromptMessage::tool(output, id, Some(name.to_owned())));
    }
    messages.push(PromptMessage::assistant(thought.thought.as_str(), calls));
    messages.extend(answers);
}
