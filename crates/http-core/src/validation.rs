//! Reading a request into its type so that **every** field that does not fit is named, in the layout the reference's
//! clients know: `N validation errors for Model`, then per field its path and, indented, what is wrong with it.
//!
//! Serde stops at the first fault. On the failure path alone the faulty field is replaced by values of other kinds
//! until reading gets past it, which finds the remaining faults.

use std::fmt::Write as _;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::{Map, Value, json};

use crate::ApiError;

pub mod lax;
mod probe;

use probe::{at, probes, put, variants};

/// No request has more faults than anybody wants to read.
const MAX_FAULTS: usize = 50;

struct Fault {
    path: String,
    message: String,
}

/// Reads a JSON value and checks it with `garde`. `null` counts as an empty object.
///
/// # Errors
/// 400 `invalid_param` naming every field that does not fit.
pub fn read<T>(value: Value) -> Result<T, ApiError>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    let value = if value.is_null() { json!({}) } else { value };
    match serde_json::from_value::<T>(value.clone()) {
        Ok(read) => match read.validate() {
            Ok(()) => Ok(read),
            Err(report) => Err(answer::<T>(report_faults(&report, &value, &[]))),
        },
        Err(_) => Err(answer::<T>(json_faults::<T>(value))),
    }
}

/// Reads a query string and checks it with `garde`.
///
/// # Errors
/// 400 `invalid_param` naming every parameter that does not fit.
pub fn query<T>(text: &str) -> Result<T, ApiError>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    match serde_html_form::from_str::<T>(text) {
        Ok(read) => match read.validate() {
            Ok(()) => Ok(read),
            Err(report) => Err(answer::<T>(report_faults(&report, &Value::Null, &[]))),
        },
        Err(_) => Err(answer::<T>(query_faults::<T>(text))),
    }
}

fn json_faults<T>(mut value: Value) -> Vec<Fault>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    if !value.is_object() {
        let kind = python_type(&value);
        return vec![Fault {
            path: String::new(),
            message: format!("Input should be a valid dictionary [input_type={kind}]"),
        }];
    }
    let original = value.clone();
    let mut faults: Vec<Fault> = Vec::new();
    while faults.len() < MAX_FAULTS {
        let err = match serde_path_to_error::deserialize::<_, T>(&value) {
            Ok(read) => {
                if let Err(report) = read.validate() {
                    let more = report_faults(&report, &original, &faults);
                    faults.extend(more);
                }
                break;
            }
            Err(err) => err,
        };
        let path = fault_path(&err.path().to_string(), &err.inner().to_string());
        faults.push(fault(&path, &err.inner().to_string(), at(&original, &path)));
        if !probes()
            .into_iter()
            .chain(variants(&err.inner().to_string()))
            .any(|probe| put(&mut value, &path, probe) && gets_past::<T>(&value, &path))
        {
            break;
        }
    }
    faults
}

fn gets_past<T: DeserializeOwned>(value: &Value, path: &str) -> bool {
    match serde_path_to_error::deserialize::<_, T>(value) {
        Ok(_) => true,
        Err(err) => {
            let next = fault_path(&err.path().to_string(), &err.inner().to_string());
            next != path && !next.starts_with(&format!("{path}."))
        }
    }
}

fn query_faults<T>(text: &str) -> Vec<Fault>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    let mut pairs: Vec<(String, String)> = serde_html_form::from_str(text).unwrap_or_default();
    let mut faults: Vec<Fault> = Vec::new();
    while faults.len() < MAX_FAULTS {
        let encoded = serde_html_form::to_string(&pairs).unwrap_or_default();
        let err = match read_query::<T>(&encoded) {
            Ok(read) => {
                if let Err(report) = read.validate() {
                    let more = report_faults(&report, &Value::Null, &faults);
                    faults.extend(more);
                }
                break;
            }
            Err(err) => err,
        };
        let (path, message) = err;
        let given = pairs.iter().find(|(key, _)| *key == path).map(|(_, value)| json!(value));
        faults.push(fault(&path, &message, given.as_ref()));
        let mut probes: Vec<String> =
            ["1", "true", "", "00000000-0000-4000-8000-000000000000", "2000-01-01"]
                .map(str::to_owned)
                .into();
        probes.extend(variants(&message).filter_map(|v| v.as_str().map(str::to_owned)));
        let passed = probes.into_iter().any(|probe| {
            pairs.retain(|(key, _)| *key != path);
            pairs.push((path.clone(), probe));
            let encoded = serde_html_form::to_string(&pairs).unwrap_or_default();
            read_query::<T>(&encoded).err().is_none_or(|(next, _)| next != path)
        });
        if !passed {
            break;
        }
    }
    faults
}

fn read_query<T: DeserializeOwned>(text: &str) -> Result<T, (String, String)> {
    let read = serde_html_form::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize::<_, T>(read).map_err(|err| {
        let message = err.inner().to_string();
        (fault_path(&err.path().to_string(), &message), message)
    })
}

/// `data[0].name` → `data.0.name`; for a missing field, its own path.
fn fault_path(path: &str, message: &str) -> String {
    let mut path =
        if path == "." { String::new() } else { path.replace('[', ".").replace(']', "") };
    if let Some(field) =
        message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next())
    {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field);
    }
    path.trim_start_matches('.').to_owned()
}

fn fault(path: &str, message: &str, given: Option<&Value>) -> Fault {
    let kind = given.map_or("NoneType", python_type);
    let message = if message.starts_with("missing field") {
        "Field required [type=missing]".to_owned()
    } else if message.contains("expected a string") {
        format!("Input should be a valid string [type=string_type, input_type={kind}]")
    } else if message.contains("expected a boolean") || message.contains("not `true` or `false`") {
        format!("Input should be a valid boolean [type=bool_type, input_type={kind}]")
    } else if ["expected i", "expected u", "invalid digit"]
        .iter()
        .any(|word| message.contains(word))
    {
        format!("Input should be a valid integer [type=int_type, input_type={kind}]")
    } else if message.contains("expected f") || message.contains("invalid float") {
        format!("Input should be a valid number [type=float_type, input_type={kind}]")
    } else if message.contains("expected a sequence") {
        format!("Input should be a valid list [type=list_type, input_type={kind}]")
    } else if message.contains("expected a map") {
        format!("Input should be a valid dictionary [type=dict_type, input_type={kind}]")
    } else if let Some(options) =
        message.split("expected ").nth(1).filter(|_| message.starts_with("unknown variant"))
    {
        let options = options.trim_start_matches("one of ").replace('`', "'");
        format!("Input should be {options} [type=enum]")
    } else {
        message.to_owned()
    };
    Fault { path: path.to_owned(), message }
}

fn report_faults(report: &garde::Report, given: &Value, known: &[Fault]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, error) in report.iter() {
        let path = path.to_string().replace('[', ".").replace(']', "");
        let seen =
            |fault: &Fault| fault.path == path || path.starts_with(&format!("{}.", fault.path));
        if known.iter().any(seen) || faults.iter().any(seen) {
            continue;
        }
        let kind = at(given, &path).map_or("str", python_type);
        faults.push(Fault {
            message: format!("{} [type=value_error, input_type={kind}]", error.message()),
            path,
        });
    }
    faults
}

fn answer<T: DeserializeOwned>(mut faults: Vec<Fault>) -> ApiError {
    let order = field_order::<T>();
    let place = |fault: &Fault| {
        let field = fault.path.split('.').next().unwrap_or_default();
        order.iter().position(|name| *name == field).unwrap_or(usize::MAX)
    };
    faults.sort_by_key(place);
    let model = std::any::type_name::<T>().rsplit("::").next().unwrap_or("Payload");
    let model = model.trim_end_matches('>');
    let count = faults.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = format!("{count} validation error{plural} for {model}");
    for fault in &faults {
        if !fault.path.is_empty() {
            let _ = write!(text, "\n{}", fault.path);
        }
        let _ = write!(text, "\n  {}", fault.message);
    }
    ApiError::invalid_param(text)
}

fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// The fields of `T` in the order of its declaration, which is the order in which the reference names faults.
fn field_order<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Asker<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Asker<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("asked"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(de::Error::custom("asked"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Asker(&mut fields));
    fields
}

/// An object of a request that is passed on as it came.
pub type JsonObject = Map<String, Value>;

#[cfg(test)]
mod tests {
    use garde::Validate;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    #[expect(dead_code, reason = "only whether it reads is asked")]
    struct Login {
        email: String,
        #[garde(length(min = 3))]
        password: String,
        #[serde(default)]
        remember_me: bool,
        nested: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    struct Inner {
        #[serde(rename = "count")]
        _count: i64,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[garde(allow_unvalidated)]
    struct Paging {
        #[garde(range(min = 1))]
        page: i64,
        #[serde(default)]
        _limit: i64,
        _kind: String,
    }

    fn faults(value: Value) -> Vec<String> {
        let err = read::<Login>(value).unwrap_err();
        err.message()
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("  "))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_fault_is_named_in_the_order_of_the_fields() {
        for (value, expected) in [
            (json!({}), vec!["email", "password"]),
            (json!({"remember_me": "x", "password": 5}), vec!["email", "password", "remember_me"]),
            (json!({"email": "a", "password": "ab"}), vec!["password"]),
            (json!({"password": "ab"}), vec!["email", "password"]),
            (
                json!({"email": "a", "password": "abc", "nested": [{"count": 1}, {}]}),
                vec!["nested.1.count"],
            ),
            (json!([]), vec![]),
        ] {
            assert_eq!(faults(value), expected);
        }
    }

    #[test]
    fn query_faults_are_named_too() {
        let err = query::<Paging>("page=x&_limit=y").unwrap_err();
        let named: Vec<_> =
            err.message().lines().skip(1).filter(|line| !line.starts_with("  ")).collect();
        assert_eq!(named, ["page", "_limit", "_kind"]);
        let err = query::<Paging>("page=0&_kind=a").unwrap_err();
        assert!(
            err.message().starts_with("1 validation error for Paging\npage\n  "),
            "{}",
            err.message()
        );
        assert!(query::<Paging>("page=2&_kind=a%20b").is_ok_and(|paging| paging.page == 2));
    }
}
