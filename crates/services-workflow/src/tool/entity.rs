//! A workflow in the form agents and other workflows see tools.

use db::workflow::Workflow;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Configured;
use crate::{WorkflowError, feature, graph_check, view};

/// A text in the console's languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(non_snake_case, reason = "the names on the wire")]
#[expect(missing_docs, reason = "a text for each language")]
pub struct Text {
    pub en_US: String,
    pub zh_Hans: String,
    pub pt_BR: String,
    pub ja_JP: String,
}

impl Text {
    /// The same in every language.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.to_owned();
        Self { en_US: text.clone(), zh_Hans: text.clone(), pt_BR: text.clone(), ja_JP: text }
    }
}

/// One choice of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people see.
    pub label: Text,
    /// No choice of a workflow has one.
    pub icon: Option<String>,
}

/// A parameter of a tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names on the wire; those without values are the reference's")]
pub struct Parameter {
    pub name: String,
    pub label: Text,
    pub placeholder: Text,
    pub scope: Option<String>,
    pub auto_generate: Option<Value>,
    pub template: Option<Value>,
    pub required: bool,
    pub default: Option<Value>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub precision: Option<i64>,
    pub options: Vec<Choice>,
    pub r#type: &'static str,
    pub human_description: Text,
    pub form: String,
    pub llm_description: String,
    pub input_schema: Option<Value>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct Tool {
    pub author: String,
    pub name: String,
    pub label: Text,
    pub description: Text,
    pub parameters: Vec<Parameter>,
    pub labels: Vec<String>,
    pub output_schema: Value,
}

/// What a tool says of itself.
pub(super) struct Shape<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub description: &'a str,
    pub author: &'a str,
    pub labels: &'a [String],
}

/// A version of a workflow as a tool.
///
/// # Errors
/// [`WorkflowError::Invalid`] for parameters that are none of its variables, or of a type tools do not have.
pub(super) fn tool(
    version: &Workflow,
    configured: &[Configured],
    shape: &Shape<'_>,
) -> Result<Tool, WorkflowError> {
    let graph = view::parsed(&version.graph);
    let variables = super::variables(&graph);
    let features = feature::current(view::parsed(&version.features));
    let takes_files = features.pointer("/file_upload/enabled").and_then(Value::as_bool);
    let mut parameters = Vec::with_capacity(configured.len());
    for it in configured {
        parameters.push(match variables.get(&it.name) {
            Some(variable) => of_variable(it, variable)?,
            None if takes_files == Some(true) => parameter(it, &it.name, "system-files"),
            None => return Err(WorkflowError::invalid("variable not found")),
        });
    }
    Ok(Tool {
        author: shape.author.to_owned(),
        name: shape.name.to_owned(),
        label: Text::new(shape.label),
        description: Text::new(shape.description),
        parameters,
        labels: shape.labels.to_vec(),
        output_schema: output_schema(&graph),
    })
}

fn parameter(configured: &Configured, label: &str, kind: &'static str) -> Parameter {
    Parameter {
        name: configured.name.clone(),
        label: Text::new(label),
        placeholder: Text::new(""),
        scope: None,
        auto_generate: None,
        template: None,
        required: false,
        default: None,
        min: None,
        max: None,
        precision: None,
        options: Vec::new(),
        r#type: kind,
        human_description: Text::new(&configured.description),
        form: configured.form.clone(),
        llm_description: configured.description.clone(),
        input_schema: None,
    }
}

fn of_variable(configured: &Configured, variable: &Value) -> Result<Parameter, WorkflowError> {
    let text = |key: &str| variable.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = match text("type") {
        "text-input" | "paragraph" => "string",
        "select" => "select",
        "number" => "number",
        "checkbox" => "boolean",
        "file" => "file",
        "file-list" => "files",
        "json_object" => "object",
        other => {
            return Err(WorkflowError::invalid(format!("unsupported variable type {other}")));
        }
    };
    let options = variable.get("options").and_then(Value::as_array).filter(|_| kind == "select");
    let choice =
        |value: &str| Choice { value: value.to_owned(), label: Text::new(value), icon: None };
    Ok(Parameter {
        required: variable.get("required").and_then(Value::as_bool).unwrap_or(false),
        default: variable.get("default").filter(|it| !it.is_null()).cloned(),
        options: options
            .map(|it| it.iter().filter_map(Value::as_str).map(choice).collect())
            .unwrap_or_default(),
        ..parameter(configured, text("label"), kind)
    })
}

/// What the end nodes answer; a later one decides about a name several have. Three names are the tool's own.
fn output_schema(graph: &Value) -> Value {
    let mut properties: Map<String, Value> = Map::new();
    for node in graph_check::nodes(graph).filter(|node| node.kind == "end") {
        let outputs = node.data.get("outputs").and_then(Value::as_array);
        for output in outputs.map(Vec::as_slice).unwrap_or_default() {
            let Some(name) = output.get("variable").and_then(Value::as_str) else { continue };
            if ["json", "text", "files"].contains(&name) {
                continue;
            }
            let kind = output.get("value_type").and_then(Value::as_str).unwrap_or("any");
            properties.insert(name.to_owned(), json!({"type": kind, "description": ""}));
        }
    }
    json!({"type": "object", "properties": properties})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_end_nodes_become_the_schema() {
        let end = |id: &str, outputs: Value| json!({"id": id, "data": {"type": "end", "outputs": outputs}});
        let graph = json!({"nodes": [
            end("a", json!([{"variable": "x", "value_type": "string"}, {"variable": "text"}])),
            end("b", json!([{"variable": "y"}, {"variable": "x", "value_type": "number"}])),
        ]});
        assert_eq!(
            output_schema(&graph),
            json!({"type": "object", "properties": {
                "x": {"type": "number", "description": ""}, "y": {"type": "any", "description": ""}}})
        );
    }

    #[test]
    fn variables_become_parameters() {
        let configured = Configured {
            name: "v".to_owned(),
            description: "d".to_owned(),
            form: "llm".to_owned(),
        };
        for (kind, expected) in
            [("paragraph", "string"), ("checkbox", "boolean"), ("file-list", "files")]
        {
            let made = of_variable(
                &configured,
                &json!({"variable": "v", "type": kind, "label": "V", "required": true}),
            );
            let made = made.unwrap();
            assert_eq!(
                (made.r#type, made.required, made.label.en_US.as_str()),
                (expected, true, "V")
            );
        }
        let select = json!({"variable": "v", "type": "select", "label": "V", "options": ["a", "b"], "default": "a"});
        let made = of_variable(&configured, &select).unwrap();
        assert_eq!(made.options.len(), 2);
        assert_eq!(made.default, Some(json!("a")));
        assert!(of_variable(&configured, &json!({"type": "external_data_tool"})).is_err());
    }
}
