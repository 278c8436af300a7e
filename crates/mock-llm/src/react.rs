//! Agents that are prompted to write their thoughts, actions and observations as text.

use serde_json::{Value, json};

/// How such an agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// With a line `FinalAnswer: …`.
    Line,
    /// With the action `Final Answer`.
    Action,
}

impl Style {
    /// Sees from a prompt whether, and how, it wants this form.
    pub fn of(prompt: &str) -> Option<Self> {
        prompt
            .contains("action_input")
            .then(|| if prompt.contains("FinalAnswer:") { Self::Line } else { Self::Action })
    }

    /// The text that ends the agent's work.
    pub fn end(self, text: &str) -> String {
        match self {
            Self::Line => format!("Thought: I can answer now.\nFinalAnswer: {text}"),
            Self::Action => {
                let blob = blob("Final Answer", &text.into());
                format!("Thought: I can answer now.\nAction:\n```\n{blob}\n```\n")
            }
        }
    }
}

/// The text that asks for a call.
pub(crate) fn call(tool: &str, arguments: &Value) -> String {
    format!("Thought: I should call {tool}.\nAction:\n```\n{}\n```\n", blob(tool, arguments))
}

fn blob(action: &str, input: &Value) -> String {
    json!({"action": action, "action_input": input}).to_string()
}

/// The observations in what the agent wrote so far.
pub(crate) fn observations(scratch: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut inside = false;
    for line in scratch.lines() {
        let line_trimmed = line.trim_start();
        if let Some(first) = line_trimmed.strip_prefix("Observation:") {
            out.push(first.trim_start().to_owned());
            inside = true;
        } else if ["Thought:", "Action:", "FinalAnswer:", "Final Answer:"]
            .iter()
            .any(|label| line_trimmed.starts_with(label))
        {
            inside = false;
        } else if inside && let Some(last) = out.last_mut() {
            last.push('\n');
            last.push_str(line);
        }
    }
    out.iter().map(|text| text.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_are_found() {
        let scratch = "Thought: a\nAction:\n```\n{}\n```\nObservation: one\ntwo\nThought: b\nObservation: three";
        assert_eq!(observations(scratch), ["one\ntwo", "three"]);
        assert_eq!(observations("Thought: a"), Vec::<String>::new());
    }
}
