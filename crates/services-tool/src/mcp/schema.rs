//! JSON schemas of MCP tools as parameters of tools.

use plugin::entity::{I18n, ToolParameter};
use serde_json::{Map, Value};

use crate::view::ToolView;

/// How deep unions are followed.
const MAX_DEPTH: usize = 10;

/// A tool of a server.
pub(super) fn view(tool: &Map<String, Value>, author: &str) -> Option<ToolView> {
    let name = tool.get("name")?.as_str()?;
    let description = tool.get("description").and_then(Value::as_str).unwrap_or_default();
    let output = tool.get("outputSchema").filter(|schema| schema.is_object());
    Some(ToolView {
        author: author.to_owned(),
        name: name.to_owned(),
        label: I18n::same(name),
        description: I18n::same(description),
        parameters: parameters(tool.get("inputSchema").unwrap_or(&Value::Null)),
        labels: Vec::new(),
        output_schema: output.cloned().unwrap_or_else(|| Value::Object(Map::new())),
    })
}

/// The properties of an object as parameters.
pub(crate) fn parameters(schema: &Value) -> Vec<ToolParameter> {
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    let properties = schema.get("properties").and_then(Value::as_object).filter(|_| is_object);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)));
    let parameter = |(name, property): (&String, &Value)| {
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let kind = match kind(property, 0).as_str() {
            "integer" | "float" => "number".to_owned(),
            other => other.to_owned(),
        };
        let is_complex = kind == "array" || kind == "object";
        ToolParameter {
            name: name.clone(),
            label: I18n::same(name.as_str()),
            placeholder: None,
            scope: None,
            auto_generate: None,
            template: None,
            required: is_required(name),
            default: None,
            min: None,
            max: None,
            precision: None,
            options: Vec::new(),
            kind,
            human_description: Some(I18n::same(description)),
            form: "llm".to_owned(),
            llm_description: Some(description.to_owned()),
            input_schema: property.as_object().filter(|_| is_complex).cloned(),
        }
    };
    properties.into_iter().flatten().map(parameter).collect()
}

/// The type of a property: the first of a union that is not `null`.
fn kind(property: &Value, depth: usize) -> String {
    let plain = || "string".to_owned();
    if MAX_DEPTH <= depth {
        return plain();
    }
    match property.get("type") {
        Some(Value::String(kind)) if kind == "null" => return plain(),
        Some(Value::String(kind)) => return kind.clone(),
        Some(Value::Array(kinds)) if !kinds.is_empty() => {
            let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
            return kind.map_or_else(plain, str::to_owned);
        }
        _ => {}
    }
    ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|union| property.get(union).and_then(Value::as_array))
        .flatten()
        .find(|choice| choice.is_object())
        .map_or_else(plain, |choice| kind(choice, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn properties_become_parameters() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "integer", "description": "A"}, "b": {"type": ["null", "boolean"]},
            "c": {"anyOf": [{"type": "array", "items": {}}, {"type": "null"}]}, "d": {},
            "e": {"type": "object", "properties": {}},
        }});
        let made = parameters(&schema);
        let shown: Vec<_> = made
            .iter()
            .map(|it| (it.name.as_str(), it.kind.as_str(), it.required, it.input_schema.is_some()))
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "number", true, false),
                ("b", "boolean", false, false),
                ("c", "array", false, true),
                ("d", "string", false, false),
                ("e", "object", false, true),
            ]
        );
        assert!(parameters(&json!({"type": "string"})).is_empty());
    }
}
