//! Prompts.

use boxed::boxed;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::{GeneratorError, Model, prompts, write};
use crate::ports::Ports;

static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""\s*([^"]+)\s*""#).ok());

/// A prompt for a task; with its variables and an opening statement unless `no_variable`.
///
/// What the provider says against it is part of the answer, not an error.
///
/// # Errors
/// [`GeneratorError`].
#[boxed]
pub async fn rule(
    ports: &Ports,
    model: &Model,
    instruction: &str,
    no_variable: bool,
) -> Result<Value, GeneratorError> {
    let template = if no_variable { prompts::RULE } else { prompts::RULE_WITH_VARIABLES };
    let ask = |text: String| write(ports, model, None, text, model.parameters.clone());
    let prompt = match ask(template.replace("{{TASK_DESCRIPTION}}", instruction)).await? {
        Ok(prompt) => prompt,
        Err(words) => {
            let step = if no_variable { "generate rule config" } else { "generate prefix prompt" };
            return Ok(answer("", &[], "", Some((step, &words))));
        }
    };
    if no_variable {
        return Ok(answer(&prompt, &[], "", None));
    }
    let mut failure = None;
    let question = prompts::VARIABLES.replace("{{INPUT_TEXT}}", &prompt);
    let variables = match ask(question).await? {
        Ok(text) => quoted(&text),
        Err(words) => {
            failure = Some(("generate variables", words));
            Vec::new()
        }
    };
    let question = prompts::OPENING
        .replace("{{TASK_DESCRIPTION}}", instruction)
        .replace("{{INPUT_TEXT}}", &prompt);
    let opening = match ask(question).await? {
        Ok(text) => text,
        Err(words) => {
            failure = Some(("generate conversation opener", words));
            String::new()
        }
    };
    let failure = failure.as_ref().map(|(step, words)| (*step, words.as_str()));
    Ok(answer(&prompt, &variables, &opening, failure))
}

fn answer(
    prompt: &str,
    variables: &[String],
    opening: &str,
    failure: Option<(&str, &str)>,
) -> Value {
    let error = failure
        .map(|(step, words)| format!("Failed to {step}. Error: {words}"))
        .unwrap_or_default();
    json!({
        "prompt": prompt,
        "variables": variables,
        "opening_statement": opening,
        "error": error,
    })
}

fn quoted(text: &str) -> Vec<String> {
    let found = QUOTED.as_ref().map(|pattern| pattern.captures_iter(text));
    found
        .into_iter()
        .flatten()
        .filter_map(|found| Some(found.get(1)?.as_str().to_owned()))
        .collect()
}
