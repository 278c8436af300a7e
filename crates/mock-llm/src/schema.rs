//! Values that fit a JSON schema.

use regex::Regex;
use serde_json::{Map, Value};

/// The plainest instance of a schema.
pub(crate) fn instance(schema: &Value) -> Value {
    make(schema, schema, "value", 0)
}

fn make(schema: &Value, root: &Value, name: &str, depth: u8) -> Value {
    let Some(object) = schema.as_object().filter(|_| depth < 12) else { return Value::Null };
    let deeper = |schema: &Value, name: &str| make(schema, root, name, depth + 1);
    if let Some(target) = object.get("$ref").and_then(Value::as_str) {
        let found = root.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null);
        return deeper(found, name);
    }
    if let Some(value) = object.get("const") {
        return value.clone();
    }
    if let Some(first) = object.get("enum").and_then(Value::as_array).and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(value) = object.get("default").filter(|value| !value.is_null()) {
        return value.clone();
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = object.get(key).and_then(Value::as_array).and_then(|all| all.first()) {
            return deeper(first, name);
        }
    }
    let kind = match object.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if object.contains_key("properties") => "object",
        _ if object.contains_key("items") => "array",
        _ => "string",
    };
    match kind {
        "object" => properties(schema).map(|(key, sub)| (key.clone(), deeper(sub, key))).collect(),
        "array" => {
            let text = serde_json::json!({"type": "string"});
            let item = deeper(object.get("items").unwrap_or(&text), name);
            let count = object.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 100);
            (0..count).map(|_| item.clone()).collect()
        }
        "integer" | "number" => object.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "boolean" => true.into(),
        "null" => Value::Null,
        _ => match object.get("format").and_then(Value::as_str) {
            Some("email") => "mock@example.com".into(),
            Some("date") => "2024-01-01".into(),
            Some("date-time") => "2024-01-01T00:00:00Z".into(),
            _ => format!("mock_{name}").into(),
        },
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Fills a flat schema from free text: the first number, the choice that the text names, else the text.
pub(crate) fn extract(schema: &Value, text: &str) -> Map<String, Value> {
    let numbers: Vec<Value> = Regex::new(r"-?\d+(?:\.\d+)?")
        .map(|pattern| {
            pattern
                .find_iter(text)
                .filter_map(|hit| serde_json::from_str(hit.as_str()).ok())
                .collect()
        })
        .unwrap_or_default();
    let lower = text.to_lowercase();
    let trimmed = text.trim();
    let mut out = Map::new();
    for (key, sub) in properties(schema) {
        let choices = sub.get("enum").and_then(Value::as_array).filter(|all| !all.is_empty());
        let value = if let Some(choices) = choices {
            let named =
                |one: &&Value| one.as_str().is_some_and(|one| lower.contains(&one.to_lowercase()));
            choices.iter().find(named).or_else(|| choices.first()).cloned().unwrap_or_default()
        } else {
            match sub.get("type").and_then(Value::as_str) {
                Some("number" | "integer") => numbers.first().cloned().unwrap_or_else(|| 0.into()),
                Some("boolean") => {
                    let mut words = lower.split(|c: char| !c.is_alphanumeric());
                    words.any(|word| matches!(word, "true" | "yes" | "on")).into()
                }
                Some("array") => match sub.pointer("/items/type").and_then(Value::as_str) {
                    Some("number" | "integer") => numbers.clone().into(),
                    Some("object") => serde_json::json!([{"value": trimmed}]),
                    _ => {
                        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                        let parts: Vec<&str> = parts.collect();
                        if parts.is_empty() { vec![trimmed].into() } else { parts.into() }
                    }
                },
                Some("object") => serde_json::json!({"value": trimmed}),
                _ => trimmed.into(),
            }
        };
        out.insert(key.clone(), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instances_fit_their_schema() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string"}, "age": {"type": "integer", "minimum": 18},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}}, "kind": {"enum": ["a", "b"]},
            "maybe": {"type": ["null", "boolean"]}}, "$defs": {"tag": {"type": "string", "format": "email"}}});
        assert_eq!(
            instance(&schema),
            json!({"name": "mock_name", "age": 18, "tags": ["mock@example.com"], "kind": "a", "maybe": true})
        );
        assert_eq!(instance(&json!({"$ref": "#"})), Value::Null);
    }

    #[test]
    fn parameters_are_found_in_text() {
        let schema = json!({"properties": {"n": {"type": "number"}, "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["C", "F"]}, "ok": {"type": "boolean"}}});
        assert_eq!(
            Value::Object(extract(&schema, " Yes: 12.5 F ")),
            json!({"n": 12.5, "city": "Yes: 12.5 F", "unit": "F", "ok": true})
        );
    }
}
