//! Typed values of the variable pool and their text forms.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{file::FileUrls, value::Value};

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SegmentType {
    /// Integer or float: declared, never inferred.
    #[serde(rename = "number")]
    Number,
    /// An integer.
    #[serde(rename = "integer")]
    Integer,
    /// A float.
    #[serde(rename = "float")]
    Float,
    /// A text.
    #[serde(rename = "string")]
    String,
    /// A mapping.
    #[serde(rename = "object")]
    Object,
    /// A text that logs must not show.
    #[serde(rename = "secret")]
    Secret,
    /// A file.
    #[serde(rename = "file")]
    File,
    /// A boolean.
    #[serde(rename = "boolean")]
    Boolean,
    /// A list of anything.
    #[serde(rename = "array[any]")]
    ArrayAny,
    /// A list of texts.
    #[serde(rename = "array[string]")]
    ArrayString,
    /// A list of numbers.
    #[serde(rename = "array[number]")]
    ArrayNumber,
    /// A list of mappings.
    #[serde(rename = "array[object]")]
    ArrayObject,
    /// A list of files.
    #[serde(rename = "array[file]")]
    ArrayFile,
    /// A list of booleans.
    #[serde(rename = "array[boolean]")]
    ArrayBoolean,
    /// Nothing.
    #[serde(rename = "none")]
    None,
    /// Several segments, the parts of a rendered template.
    #[serde(rename = "group")]
    Group,
}

/// The value does not have the declared type; the message is the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TypeMismatch(pub String);

impl SegmentType {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::String => "string",
            Self::Object => "object",
            Self::Secret => "secret",
            Self::File => "file",
            Self::Boolean => "boolean",
            Self::ArrayAny => "array[any]",
            Self::ArrayString => "array[string]",
            Self::ArrayNumber => "array[number]",
            Self::ArrayObject => "array[object]",
            Self::ArrayFile => "array[file]",
            Self::ArrayBoolean => "array[boolean]",
            Self::None => "none",
            Self::Group => "group",
        }
    }

    /// Whether this is a list type.
    #[must_use]
    pub fn is_array(self) -> bool {
        matches!(
            self,
            Self::ArrayAny
                | Self::ArrayString
                | Self::ArrayNumber
                | Self::ArrayObject
                | Self::ArrayFile
                | Self::ArrayBoolean
        )
    }

    /// Whether this is `number`, `integer` or `float`.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Integer | Self::Float)
    }

    /// The type clients see: integers and floats are `number`.
    #[must_use]
    pub fn exposed(self) -> Self {
        if self.is_number() { Self::Number } else { self }
    }

    /// The type of a list's items; `None` for `array[any]` and for what is no list.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        match self {
            Self::ArrayString => Some(Self::String),
            Self::ArrayNumber => Some(Self::Number),
            Self::ArrayObject => Some(Self::Object),
            Self::ArrayFile => Some(Self::File),
            Self::ArrayBoolean => Some(Self::Boolean),
            _ => None,
        }
    }

    /// The type of `value`.
    #[must_use]
    pub fn infer(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(_) => Self::Boolean,
            Value::Int(_) => Self::Integer,
            Value::Float(_) => Self::Float,
            Value::String(_) => Self::String,
            Value::Object(_) => Self::Object,
            Value::File(_) => Self::File,
            Value::Array(items) => Self::infer_array(items),
        }
    }

    fn infer_array(items: &[Value]) -> Self {
        let mut kinds = items.iter().map(Self::infer);
        let Some(first) = kinds.next() else { return Self::ArrayAny };
        let mut same = true;
        let mut numeric = first.is_number();
        for kind in kinds {
            same &= kind == first;
            numeric &= kind.is_number();
        }
        match first {
            _ if numeric => Self::ArrayNumber,
            _ if !same => Self::ArrayAny,
            Self::String => Self::ArrayString,
            Self::Object => Self::ArrayObject,
            Self::File => Self::ArrayFile,
            Self::Boolean => Self::ArrayBoolean,
            _ => Self::ArrayAny,
        }
    }

    /// Whether `value` may stand in a variable of this type. As in Python, a boolean is a number.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::Number | Self::Integer | Self::Float => value.as_number().is_some(),
            Self::String | Self::Secret => value.as_str().is_some(),
            Self::Object => value.as_object().is_some(),
            Self::File => value.as_file().is_some(),
            Self::Boolean => value.as_bool().is_some(),
            Self::None => value.is_null(),
            Self::Group => false,
            _ => value.as_array().is_some_and(|items| {
                self.element().is_none_or(|element| items.iter().all(|item| element.accepts(item)))
            }),
        }
    }

    /// The empty value of a variable of this type; `None` for types that cannot be cleared.
    #[must_use]
    pub fn zero(self) -> Option<Segment> {
        let value = match self {
            Self::ArrayObject
            | Self::ArrayAny
            | Self::ArrayString
            | Self::ArrayNumber
            | Self::ArrayBoolean => return Some(Segment::new(self, Value::array(Vec::new()))),
            Self::Object => Value::object(crate::Object::new()),
            Self::String => Value::from(""),
            Self::Integer | Self::Number => Value::Int(0),
            Self::Float => Value::Float(0.0),
            Self::Boolean => Value::Bool(false),
            _ => return None,
        };
        Some(Segment::from(value))
    }
}

impl fmt::Display for SegmentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SegmentType {
    type Err = TypeMismatch;

    fn from_str(text: &str) -> Result<Self, TypeMismatch> {
        Ok(match text {
            "number" => Self::Number,
            "integer" => Self::Integer,
            "float" => Self::Float,
            "string" => Self::String,
            "object" => Self::Object,
            "secret" => Self::Secret,
            "file" => Self::File,
            "boolean" => Self::Boolean,
            "array[any]" => Self::ArrayAny,
            "array[string]" => Self::ArrayString,
            "array[number]" => Self::ArrayNumber,
            "array[object]" => Self::ArrayObject,
            "array[file]" => Self::ArrayFile,
            "array[boolean]" => Self::ArrayBoolean,
            "none" => Self::None,
            "group" => Self::Group,
            other => return Err(TypeMismatch(format!("'{other}' is not a valid SegmentType"))),
        })
    }
}

/// A value with its declared type. The type of a variable stays when its value is replaced, so
/// `kind` and `value` may disagree; text forms follow `kind` and fall back to Python's `str`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The declared type.
    #[serde(rename = "value_type")]
    pub kind: SegmentType,
    /// The value.
    pub value: Value,
}

impl Segment {
    /// A segment of a declared type; nothing is checked.
    #[must_use]
    pub fn new(kind: SegmentType, value: Value) -> Self {
        Self { kind, value }
    }

    /// A segment of a declared type, checked.
    ///
    /// # Errors
    /// When `value` is not of that type; `number` accepts integers and floats.
    pub fn with_type(kind: SegmentType, value: Value) -> Result<Self, TypeMismatch> {
        if value.is_null() {
            return match kind {
                SegmentType::None => Ok(Self::new(kind, value)),
                _ => Err(TypeMismatch(format!("Type mismatch: expected {kind}, but got None"))),
            };
        }
        if value.as_array().is_some_and(<[Value]>::is_empty) {
            return if kind.is_array() {
                Ok(Self::new(kind, value))
            } else {
                Err(TypeMismatch(format!("Type mismatch: expected {kind}, but got empty list")))
            };
        }
        let inferred = SegmentType::infer(&value);
        if inferred == kind {
            return Ok(Self::new(kind, value));
        }
        if kind == SegmentType::Number && inferred.is_number() {
            return Ok(Self::new(inferred, value));
        }
        Err(TypeMismatch(format!(
            "Type mismatch: expected {kind}, but got {inferred}, value={}",
            value.py_str()
        )))
    }

    /// The text a template shows: `{{#node.variable#}}` in prompts, conditions, requests.
    #[must_use]
    pub fn text(&self) -> String {
        match self.kind {
            SegmentType::None | SegmentType::File | SegmentType::ArrayFile => String::new(),
            SegmentType::Object => self.value.py_json(false),
            kind if kind.is_array() && !self.value.is_truthy() => String::new(),
            SegmentType::ArrayString => self.value.py_json(false),
            _ => self.value.py_str(),
        }
    }

    /// The text an answer shows.
    #[must_use]
    pub fn markdown(&self, urls: &dyn FileUrls) -> String {
        match (self.kind, &self.value) {
            (SegmentType::None, _) => String::new(),
            (SegmentType::Object, value) => value.py_json(true),
            (SegmentType::File, Value::File(file)) => file.markdown(urls),
            (SegmentType::ArrayFile, Value::Array(items)) => {
                let lines = items.iter().map(|item| match item {
                    Value::File(file) => file.markdown(urls),
                    other => other.py_str(),
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            (kind, Value::Array(items)) if kind.is_array() => {
                let lines = items.iter().map(|item| format!("- {}", item.py_str()));
                lines.collect::<Vec<_>>().join("\n")
            }
            (_, value) => value.py_str(),
        }
    }

    /// The text logs may show: secrets are masked.
    #[must_use]
    pub fn log(&self) -> String {
        match self.kind {
            SegmentType::None | SegmentType::File | SegmentType::ArrayFile => String::new(),
            SegmentType::Object => self.value.py_json(true),
            SegmentType::Secret => obfuscated(&self.value.py_str()),
            _ => self.value.py_str(),
        }
    }
}

/// A secret for logs: its first six and last two characters, or nothing of a short one.
#[must_use]
pub fn obfuscated(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    match (chars.get(..6), chars.get(chars.len().saturating_sub(2)..)) {
        (Some(head), Some(tail)) if chars.len() > 8 => {
            head.iter().chain(&['*'; 12]).chain(tail).collect()
        }
        _ if secret.is_empty() => String::new(),
        _ => "*".repeat(20),
    }
}

impl<T: Into<Value>> From<T> for Segment {
    fn from(value: T) -> Self {
        let value = value.into();
        Self { kind: SegmentType::infer(&value), value }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::file::NoUrls;

    #[test]
    fn types_are_inferred() {
        let cases = [
            (json!(null), "none"),
            (json!("a"), "string"),
            (json!(true), "boolean"),
            (json!(1), "integer"),
            (json!(1.0), "float"),
            (json!({}), "object"),
            (json!([]), "array[any]"),
            (json!([[], []]), "array[any]"),
            (json!(["a", "b"]), "array[string]"),
            (json!([1, 2]), "array[number]"),
            (json!([1, 2.5]), "array[number]"),
            (json!([1, "a"]), "array[any]"),
            (json!([true]), "array[boolean]"),
            (json!([true, 1]), "array[any]"),
            (json!([{}]), "array[object]"),
            (json!([null]), "array[any]"),
        ];
        for (value, expected) in cases {
            assert_eq!(Segment::from(value).kind.as_str(), expected);
        }
    }

    #[test]
    fn texts_are_pythons() {
        let cases = [
            (json!(null), "", ""),
            (json!("é"), "é", "é"),
            (json!(true), "True", "True"),
            (json!(1.0), "1.0", "1.0"),
            (json!(1e-5), "1e-05", "1e-05"),
            (json!({"a": "é"}), "{\"a\": \"é\"}", "{\n  \"a\": \"é\"\n}"),
            (json!([]), "", ""),
            (json!(["a", "é"]), "[\"a\", \"é\"]", "- a\n- é"),
            (json!([1, 2]), "[1, 2]", "- 1\n- 2"),
            (json!([{"a": null}]), "[{'a': None}]", "- {'a': None}"),
        ];
        for (value, text, markdown) in cases {
            let segment = Segment::from(value);
            assert_eq!(segment.text(), text);
            assert_eq!(segment.markdown(&NoUrls), markdown);
        }
    }

    #[test]
    fn declared_types_are_checked() {
        let build = |kind: SegmentType, value| Segment::with_type(kind, Value::from_json(value));
        assert!(build(SegmentType::Number, json!(1)).is_ok());
        assert_eq!(
            build(SegmentType::ArrayString, json!([])).map(|it| it.kind),
            Ok(SegmentType::ArrayString)
        );
        let text = |result: Result<Segment, TypeMismatch>| result.map_err(|err| err.0).err();
        assert_eq!(
            text(build(SegmentType::String, json!(null))).as_deref(),
            Some("Type mismatch: expected string, but got None")
        );
        assert_eq!(
            text(build(SegmentType::String, json!([]))).as_deref(),
            Some("Type mismatch: expected string, but got empty list")
        );
        assert_eq!(
            text(build(SegmentType::ArrayString, json!([1]))).as_deref(),
            Some("Type mismatch: expected array[string], but got array[number], value=[1]")
        );
    }

    #[test]
    fn secrets_are_masked_in_logs() {
        assert_eq!(obfuscated("12345678"), "*".repeat(20));
        assert_eq!(obfuscated("sk-abcdefghij"), "sk-abc************ij");
    }
}
