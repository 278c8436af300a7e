//! Arguments as the body of a request.

use super::*;

pub(super) fn body(
    bundle: &Bundle,
    arguments: &Object,
    headers: &mut Vec<(String, String)>,
) -> Result<Body, ToolError> {
    let contents = bundle.openapi.pointer("/requestBody/content").and_then(Value::as_object);
    let Some((kind, content)) = contents.and_then(|contents| contents.iter().next()) else {
        return Ok(Body::Empty);
    };
    let empty = Value::Null;
    let schema = content.get("schema").unwrap_or(&empty);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)));
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut fields = Object::new();
    let mut files = Vec::new();
    for (name, property) in properties.into_iter().flatten() {
        let is_binary = |at: &str| property.pointer(at).and_then(Value::as_str) == Some("binary");
        match arguments.get(name) {
            Some(Argument::Array(items)) if is_binary("/items/format") => {
                files.extend(items.iter().map(|file| (name.clone(), file.clone())));
            }
            Some(file) if is_binary("/format") => files.push((name.clone(), file.clone())),
            Some(value) => {
                fields.insert(name.clone(), converted(property, value));
            }
            None if is_required(name) => {
                return Err(ToolError::Invalid(format!(
                    "Missing required parameter {name} in operation {}",
                    bundle.name()
                )));
            }
            None => {
                if let Some(default) = property.get("default") {
                    fields.insert(name.clone(), Argument::from_json(default.clone()));
                }
            }
        }
    }
    let text = |fields: &Object| -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
    };
    if !files.is_empty() || kind == "multipart/form-data" {
        return Ok(Body::Form { fields: text(&fields), files });
    }
    headers.push(("Content-Type".to_owned(), kind.clone()));
    if kind == "application/json" {
        let json = graph::value::object_to_json(&fields, &NoUrls);
        return Ok(Body::Text(pyjson::dumps(&json)?));
    }
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields.iter().map(|(name, value)| (name, value.py_str())))
        .finish();
    Ok(Body::Text(form))
}

/// A value in the type its property has; what does not convert stays as it is.
fn converted(property: &Value, value: &Argument) -> Argument {
    let keep = || value.clone();
    if let Some(kind) = property.get("type").and_then(Value::as_str) {
        return match kind {
            "integer" | "int" => integer(value).unwrap_or_else(keep),
            "number" => number(value).unwrap_or_else(keep),
            "string" => Argument::string(value.py_str()),
            "boolean" => Argument::Bool(value.is_truthy()),
            "object" | "array" => match value {
                Argument::String(text) => {
                    serde_json::from_str(text).map_or_else(|_| keep(), Argument::from_json)
                }
                _ => keep(),
            },
            _ => keep(),
        };
    }
    let choices = property.get("anyOf").and_then(Value::as_array);
    choices.and_then(|choices| any_of(choices, value, 10)).unwrap_or_else(keep)
}

fn any_of(choices: &[Value], value: &Argument, depth: usize) -> Option<Argument> {
    let depth = depth.checked_sub(1)?;
    choices.iter().find_map(|choice| match choice.get("type").and_then(Value::as_str) {
        Some("integer" | "int") => integer(value),
        Some("number") => number(value),
        Some("string") => Some(Argument::string(value.py_str())),
        Some("boolean") => match value.py_str().to_lowercase().as_str() {
            "true" | "1" => Some(Argument::Bool(true)),
            "false" | "0" => Some(Argument::Bool(false)),
            _ => None,
        },
        Some("null") if !value.is_truthy() => Some(Argument::Null),
        Some(_) => None,
        None => any_of(choice.get("anyOf")?.as_array()?, value, depth),
    })
}

fn integer(value: &Argument) -> Option<Argument> {
    match value {
        Argument::String(text) => text.trim().parse().ok().map(Argument::Int),
        #[expect(clippy::cast_possible_truncation, reason = "Python cuts the fraction off too")]
        Argument::Float(number) if number.is_finite() => Some(Argument::Int(*number as i64)),
        Argument::Bool(flag) => Some(Argument::Int(i64::from(*flag))),
        Argument::Int(_) => Some(value.clone()),
        _ => None,
    }
}

fn number(value: &Argument) -> Option<Argument> {
    let text = value.py_str();
    if text.contains('.') {
        return text.trim().parse().ok().map(Argument::Float);
    }
    integer(value)
}
