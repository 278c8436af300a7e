//! What a ReAct model is told. The wording is this server's own; apps may have theirs, with the same variables.

use std::borrow::Cow;

use model_runtime::{PromptMessage, PromptTool};
use serde_json::{Map, Value};
use types::pyjson;

use crate::basic::{config::Prompt, inputs::as_text};

/// How the model is to work; `{{tools}}` and the like are filled in.
const WORK: &str = "{{instruction}}

You can have tools work for you. These there are, as JSON, with a schema of what each is given:

{{tools}}

Work in steps. In every step write one line that says what you think, and then one action: a JSON object in a code block, \
where \"action\" says what to do and \"action_input\" what to do it with. An action is one of these: {{tool_names}}, or \
\"Final Answer\" when you know what to say.

A step with a tool looks like this:

Thought: what is still missing, and which tool finds it
Action:
```
{\"action\": \"the name of the tool\", \"action_input\": {\"an argument\": \"its value\"}}
```

Stop there: you are told what came of it in a line that begins with Observation:, and the next step is yours. The last step \
looks like this:

Thought: nothing is missing any more
Action:
```
{\"action\": \"Final Answer\", \"action_input\": \"what the user shall read\"}
```

Every step has exactly one action. Take no tool where you need none.
";

/// What a completion model is given beside that.
const TALK: &str = "
{{historic_messages}}
Question: {{query}}
{{agent_scratchpad}}
Thought:";

/// The app's own instruction with the values of the form.
pub(super) fn instruction(prompt: &Prompt, inputs: &Map<String, Value>) -> String {
    match prompt {
        Prompt::Simple(text) => fill(text, |name| inputs.get(name).map(as_text)),
        Prompt::Advanced { .. } => String::new(),
    }
}

/// What the app instructs, and what tools there are.
pub(super) struct Frame<'a> {
    /// The app's own prompt, if it has one.
    pub own: Option<&'a str>,
    /// See [`instruction`].
    pub instruction: &'a str,
    /// The tools; none in the last round.
    pub tools: &'a [PromptTool],
}

impl Frame<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "instruction" => Some(self.instruction.into()),
            "tools" => Some(pyjson::dumps(self.tools).unwrap_or_default().into()),
            "tool_names" => {
                let names: Vec<&str> = self.tools.iter().map(|tool| tool.name.as_str()).collect();
                Some(names.join(", ").into())
            }
            _ => None,
        }
    }

    /// The instructions of a chat model.
    pub fn system(&self) -> String {
        fill(self.own.unwrap_or(WORK), |name| self.value(name))
    }

    /// The whole prompt of a completion model.
    pub fn whole<'m>(
        &self,
        past: impl IntoIterator<Item = &'m PromptMessage>,
        query: &str,
        scratch: &str,
    ) -> String {
        let told = |message: &PromptMessage| match message {
            PromptMessage::User { .. } => format!("Question: {}\n\n", message.text()),
            _ => format!("{}\n\n", message.text()),
        };
        let past: String = past.into_iter().map(told).collect();
        let value = |name: &str| match name {
            "historic_messages" => Some(Cow::Borrowed(past.as_str())),
            "query" => Some(query.into()),
            "agent_scratchpad" => Some(scratch.into()),
            name => self.value(name),
        };
        match self.own {
            Some(own) => fill(own, value),
            None => fill(WORK, value) + &fill(TALK, value),
        }
    }
}

/// `template` with the values of its variables. In one pass: a value is no template.
fn fill<'v>(template: &str, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("{{") {
        filled.push_str(before);
        let named = behind.split_once("}}").and_then(|(name, after)| Some((value(name)?, after)));
        match named {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = behind;
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_filled_in_and_are_no_templates() {
        let inputs = json!({"a": "{{b}}", "b": 2, "n": null});
        let prompt = Prompt::Simple("{{a}} {{b}} {{c}} {{n}} {{".to_owned());
        let filled = instruction(&prompt, inputs.as_object().unwrap());
        assert_eq!(filled, "{{b}} 2 {{c}} None {{");
    }

    #[test]
    fn a_completion_model_reads_everything_in_one_text() {
        let tools =
            [PromptTool { name: "t".into(), description: "d".into(), parameters: json!({}) }];
        let past =
            [PromptMessage::user("before"), PromptMessage::assistant("Final Answer: x", vec![])];
        let frame = Frame { own: None, instruction: "Be brief.", tools: &tools };
        let whole = frame.whole(&past, "now?", "Thought: y\n\n");
        for part in [
            "Be brief.",
            r#"[{"name": "t", "description": "d", "parameters": {}}]"#,
            "Question: before\n\nFinal Answer: x",
            "Question: now?\nThought: y\n\n\nThought:",
        ] {
            assert!(whole.contains(part), "{part} in {whole}");
        }
        let own = Frame { own: Some("{{tool_names}}: {{query}}"), instruction: "", tools: &[] };
        assert_eq!(own.whole(&[], "q", ""), ": q");
    }
}
