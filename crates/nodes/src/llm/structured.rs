//! Answers in the shape of a JSON schema.

use model_runtime::{Content, Feature, ModelSchema, PromptMessage, Role};
use serde_json::{Map, Value};
use types::pyjson;

/// A prompt and the parameters it is sent with.
#[derive(Debug)]
pub struct Prompt<'a> {
    /// The prompt.
    pub messages: &'a mut Vec<PromptMessage>,
    /// The parameters.
    pub parameters: &'a mut Map<String, Value>,
}

/// Asks for an answer of the shape: by parameter where the model knows how, else in words.
pub fn ask_for(prompt: Prompt<'_>, provider: &str, model: &ModelSchema, schema: &Value) {
    let Prompt { messages, parameters } = prompt;
    let options = model
        .parameter_rules
        .iter()
        .find(|rule| rule.name == "response_format")
        .map(|rule| rule.options.as_slice())
        .unwrap_or_default();
    let offers = |wanted: &str| options.iter().any(|option| option == wanted);
    let mut format = |name: &str| {
        parameters.insert("response_format".to_owned(), Value::from(name));
    };
    if model.has(Feature::StructuredOutput) {
        if offers("json_schema") {
            format("json_schema");
        }
        let prepared = prepared(schema, provider, model);
        let text = pyjson::dumps_utf8(&prepared).unwrap_or_default();
        parameters.insert("json_schema".to_owned(), Value::from(text));
        return;
    }
    if offers("JSON") {
        format("JSON");
    } else if offers("json_object") {
        format("json_object");
    }
    instruct(messages, schema);
}

/// The schema as the provider wants it.
fn prepared(schema: &Value, provider: &str, model: &ModelSchema) -> Value {
    let mut schema = schema.clone();
    without_booleans(&mut schema);
    if model.model.contains("gemini") {
        without_additional_properties(&mut schema);
        return schema;
    }
    if provider.contains("ollama") {
        return schema;
    }
    let mut named = Map::new();
    named.insert("schema".to_owned(), schema);
    named.insert("name".to_owned(), Value::from("llm_response"));
    Value::Object(named)
}

fn without_booleans(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if entries.get("type").and_then(Value::as_str) == Some("boolean") {
                entries.insert("type".to_owned(), Value::from("string"));
            }
            entries.values_mut().for_each(without_booleans);
        }
        Value::Array(items) => items.iter_mut().for_each(without_booleans),
        _ => {}
    }
}

fn without_additional_properties(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            entries.remove("additionalProperties");
            entries.values_mut().for_each(without_additional_properties);
        }
        Value::Array(items) => items.iter_mut().for_each(without_additional_properties),
        _ => {}
    }
}

/// Puts the schema into the instructions of a prompt.
fn instruct(messages: &mut Vec<PromptMessage>, schema: &Value) {
    let schema = pyjson::dumps_utf8(schema).unwrap_or_default();
    let mut text = format!(
        "Answer with one JSON object that is valid against the JSON schema below, and with nothing else: no Markdown \
         fences, no explanation before or after it. Fill in every required property; take the values from the \
         conversation and use the type that the schema gives for each of them.\n\n<schema>\n{schema}\n</schema>"
    );
    let system = messages.iter().find(|message| message.role() == Role::System);
    if let Some(Content::Text(own)) = system.and_then(PromptMessage::content) {
        text.push_str("\n\n");
        text.push_str(own);
    }
    messages.retain(|message| message.role() != Role::System);
    messages.insert(0, PromptMessage::system(text));
}

/// An answer that is no object.
#[derive(Debug, thiserror::Error)]
#[error("Failed to parse structured output: Failed to parse structured output: {0}")]
pub struct NotStructured(String);

/// The object of an answer, repaired if it is not quite JSON.
///
/// # Errors
/// [`NotStructured`].
pub fn parse(text: &str) -> Result<Map<String, Value>, NotStructured> {
    let failed = || NotStructured(text.to_owned());
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => return Ok(object),
        Ok(_) => return Err(failed()),
        Err(_) => {}
    }
    match template::json_repair::repair(text) {
        Value::Object(object) => Ok(object),
        // Reasoning before the answer may look like a list of things.
        Value::Array(items) => Ok(items
            .into_iter()
            .find_map(|item| match item {
                Value::Object(object) => Some(object),
                _ => None,
            })
            .unwrap_or_default()),
        _ => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_repaired() {
        for (text, expected) in [
            (r#"{"a": 1}"#, Some(json!({"a": 1}))),
            ("```json\n{'a': 1,}\n```", Some(json!({"a": 1}))),
            ("[1]", None),
            ("no", None),
        ] {
            assert_eq!(parse(text).ok().map(Value::Object), expected, "{text}");
        }
    }

    #[test]
    fn the_schema_goes_before_the_instructions() {
        let mut messages = vec![PromptMessage::user("hi"), PromptMessage::system("Be kind.")];
        instruct(&mut messages, &json!({"type": "object"}));
        let [system, user] = &messages[..] else { panic!("two messages") };
        assert!(system.text().ends_with("<schema>\n{\"type\": \"object\"}\n</schema>\n\nBe kind."));
        assert_eq!(user.text(), "hi");
    }
}
