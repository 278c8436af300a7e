//! JSON schemas.

use boxed::boxed;
use serde::Serialize;
use serde_json::{Value, json};

use super::{GeneratorError, Model, lenient_json, prompts, write};
use crate::ports::Ports;

/// A JSON schema for what `instruction` describes. What goes wrong with the model is part of the answer.
///
/// # Errors
/// [`GeneratorError`].
#[boxed]
pub async fn schema(
    ports: &Ports,
    model: &Model,
    instruction: &str,
) -> Result<Value, GeneratorError> {
    let asked = write(
        ports,
        model,
        Some(prompts::SCHEMA),
        instruction.to_owned(),
        model.parameters.clone(),
    );
    let (output, error) = match asked.await? {
        Ok(text) => match lenient_json(&text) {
            Some(schema) => (indented(&schema), String::new()),
            None => (
                String::new(),
                format!(
                    "An unexpected error occurred: Failed to parse structured output from llm: {text}"
                ),
            ),
        },
        Err(words) => (String::new(), format!("Failed to generate JSON Schema. Error: {words}")),
    };
    Ok(json!({"output": output, "error": error}))
}

/// `json.dumps(value, indent=2, ensure_ascii=False)`.
fn indented(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"  ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // A JSON value always serialises.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&out).into_owned()
}
