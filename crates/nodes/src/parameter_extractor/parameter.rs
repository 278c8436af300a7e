//! The parameters a node looks for: their schema, and what passes for a value.

use graph::{Segment, SegmentType, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// Names that outputs of the node itself have.
const RESERVED: [&str; 2] = ["__reason", "__is_success"];

/// A parameter.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    r#type: Kind,
    #[serde(default)]
    options: Option<Vec<String>>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    #[serde(rename = "string", alias = "select")]
    String,
    #[serde(rename = "number")]
    Number,
    #[serde(rename = "boolean", alias = "bool")]
    Boolean,
    #[serde(rename = "array[string]")]
    Strings,
    #[serde(rename = "array[number]")]
    Numbers,
    #[serde(rename = "array[object]")]
    Objects,
    #[serde(rename = "array[boolean]")]
    Booleans,
}

impl Kind {
    fn segment(self) -> SegmentType {
        match self {
            Self::String => SegmentType::String,
            Self::Number => SegmentType::Number,
            Self::Boolean => SegmentType::Boolean,
            Self::Strings => SegmentType::ArrayString,
            Self::Numbers => SegmentType::ArrayNumber,
            Self::Objects => SegmentType::ArrayObject,
            Self::Booleans => SegmentType::ArrayBoolean,
        }
    }
}

impl Parameter {
    /// Fails when the name cannot be used.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("Parameter name is required".to_owned());
        }
        if RESERVED.contains(&self.name.as_str()) {
            return Err("Parameter name is reserved".to_owned());
        }
        Ok(())
    }

    /// As `inputs` show it.
    pub(super) fn shown(&self) -> Json {
        json!({"name": self.name, "type": self.r#type.segment().as_str(), "options": self.options,
            "description": self.description, "required": self.required})
    }

    fn schema(&self) -> Json {
        let kind = self.r#type.segment();
        let mut schema = Map::new();
        schema.insert("description".to_owned(), Json::from(self.description.as_str()));
        match kind.element() {
            Some(element) => {
                schema.insert("type".to_owned(), Json::from("array"));
                schema.insert("items".to_owned(), json!({"type": element.as_str()}));
            }
            None => {
                schema.insert("type".to_owned(), Json::from(kind.as_str()));
            }
        }
        if let Some(options) = self.options.as_ref().filter(|options| !options.is_empty()) {
            schema.insert("enum".to_owned(), json!(options));
        }
        Json::Object(schema)
    }

    /// The value that goes on: what does not fit becomes the empty value of the type.
    pub(super) fn transform(&self, found: Option<&Json>) -> Segment {
        let found = found.map_or(Value::Null, |found| Value::from_json(found.clone()));
        let kind = self.r#type.segment();
        let items = || found.as_array().unwrap_or_default();
        let keep = |fits: fn(&Value) -> bool| -> Value {
            items().iter().filter(|item| fits(item)).cloned().collect()
        };
        match self.r#type {
            Kind::String => Value::from(found.as_str().unwrap_or_default()).into(),
            Kind::Number => number(&found).unwrap_or(Value::Int(0)).into(),
            Kind::Boolean => match &found {
                Value::Bool(value) => Value::Bool(*value).into(),
                Value::Int(number) => Value::Bool(*number != 0).into(),
                _ => Value::Bool(false).into(),
            },
            Kind::Numbers => Segment::new(kind, items().iter().filter_map(number).collect()),
            Kind::Strings => Segment::new(kind, keep(|item| item.as_str().is_some())),
            Kind::Objects => Segment::new(kind, keep(|item| item.as_object().is_some())),
            Kind::Booleans => Segment::new(kind, keep(|item| item.as_bool().is_some())),
        }
    }
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(value) => Some(Value::Int(i64::from(*value))),
        Value::Int(_) | Value::Float(_) => Some(value.clone()),
        Value::String(text) if text.contains('.') => text.trim().parse().ok().map(Value::Float),
        Value::String(text) => text.trim().parse().ok().map(Value::Int),
        _ => None,
    }
}

/// The JSON schema of all parameters.
pub(super) fn structure(parameters: &[Parameter]) -> Json {
    let properties: Map<String, Json> =
        parameters.iter().map(|it| (it.name.clone(), it.schema())).collect();
    let required: Vec<&str> =
        parameters.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// What stands for a text in which nothing was found.
pub(super) fn defaults(parameters: &[Parameter]) -> Map<String, Json> {
    let values = parameters.iter().filter_map(|parameter| {
        let value = match parameter.r#type {
            Kind::Number => json!(0),
            Kind::Boolean => json!(false),
            Kind::String => json!(""),
            _ => return None,
        };
        Some((parameter.name.clone(), value))
    });
    values.collect()
}

/// Fails with the reference's words when values are missing or of another type.
pub(super) fn validate(parameters: &[Parameter], found: &Map<String, Json>) -> Result<(), String> {
    if parameters.len() != found.len() {
        return Err("Invalid number of parameters".to_owned());
    }
    for parameter in parameters {
        let name = &parameter.name;
        let given = found.get(name);
        if parameter.required && given.is_none() {
            return Err(format!("Parameter {name} is required"));
        }
        let value = given.map_or(Value::Null, |given| Value::from_json(given.clone()));
        let kind = parameter.r#type.segment();
        let fits = match parameter.r#type {
            // Booleans are numbers in Python, but not here.
            Kind::Number => matches!(value, Value::Int(_) | Value::Float(_)),
            _ => kind.accepts(&value),
        };
        if !fits {
            let (class, shown) = (value.py_type(), value.py_str());
            let actual = SegmentType::infer(&value);
            return Err(format!(
                "Invalid value for parameter {name}, expected segment type: {kind}, actual_type: {actual}, \
                 python_type: <class '{class}'>, value: {shown}"
            ));
        }
        if let (Kind::String, Some(options)) = (parameter.r#type, &parameter.options)
            && !options.is_empty()
            && !value.as_str().is_some_and(|text| options.iter().any(|option| option == text))
        {
            return Err(format!("Invalid `select` value for parameter {name}"));
        }
    }
    Ok(())
}
