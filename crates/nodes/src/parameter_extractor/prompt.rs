//! What the model is asked, in two ways: to call a function, or to write JSON.

use graph::NodeCtx;
use model_runtime::{ContentPart, PromptMessage, PromptTool, ToolCall, source::LlmModel};
use serde_json::{Value as Json, json};
use types::pyjson;

use super::Settings;
use crate::{
    common::{Fail, Mode, history, history_text, vision_files},
    llm::{checked, with_files},
    ports::Ports,
};

/// The function the model calls.
const FUNCTION: &str = "extract_parameters";

/// Tokens the instructions and examples take at most.
const BESIDE: i64 = 1500;

pub(super) struct Prompt<'a> {
    pub(super) ports: &'a Ports,
    pub(super) ctx: &'a NodeCtx,
    pub(super) settings: &'a Settings,
    pub(super) model: &'a dyn LlmModel,
    pub(super) structure: Json,
}

impl Prompt<'_> {
    pub(super) async fn function_call(
        &self,
        query: &str,
    ) -> Result<(Vec<PromptMessage>, PromptTool), Fail> {
        let mode = self.settings.model.mode;
        if mode != Mode::Chat {
            let message = format!("Model mode {} not support.", mode.as_str());
            return Err(Fail::new(message, "InvalidModelModeError"));
        }
        let structure = pyjson::dumps(&self.structure).unwrap_or_default();
        let system = format!(
            "You read values out of texts and hand them over by calling a function.\n### Task\nCall `{FUNCTION}` once, \
             with every value you find in the text; take values from the text, do not make them up. Where the text \
             names several values for a list, hand over all of them.\n### Memory\nWhat was said so far stands inside \
             <histories></histories> tags.\n<histories>\n{}\n</histories>\n### Instructions\nFollow these as well:\n\
             <instruction>\n{}\n</instruction>\n### Output\nNothing but the function call, without XML tags.",
            self.earlier().await?,
            self.instruction()
        );
        let question = format!(
            "Read the values out of the text inside <context></context> tags and call the function `{FUNCTION}` with \
             them. Their structure stands inside <structure></structure> tags.\n<context>\n{query}\n</context>\n\n\
             <structure>\n{structure}\n</structure>"
        );
        let mut messages = vec![PromptMessage::system(system)];
        messages.extend(example_calls());
        messages.push(PromptMessage::user(vec![ContentPart::text(question)]));
        let tool = PromptTool {
            name: FUNCTION.to_owned(),
            description: "Extract parameters from the natural language text".to_owned(),
            parameters: self.structure.clone(),
        };
        Ok((self.finished(messages).await?, tool))
    }

    pub(super) async fn in_words(&self, query: &str) -> Result<Vec<PromptMessage>, Fail> {
        let system = format!(
            "You turn texts into JSON objects. Answer with one valid JSON object of the structure that is asked for, \
             and with nothing else.\n### Memory\nWhat was said so far stands inside <histories></histories> tags.\n\
             <histories>\n{}\n</histories>\n### Instructions\nFollow these as well:\n<instructions>\n{}\n\
             </instructions>",
            self.earlier().await?,
            self.instruction()
        );
        let question = asked(&self.structure, query);
        let messages = match self.settings.model.mode {
            Mode::Completion => {
                let text = format!("{system}\n\n{question}\n\n### Answer\n");
                vec![PromptMessage::user(vec![ContentPart::text(text)])]
            }
            Mode::Chat => {
                let mut messages = vec![PromptMessage::system(system)];
                messages.extend(example_answers());
                messages.push(PromptMessage::user(vec![ContentPart::text(question)]));
                messages
            }
        };
        self.finished(messages).await
    }

    fn instruction(&self) -> String {
        self.ctx.pool.render(self.settings.instruction.as_deref().unwrap_or_default())
    }

    async fn earlier(&self) -> Result<String, Fail> {
        let Some(memory) = &self.settings.memory else { return Ok(String::new()) };
        let (parameters, _) = self.settings.model.parameters();
        let limit = memory.window.size;
        let messages =
            history(self.ports, self.ctx, self.model, &parameters, limit, BESIDE).await?;
        Ok(history_text(&messages, "Human", "Assistant"))
    }

    async fn finished(&self, mut messages: Vec<PromptMessage>) -> Result<Vec<PromptMessage>, Fail> {
        let vision = &self.settings.vision;
        let files = vision_files(self.ctx, vision)?;
        let files: Vec<_> = files.iter().map(|file| &**file).collect();
        with_files(self.ports, self.ctx, &mut messages, &files, vision.configs.detail).await?;
        checked(messages, self.model.schema())
    }
}

fn asked(structure: &Json, text: &str) -> String {
    let structure = pyjson::dumps(structure).unwrap_or_default();
    format!(
        "### Structure\nThe JSON object must have this structure:\n<structure>\n{structure}\n</structure>\n\n### Text\n\
         This is the text to turn into the JSON object:\n<text>\n{text}\n</text>"
    )
}

/// Two texts with the calls they lead to.
fn example_calls() -> Vec<PromptMessage> {
    let examples = [
        ("Book a table for four in Lyon.", json!({"city": "Lyon", "guests": 4})),
        ("Remind me to water the plants.", json!({"task": "water the plants"})),
    ];
    let mut messages = Vec::with_capacity(8);
    for (text, arguments) in examples {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let arguments = pyjson::dumps(&arguments).unwrap_or_default();
        let call = ToolCall::new(id.clone(), FUNCTION, arguments);
        messages.push(PromptMessage::user(text));
        messages.push(PromptMessage::assistant(
            "The text holds all values of the function.",
            vec![call],
        ));
        messages.push(PromptMessage::tool("Received.", id, None));
        messages.push(PromptMessage::assistant("The values are handed over.", Vec::new()));
    }
    messages
}

/// Two texts with the objects they lead to.
fn example_answers() -> Vec<PromptMessage> {
    let field = |name: &str, description: &str| {
        json!({"type": "object", "properties": {name: {"type": "string", "description": description}},
            "required": [name]})
    };
    let examples = [
        (field("city", "Where the table is"), "Book a table in Lyon.", json!({"city": "Lyon"})),
        (
            field("task", "What to do"),
            "Remind me to water the plants.",
            json!({"task": "water the plants"}),
        ),
    ];
    let pairs = examples.into_iter().flat_map(|(structure, text, answer)| {
        let answer = pyjson::dumps(&answer).unwrap_or_default();
        [PromptMessage::user(asked(&structure, text)), PromptMessage::assistant(answer, Vec::new())]
    });
    pairs.collect()
}
