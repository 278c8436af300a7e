//! Values of the start form, checked as the reference checks them.

use boxed::boxed;
use graph::{Value as Graph, value::Object, value::py_list_repr};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{RunFailure, files::Resolver};

/// A variable of the start node's form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// Its name.
    pub variable: String,
    /// `text-input`, `paragraph`, `select`, `number`, `checkbox`, `file`, `file-list`, `json_object`.
    pub r#type: String,
    /// Whether a value must be given.
    pub required: bool,
    /// The value when none is given.
    pub default: Option<Value>,
    /// Longest text, or most files.
    pub max_length: Option<i64>,
    /// Choices of a select.
    pub options: Vec<String>,
    /// Kinds of files.
    pub allowed_file_types: Option<Vec<String>>,
    /// With their dots.
    pub allowed_file_extensions: Option<Vec<String>>,
    /// `local_file`, `remote_url`.
    pub allowed_file_upload_methods: Option<Vec<String>>,
}

/// The variables of a graph's start node. Graphs that begin with a trigger have no form.
#[must_use]
pub fn declared(graph: &Value) -> Vec<Declared> {
    let nodes = graph.get("nodes").and_then(Value::as_array).into_iter().flatten();
    nodes
        .filter_map(|node| node.get("data"))
        .find(|data| data.get("type").and_then(Value::as_str) == Some("start"))
        .and_then(|data| data.get("variables")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|variable| Declared::deserialize(variable).ok())
        .collect()
}

/// Exactly the declared variables, checked and converted; what is not declared is dropped.
///
/// # Errors
/// [`RunFailure::Invalid`] naming the first variable that does not fit.
#[boxed]
pub async fn check(
    variables: &[Declared],
    given: &Map<String, Value>,
    files: &Resolver<'_>,
) -> Result<Object, RunFailure> {
    let mut checked = Object::new();
    let mut wrong = Vec::new();
    for variable in variables {
        let value = check_one(variable, given.get(&variable.variable), files).await?;
        let is_odd = match &value {
            Graph::Object(_) => variable.r#type != "json_object",
            Graph::Array(items) => {
                variable.r#type != "file-list"
                    && items.iter().any(|item| item.as_object().is_some())
            }
            _ => false,
        };
        if is_odd {
            wrong.push(variable.variable.clone());
        }
        checked.insert(variable.variable.clone(), value);
    }
    if wrong.is_empty() {
        Ok(checked)
    } else {
        Err(RunFailure::Invalid(format!("Invalid input type for {}", py_list_repr(&wrong))))
    }
}

/// The values as they came.
#[must_use]
pub fn unchecked(given: &Map<String, Value>) -> Object {
    given.iter().map(|(name, value)| (name.clone(), Graph::from_stored(value.clone()))).collect()
}

async fn check_one(
    variable: &Declared,
    given: Option<&Value>,
    files: &Resolver<'_>,
) -> Result<Graph, RunFailure> {
    let name = &variable.variable;
    let refuse = |why: String| RunFailure::Invalid(format!("{name} {why}"));
    let given = given.filter(|value| !value.is_null());
    let Some(given) = given else {
        if variable.required {
            return Err(refuse("is required in input form".to_owned()));
        }
        let default = variable.default.clone().filter(|value| !value.is_null());
        return match default {
            Some(default) => convert(variable, &default, files).await,
            None => Ok(Graph::Null),
        };
    };
    convert(variable, given, files).await
}

async fn convert(
    variable: &Declared,
    given: &Value,
    files: &Resolver<'_>,
) -> Result<Graph, RunFailure> {
    let name = &variable.variable;
    let kind = variable.r#type.as_str();
    let refuse = |why: String| Err(RunFailure::Invalid(format!("{name} {why}")));
    match kind {
        "text-input" | "paragraph" | "select" | "external_data_tool" => {
            let Value::String(text) = given else {
                return Err(RunFailure::Invalid(format!(
                    "(type '{kind}') {name} in input form must be a string"
                )));
            };
            if kind == "select" && !variable.options.contains(text) {
                let options = py_list_repr(&variable.options);
                return refuse(format!("in input form must be one of the following: {options}"));
            }
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            match variable.max_length {
                Some(limit) if kind != "select" && 0 < limit && limit < length => {
                    refuse(format!("in input form must be less than {limit} characters"))
                }
                _ => Ok(Graph::from(text.replace('\0', "").as_str())),
            }
        }
        "number" => match given {
            Value::Number(_) | Value::Bool(_) => Ok(Graph::from_json(given.clone())),
            Value::String(text) if text.trim().is_empty() => Ok(Graph::Null),
            Value::String(text) => match number(text.trim()) {
                Some(number) => Ok(number),
                None => refuse("in input form must be a valid number".to_owned()),
            },
            _ => refuse("in input form must be a valid number".to_owned()),
        },
        "checkbox" => Ok(match given {
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Graph::Bool(true),
                "false" | "0" | "no" | "off" => Graph::Bool(false),
                _ => Graph::from(text.replace('\0', "").as_str()),
            },
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Graph::Bool(true),
                Some(0.0) => Graph::Bool(false),
                _ => Graph::from_json(given.clone()),
            },
            _ => Graph::from_json(given.clone()),
        }),
        "file" => match given {
            Value::String(text) if text.is_empty() && !variable.required => Ok(Graph::Null),
            Value::Object(mapping) => Ok(Graph::from(files.one(mapping, variable).await?)),
            _ => refuse("in input form must be a file".to_owned()),
        },
        "file-list" => match given {
            Value::String(text) if text.is_empty() && !variable.required => Ok(Graph::Null),
            Value::Array(items) if items.iter().all(Value::is_object) => {
                if let Some(limit) = variable.max_length
                    && limit < i64::try_from(items.len()).unwrap_or(i64::MAX)
                {
                    return refuse(format!("in input form must be less than {limit} files"));
                }
                let mut list = Vec::with_capacity(items.len());
                for mapping in items.iter().filter_map(Value::as_object) {
                    list.push(Graph::from(files.one(mapping, variable).await?));
                }
                Ok(Graph::array(list))
            }
            _ => refuse("in input form must be a list of files".to_owned()),
        },
        "json_object" => match given {
            Value::Object(_) => Ok(Graph::from_json(given.clone())),
            Value::String(text) if text.is_empty() => Ok(Graph::Null),
            _ => refuse("in input form must be a dict".to_owned()),
        },
        _ => Ok(Graph::from_json(given.clone())),
    }
}

fn number(text: &str) -> Option<Graph> {
    if text.contains('.') {
        return text.parse().ok().map(Graph::Float);
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok().map(Graph::Int)
}
