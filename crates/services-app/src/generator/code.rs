//! Code for code nodes.

use boxed::boxed;
use serde_json::{Value, json};

use super::{GeneratorError, Model, prompts, write};
use crate::ports::Ports;

/// Code that does what `instruction` says. What the provider says against it is part of the answer.
///
/// # Errors
/// [`GeneratorError`].
#[boxed]
pub async fn code(
    ports: &Ports,
    model: &Model,
    instruction: &str,
    language: &str,
) -> Result<Value, GeneratorError> {
    // As in the reference, only this one word asks for Python.
    let result = if language == "python" { "a dict" } else { "an object" };
    let prompt = prompts::CODE
        .replace("{{CODE_LANGUAGE}}", language)
        .replace("{{RESULT}}", result)
        .replace("{{INSTRUCTION}}", instruction);
    let (code, error) = match write(ports, model, None, prompt, model.parameters.clone()).await? {
        Ok(code) => (code, String::new()),
        Err(words) => (String::new(), format!("Failed to generate code. Error: {words}")),
    };
    Ok(json!({"code": code, "language": language, "error": error}))
}
