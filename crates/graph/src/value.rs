//! Values of workflow variables: JSON plus files, cheap to clone, printed the way Python prints them.

use std::{fmt::Write as _, sync::Arc};

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use types::pyjson::float_repr;

use crate::file::{File, FileUrls, NoUrls};

/// Named values in the order they were set.
pub type Object = IndexMap<String, Value>;

/// One value of the variable pool. Composite values are shared, so that cloning is cheap.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `None`, JSON `null`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer. Integers outside 64 bits become [`Value::Float`].
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A text.
    String(Arc<str>),
    /// A list.
    Array(Arc<Vec<Value>>),
    /// A mapping with text keys.
    Object(Arc<Object>),
    /// A file.
    File(Arc<File>),
}

impl Value {
    /// A text value.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list value.
    #[must_use]
    pub fn array(items: Vec<Self>) -> Self {
        Self::Array(Arc::new(items))
    }

    /// A mapping value.
    #[must_use]
    pub fn object(entries: Object) -> Self {
        Self::Object(Arc::new(entries))
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if this is one (a boolean is not).
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a float: integers and floats, as in Python also booleans.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            #[expect(clippy::cast_precision_loss, reason = "Python's float(int) rounds as well")]
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a mapping.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The file, if this is one.
    #[must_use]
    pub fn as_file(&self) -> Option<&Arc<File>> {
        match self {
            Self::File(file) => Some(file),
            _ => None,
        }
    }

    /// Whether this is [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Python's truth: `None`, `False`, zero, and what is empty are false.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Array(items) => !items.is_empty(),
            Self::Object(entries) => !entries.is_empty(),
            Self::File(_) => true,
        }
    }

    /// Python's `==`: numbers and booleans compare by value, `1 == 1.0 == True`.
    #[must_use]
    pub fn py_eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (
                Self::Bool(_) | Self::Int(_) | Self::Float(_),
                Self::Bool(_) | Self::Int(_) | Self::Float(_),
            ) => self.as_number() == other.as_number(),
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.py_eq(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, value)| b.get(key).is_some_and(|it| value.py_eq(it)))
            }
            _ => self == other,
        }
    }

    /// The value of JSON; objects marked `"dify_model_identity": "__dify__file__"` stay objects.
    #[must_use]
    pub fn from_json(json: serde_json::Value) -> Self {
        Self::read_json(json, false)
    }

    /// The value of JSON in which objects marked as files become files again.
    #[must_use]
    pub fn from_stored(json: serde_json::Value) -> Self {
        Self::read_json(json, true)
    }

    fn read_json(json: serde_json::Value, files: bool) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::string(text),
            Json::Array(items) => {
                Self::array(items.into_iter().map(|item| Self::read_json(item, files)).collect())
            }
            Json::Object(entries) => {
                if files && let Some(file) = File::from_json(&entries) {
                    return Self::File(Arc::new(file));
                }
                Self::object(
                    entries
                        .into_iter()
                        .map(|(key, it)| (key, Self::read_json(it, files)))
                        .collect(),
                )
            }
        }
    }

    /// JSON for the wire and for rows: files become their `to_dict` form with a fresh `url`.
    #[must_use]
    pub fn to_json(&self, urls: &dyn FileUrls) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => Json::from(*number),
            Self::Float(number) => {
                serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number)
            }
            Self::String(text) => Json::String(text.to_string()),
            Self::Array(items) => items.iter().map(|item| item.to_json(urls)).collect(),
            Self::Object(entries) => Json::Object(object_to_json(entries, urls)),
            Self::File(file) => Json::Object(file.to_json(urls)),
        }
    }

    /// Python's `str()`.
    #[must_use]
    pub fn py_str(&self) -> String {
        match self {
            Self::String(text) => text.to_string(),
            other => other.py_repr(),
        }
    }

    /// Python's `repr()`.
    #[must_use]
    pub fn py_repr(&self) -> String {
        let mut out = String::new();
        self.write_repr(&mut out);
        out
    }

    fn write_repr(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("None"),
            Self::Bool(true) => out.push_str("True"),
            Self::Bool(false) => out.push_str("False"),
            Self::Int(number) => {
                // Writing into a `String` cannot fail.
                let _ = write!(out, "{number}");
            }
            Self::Float(number) => out.push_str(&float_str(*number)),
            Self::String(text) => write_str_repr(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    item.write_repr(out);
                }
                out.push(']');
            }
            Self::Object(entries) => write_object_repr(entries, out),
            Self::File(file) => {
                let json = Self::from_json(serde_json::Value::Object(file.stored_json()));
                json.write_repr(out);
            }
        }
    }

    /// Python's `json.dumps(value, ensure_ascii=False)`; with `indent`, `indent=2`.
    #[must_use]
    pub fn py_json(&self, indent: bool) -> String {
        let mut out = String::new();
        self.write_json(indent.then_some(0), &mut out);
        out
    }

    fn write_json(&self, depth: Option<usize>, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Float(number) => out.push_str(&float_repr(*number)),
            Self::String(text) => write_json_string(text, out),
            Self::Array(items) => {
                write_json_items(('[', ']'), items.iter(), depth, out, |item, depth, out| {
                    item.write_json(depth, out);
                });
            }
            Self::Object(entries) => {
                write_json_items(
                    ('{', '}'),
                    entries.iter(),
                    depth,
                    out,
                    |(key, value), depth, out| {
                        write_json_string(key, out);
                        out.push_str(": ");
                        value.write_json(depth, out);
                    },
                );
            }
            Self::File(file) => {
                let json = Self::from_json(serde_json::Value::Object(file.stored_json()));
                json.write_json(depth, out);
            }
        }
    }

    /// The name of the Python type of this value: `str`, `int`, `NoneType` …
    #[must_use]
    pub fn py_type(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::String(_) => "str",
            Self::Array(_) => "list",
            Self::Object(_) => "dict",
            Self::File(_) => "File",
        }
    }
}

/// JSON of named values, see [`Value::to_json`].
#[must_use]
pub fn object_to_json(
    entries: &Object,
    urls: &dyn FileUrls,
) -> serde_json::Map<String, serde_json::Value> {
    entries.iter().map(|(key, value)| (key.clone(), value.to_json(urls))).collect()
}

/// The list of texts as Python's `str(list)` prints it: selectors in error messages.
#[must_use]
pub fn py_list_repr(items: &[String]) -> String {
    Value::array(items.iter().map(|item| Value::string(item.as_str())).collect()).py_repr()
}

/// A float as Python's `str()` prints it.
#[must_use]
pub fn float_str(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
    } else {
        float_repr(number)
    }
}

fn write_object_repr(entries: &Object, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_str_repr(key, out);
        out.push_str(": ");
        value.write_repr(out);
    }
    out.push('}');
}

/// Python quotes with `'` unless the text has `'` and no `"`.
fn write_str_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f || (0x80..0xa1).contains(&(c as u32)) => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            '\u{ad}' => out.push_str("\\xad"),
            c => out.push(c),
        }
    }
    out.push(quote);
}

fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_json_items<T>(
    (open, close): (char, char),
    items: impl ExactSizeIterator<Item = T>,
    depth: Option<usize>,
    out: &mut String,
    mut write: impl FnMut(T, Option<usize>, &mut String),
) {
    out.push(open);
    let empty = items.len() == 0;
    let inner = depth.map(|depth| depth + 1);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        match inner {
            Some(depth) => new_line(depth, out),
            None if index > 0 => out.push(' '),
            None => {}
        }
        write(item, inner, out);
    }
    if let (Some(depth), false) = (depth, empty) {
        new_line(depth, out);
    }
    out.push(close);
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth * 2));
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::array(items)
    }
}

impl From<Object> for Value {
    fn from(entries: Object) -> Self {
        Self::object(entries)
    }
}

impl From<File> for Value {
    fn from(file: File) -> Self {
        Self::File(Arc::new(file))
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        Self::from_json(json)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::array(items.into_iter().collect())
    }
}

/// The stored form: files without `url`, see [`Value::from_stored`].
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(entries) => entries.serialize(serializer),
            Self::File(file) => file.to_json(&NoUrls).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer)
            .map(Self::from_stored)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: serde_json::Value) -> Value {
        Value::from_json(json)
    }

    #[test]
    fn python_repr() {
        let cases = [
            (serde_json::json!(null), "None"),
            (serde_json::json!([true, false]), "[True, False]"),
            (
                serde_json::json!({"a": 1, "b": [1.0, 1e16, 1e-5]}),
                "{'a': 1, 'b': [1.0, 1e+16, 1e-05]}",
            ),
            (
                serde_json::json!(["it's", "\"q\"", "'\"", "a\nb\u{1}"]),
                r#"["it's", '"q"', '\'"', 'a\nb\x01']"#,
            ),
            (serde_json::json!(["é中"]), "['é中']"),
        ];
        for (json, expected) in cases {
            assert_eq!(value(json).py_repr(), expected);
        }
    }

    #[test]
    fn python_json() {
        let json = serde_json::json!({"a": [1, 2.5, "é\n"], "b": {}, "c": []});
        assert_eq!(
            value(json.clone()).py_json(false),
            "{\"a\": [1, 2.5, \"é\\n\"], \"b\": {}, \"c\": []}"
        );
        assert_eq!(
            value(json).py_json(true),
            "{\n  \"a\": [\n    1,\n    2.5,\n    \"é\\n\"\n  ],\n  \"b\": {},\n  \"c\": []\n}"
        );
    }

    #[test]
    fn python_equality_and_truth() {
        assert!(Value::Int(1).py_eq(&Value::Bool(true)));
        assert!(Value::Int(1).py_eq(&Value::Float(1.0)));
        assert!(!Value::Int(1).py_eq(&Value::from("1")));
        assert!(
            value(serde_json::json!([1, {"a": 2}]))
                .py_eq(&value(serde_json::json!([1.0, {"a": 2}])))
        );
        assert!(!Value::Float(0.0).is_truthy());
        assert!(Value::from("0").is_truthy());
    }
}
