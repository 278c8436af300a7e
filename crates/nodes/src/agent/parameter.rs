//! Values of a strategy's parameters: variables, templates, and the tools among them.

use graph::{NodeError, Object, Value, VariablePool, pool::Selector};
use serde_json::Value as Json;

use crate::common::{Input, InputKind};

/// The value of a parameter; for logs with secrets masked.
pub(super) fn resolve(
    pool: &VariablePool,
    input: &Input,
    is_for_log: bool,
) -> Result<Value, NodeError> {
    let render = |text: &str| {
        Value::from(if is_for_log { pool.render_log(text) } else { pool.render(text) })
    };
    Ok(match (input.r#type, &input.value) {
        (InputKind::Variable, _) => {
            let found = pool.get(&input.selector());
            found.ok_or_else(|| missing(&Value::from_json(input.value.clone())))?.value
        }
        (_, Json::String(text)) => render(text),
        (_, value) => rendered(value, &render),
    })
}

fn missing(selector: &Value) -> NodeError {
    NodeError::uncaught(format!("Variable '{}' does not exist", selector.py_str()))
}

/// A value with the templates in its texts rendered. Each text is rendered by itself, so that quotes in a variable
/// break nothing.
fn rendered(value: &Json, render: &impl Fn(&str) -> Value) -> Value {
    match value {
        Json::String(text) if text.contains("{{#") => render(text),
        Json::Array(items) => items.iter().map(|item| rendered(item, render)).collect(),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(name, it)| (name.clone(), rendered(it, render)));
            Value::object(entries.collect())
        }
        other => Value::from_json(other.clone()),
    }
}

/// The tools that are switched on, their parameters and settings resolved: a parameter that is null is for the model to
/// give.
pub(super) fn tools(
    pool: &VariablePool,
    value: &Value,
    takes_mcp: bool,
) -> Result<Vec<Object>, NodeError> {
    let wrong = || NodeError::uncaught("The tools of an agent must be a list of tools.");
    let items = match value {
        Value::Null => &[],
        other => other.as_array().ok_or_else(wrong)?,
    };
    let mut tools = Vec::with_capacity(items.len());
    for item in items {
        let mut tool = item.as_object().cloned().ok_or_else(wrong)?;
        let is_mcp = tool.get("type").and_then(Value::as_str) == Some("mcp");
        let is_on = tool.get("enabled").is_some_and(Value::is_truthy);
        if !is_on || (is_mcp && !takes_mcp) {
            continue;
        }
        tool.shift_remove("schemas");
        let entries = |tool: &Object, name: &str| {
            tool.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let mut parameters = entries(&tool, "parameters");
        if parameters.values().all(|it| it.as_object().is_some()) {
            for value in parameters.values_mut() {
                *value = argument(pool, value.as_object())?;
            }
        }
        let mut settings = entries(&tool, "settings");
        for setting in settings.values_mut() {
            let value = setting.as_object().and_then(|it| it.get("value"));
            *setting = value.cloned().unwrap_or(Value::Null);
        }
        tool.insert("settings".to_owned(), Value::object(settings));
        tool.insert("parameters".to_owned(), Value::object(parameters));
        tools.push(tool);
    }
    Ok(tools)
}

/// The value somebody fixed for a parameter of a tool; null for what the model gives.
fn argument(pool: &VariablePool, parameter: Option<&Object>) -> Result<Value, NodeError> {
    let get = |name: &str| parameter.and_then(|it| it.get(name));
    let is_for_model =
        get("auto").is_none_or(|auto| *auto != Value::Int(0) && *auto != Value::Bool(false));
    let Some(given) = get("value").filter(|given| !is_for_model && !given.is_null()) else {
        let is_empty = !is_for_model && get("value").is_none();
        return Ok(if is_empty { Value::from("") } else { Value::Null });
    };
    let Some(given) = given.as_object() else { return Ok(given.clone()) };
    let value = given.get("value");
    if given.get("type").and_then(Value::as_str) != Some("variable") {
        return Ok(value.cloned().unwrap_or_else(|| Value::from("")));
    }
    let value = value.filter(|it| it.is_truthy()).ok_or_else(|| {
        NodeError::uncaught("Variable selector is missing for a variable-type parameter.")
    })?;
    let parts = value.as_array().unwrap_or_default().iter();
    let selector: Selector = parts.filter_map(|it| it.as_str().map(str::to_owned)).collect();
    Ok(pool.get(&selector).ok_or_else(|| missing(value))?.value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pool() -> VariablePool {
        let mut pool = VariablePool::default();
        pool.set("s", "q", "say \"hi\"");
        pool.set("s", "n", Value::Int(3));
        pool.set(
            "env",
            "key",
            graph::Segment::new(graph::SegmentType::Secret, Value::from("secret-value")),
        );
        pool
    }

    fn resolved(kind: &str, value: Json, is_for_log: bool) -> Result<Json, String> {
        let input: Input = serde_json::from_value(json!({"type": kind, "value": value})).unwrap();
        let value = resolve(&pool(), &input, is_for_log).map_err(|err| err.message)?;
        Ok(value.to_json(&graph::NoUrls))
    }

    #[test]
    fn values_are_variables_or_templates() {
        assert_eq!(resolved("variable", json!(["s", "n"]), false), Ok(json!(3)));
        let missing = Err("Variable '['s', 'x']' does not exist".to_owned());
        assert_eq!(resolved("variable", json!(["s", "x"]), false), missing);
        assert_eq!(resolved("mixed", json!("{{#s.n#}}!"), false), Ok(json!("3!")));
        // Quotes in a variable stay inside the text they are put into.
        let nested = json!({"a": ["{{#s.q#}}", 1, null]});
        assert_eq!(resolved("constant", nested, false), Ok(json!({"a": ["say \"hi\"", 1, null]})));
        assert_eq!(resolved("mixed", json!("{{#env.key#}}"), false), Ok(json!("secret-value")));
        assert_eq!(
            resolved("mixed", json!("{{#env.key#}}"), true),
            Ok(json!("secret************ue"))
        );
    }

    #[test]
    fn tools_are_those_switched_on_with_what_is_fixed() {
        let listed = json!([
            {"enabled": true, "tool_name": "a", "schemas": [1], "settings": {"style": {"value": {"type": "constant", "value": 1}}},
             "parameters": {"free": {"auto": 1, "value": null}, "fixed": {"auto": 0, "value": {"type": "mixed", "value": "x"}},
                            "bound": {"auto": 0, "value": {"type": "variable", "value": ["s", "n"]}}, "empty": {"auto": 0}}},
            {"enabled": false, "tool_name": "b"},
            {"enabled": true, "type": "mcp", "tool_name": "c"},
        ]);
        let listed = Value::from_json(listed);
        let found = tools(&pool(), &listed, false).unwrap();
        let found: Vec<Json> =
            found.into_iter().map(|it| Value::object(it).to_json(&graph::NoUrls)).collect();
        assert_eq!(
            found,
            [
                json!({"enabled": true, "tool_name": "a", "settings": {"style": {"type": "constant", "value": 1}},
                    "parameters": {"free": null, "fixed": "x", "bound": 3, "empty": ""}})
            ]
        );
        assert_eq!(tools(&pool(), &listed, true).unwrap().len(), 2);
        assert!(tools(&pool(), &Value::from("a tool"), true).is_err());
    }
}
