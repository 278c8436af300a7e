//! Reading OpenAPI documents: each operation becomes a tool.

use std::collections::HashSet;

use plugin::entity::{I18n, ToolParameter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ToolError;

/// Methods of operations, in the order they are read.
const METHODS: [&str; 8] = ["get", "post", "put", "delete", "patch", "head", "options", "trace"];
/// How deep references may lead to references.
const MAX_REFERENCES: usize = 16;

/// An operation as a tool, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Address of the server and path of the operation.
    pub server_url: String,
    /// In small letters.
    pub method: String,
    /// What it does.
    #[serde(default)]
    pub summary: Option<String>,
    /// The tool's name.
    #[serde(default)]
    pub operation_id: Option<String>,
    /// Its parameters, those of the body among them.
    #[serde(default)]
    pub parameters: Option<Vec<ToolParameter>>,
    /// Nobody.
    #[serde(default)]
    pub author: String,
    /// None.
    #[serde(default)]
    pub icon: Option<String>,
    /// The operation, references at its top resolved.
    pub openapi: Value,
    /// None is known.
    #[serde(default)]
    pub output_schema: Map<String, Value>,
}

impl Bundle {
    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.operation_id.as_deref().unwrap_or("default_tool")
    }
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// Its operations.
    pub bundles: Vec<Bundle>,
    /// What it says of itself.
    pub description: String,
    /// What is odd about it.
    pub warning: Map<String, Value>,
}

/// What is wrong with a document, in the reference's words where it has some.
type Wrong = String;

/// Reads a document in JSON or YAML. `environment` chooses among its servers.
///
/// # Errors
/// [`ToolError::Invalid`] for anything that is no such document.
pub fn parse(content: &str, environment: Option<&str>) -> Result<Parsed, ToolError> {
    read(content, environment)
        .map_err(|wrong| ToolError::Invalid(format!("invalid schema: {wrong}")))
}

fn read(content: &str, environment: Option<&str>) -> Result<Parsed, Wrong> {
    let content = content.trim();
    let document: Value = match serde_json::from_str(content) {
        Ok(Value::Null) | Err(_) => match serde_saphyr::from_str(content) {
            Ok(Value::Null) | Err(_) => {
                return Err("Invalid api schema, schema is neither json nor yaml.".to_owned());
            }
            Ok(document) => document,
        },
        Ok(document) => document,
    };
    let Value::Object(document) = document else {
        return Err("the schema is no object".to_owned());
    };
    let part = |name: &str| document.get(name).ok_or_else(|| format!("'{name}'"));
    let description = part("info")?.get("description").and_then(Value::as_str).unwrap_or_default();
    let server = server(part("servers")?, environment)?;
    let paths = part("paths")?.as_object().ok_or("'paths' is no object")?;
    let mut warning = Map::new();
    let mut bundles = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let reader = Reader { document: &document, path, method };
            bundles.push(reader.bundle(operation, &server, &mut warning)?);
        }
    }
    Ok(Parsed { bundles, description: description.to_owned(), warning })
}

fn server(servers: &Value, environment: Option<&str>) -> Result<String, Wrong> {
    let servers = servers.as_array().map(Vec::as_slice).unwrap_or_default();
    let text =
        |server: &Value, key: &str| server.get(key).and_then(Value::as_str).map(str::to_owned);
    let first = servers.first().ok_or("No server found in the openapi yaml.")?;
    let wanted = environment.filter(|it| !it.is_empty()).and_then(|environment| {
        servers.iter().find(|server| text(server, "env").as_deref() == Some(environment))
    });
    text(wanted.unwrap_or(first), "url").ok_or_else(|| "'url'".to_owned())
}

struct Reader<'a> {
    document: &'a Map<String, Value>,
    path: &'a str,
    method: &'a str,
}

impl Reader<'_> {
    fn bundle(
        &self,
        operation: &Value,
        server: &str,
        warning: &mut Map<String, Value>,
    ) -> Result<Bundle, Wrong> {
        let mut operation = operation.as_object().cloned().ok_or("an operation is no object")?;
        let mut parameters = Vec::new();
        if let Some(Value::Array(declared)) = operation.get_mut("parameters") {
            for one in declared.iter_mut() {
                *one = self.resolved(one)?;
                parameters.push(of_parameter(one)?);
            }
        }
        if let Some(Value::Object(contents)) =
            operation.get_mut("requestBody").and_then(|body| body.get_mut("content"))
        {
            for content in contents.values_mut() {
                let Some(schema) = content.get_mut("schema") else { continue };
                if schema.get("$ref").is_some() {
                    *schema = self.resolved(schema)?;
                    self.merge_all_of(schema)?;
                }
                parameters.extend(of_body(schema));
            }
        }
        let mut seen = HashSet::new();
        for parameter in &parameters {
            if !seen.insert(parameter.name.as_str()) {
                let told = format!("Parameter {} is duplicated.", parameter.name);
                warning.insert("duplicated_parameter".to_owned(), told.into());
            }
        }
        let text = |key: &str| operation.get(key).and_then(Value::as_str).map(str::to_owned);
        let summary = if operation.contains_key("description") {
            text("description")
        } else {
            text("summary")
        };
        let id = text("operationId").unwrap_or_else(|| self.made_up_id());
        operation.entry("operationId").or_insert_with(|| id.clone().into());
        Ok(Bundle {
            server_url: format!("{server}{}", self.path),
            method: self.method.to_owned(),
            summary,
            operation_id: Some(id),
            parameters: Some(parameters),
            author: String::new(),
            icon: None,
            openapi: Value::Object(operation),
            output_schema: Map::new(),
        })
    }

    fn made_up_id(&self) -> String {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '-';
        let path: String = self.path.chars().filter(is_plain).collect();
        let path = if path.is_empty() { "<root>" } else { &path };
        format!("{path}_{}", self.method)
    }

    /// What a reference leads to; anything else is itself.
    fn resolved(&self, value: &Value) -> Result<Value, Wrong> {
        let mut value = value;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok(value.clone());
            };
            value = self.target(reference)?;
        }
        Err("references lead in a circle".to_owned())
    }

    fn target(&self, reference: &str) -> Result<&Value, Wrong> {
        let mut parts = reference.split('/').skip(1);
        let first = parts.next().ok_or_else(|| format!("'{reference}'"))?;
        let mut found = self.document.get(first).ok_or_else(|| format!("'{first}'"))?;
        for part in parts {
            let part = part.replace("~1", "/").replace("~0", "~");
            found = found.get(&part).ok_or_else(|| format!("'{part}'"))?;
        }
        Ok(found)
    }

    /// Puts what the properties of a schema are made of into them.
    fn merge_all_of(&self, schema: &mut Value) -> Result<(), Wrong> {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return Ok(()) };
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            let Some(Value::Array(parts)) = property.remove("allOf") else { continue };
            for part in parts {
                let Value::Object(part) = self.resolved(&part)? else { continue };
                for (key, value) in part {
                    match (property.get_mut(&key), value) {
                        (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                        (Some(_), _) => {}
                        (None, value) => {
                            property.insert(key, value);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn of_parameter(declared: &Value) -> Result<ToolParameter, Wrong> {
    let name = declared.get("name").and_then(Value::as_str).ok_or("'name'")?;
    let description = declared.get("description").and_then(Value::as_str);
    let default = declared.pointer("/schema/default");
    Ok(ToolParameter {
        required: declared.get("required").and_then(Value::as_bool).unwrap_or(false),
        llm_description: description.map(str::to_owned),
        ..parameter(name, description.unwrap_or_default(), default, declared)
    })
}

fn of_body(schema: &Value) -> Vec<ToolParameter> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|it| it.as_str() == Some(name)));
    let properties = schema.get("properties").and_then(Value::as_object);
    let property = |(name, declared): (&String, &Value)| {
        let description = declared.get("description").and_then(Value::as_str).unwrap_or_default();
        ToolParameter {
            required: is_required(name),
            llm_description: Some(description.to_owned()),
            ..parameter(name, description, declared.get("default"), declared)
        }
    };
    properties.into_iter().flatten().map(property).collect()
}

fn parameter(
    name: &str,
    description: &str,
    default: Option<&Value>,
    declared: &Value,
) -> ToolParameter {
    // Lists and objects cannot be written into a form.
    let default = default.filter(|it| !matches!(it, Value::Array(_) | Value::Object(_)));
    ToolParameter {
        name: name.to_owned(),
        label: I18n::same(name),
        placeholder: Some(I18n::same(description)),
        scope: None,
        auto_generate: None,
        template: None,
        required: false,
        default: default.filter(|it| !it.is_null()).cloned(),
        min: None,
        max: None,
        precision: None,
        options: Vec::new(),
        kind: kind(declared).to_owned(),
        human_description: Some(I18n::same(description)),
        form: "llm".to_owned(),
        llm_description: None,
        input_schema: None,
    }
}

/// The type of a tool's parameter; what tools do not have is text.
fn kind(declared: &Value) -> &'static str {
    let text = |path: &str| declared.pointer(path).and_then(Value::as_str);
    if text("/format") == Some("binary") {
        return "file";
    }
    match text("/type").or_else(|| text("/schema/type")) {
        Some("integer" | "number") => "number",
        Some("boolean") => "boolean",
        Some("array") => {
            let format = text("/items/format").or_else(|| text("/schema/items/format"));
            if format == Some("binary") { "files" } else { "array" }
        }
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_become_tools() {
        let document = json!({
            "info": {"description": "about"},
            "servers": [{"url": "http://a"}, {"url": "http://b", "env": "test"}],
            "paths": {"/x/{id}": {
                "get": {"summary": "s", "parameters": [
                    {"$ref": "#/components/parameters/Id"},
                    {"name": "n", "in": "query", "schema": {"type": "integer", "default": 2}},
                ]},
                "post": {"operationId": "make", "description": "d", "requestBody": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/New"}}}}},
            }},
            "components": {
                "parameters": {"Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}},
                "schemas": {
                    "New": {"required": ["name"], "properties": {
                        "name": {"type": "string", "description": "N"},
                        "tags": {"allOf": [{"$ref": "#/components/schemas/Tags"}], "default": []},
                        "doc": {"type": "string", "format": "binary"}}},
                    "Tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        });
        let parsed = parse(&document.to_string(), Some("test")).unwrap();
        assert_eq!(parsed.description, "about");
        let shown: Vec<_> = parsed
            .bundles
            .iter()
            .map(|bundle| {
                let parameters = bundle.parameters.iter().flatten();
                let parameters: Vec<_> = parameters
                    .map(|it| (it.name.as_str(), it.kind.as_str(), it.required))
                    .collect();
                (bundle.name(), bundle.server_url.as_str(), parameters)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "xid_get",
                    "http://b/x/{id}",
                    vec![("id", "string", true), ("n", "number", false)]
                ),
                (
                    "make",
                    "http://b/x/{id}",
                    vec![
                        ("name", "string", true),
                        ("tags", "array", false),
                        ("doc", "file", false)
                    ]
                ),
            ]
        );
        let first = &parsed.bundles[0].parameters.as_ref().unwrap()[1];
        assert_eq!(first.default, Some(json!(2)));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let wrong = |text: &str| parse(text, None).unwrap_err().to_string();
        assert_eq!(
            wrong(r#"{"info": {}, "servers": [], "paths": {}}"#),
            "invalid schema: No server found in the openapi yaml."
        );
        assert_eq!(wrong(r#"{"info": {}, "paths": {}}"#), "invalid schema: 'servers'");
        for text in ["", "[1]", "just words"] {
            assert!(wrong(text).starts_with("invalid schema: "), "{text}");
        }
    }

    #[test]
    fn references_in_a_circle_end() {
        let document = json!({
            "info": {}, "servers": [{"url": "u"}],
            "paths": {"/": {"get": {"parameters": [{"$ref": "#/a"}]}}},
            "a": {"$ref": "#/b"}, "b": {"$ref": "#/a"},
        });
        let wrong = parse(&document.to_string(), None).unwrap_err().to_string();
        assert_eq!(wrong, "invalid schema: references lead in a circle");
    }
}
