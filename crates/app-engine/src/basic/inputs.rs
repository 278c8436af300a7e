//! Values of the form, checked as the reference checks them.

use serde_json::{Map, Number, Value};

use super::config::{Variable, VariableKind};
use crate::event::RunError;

/// Exactly the declared variables, checked and converted; undeclared inputs are dropped.
///
/// # Errors
/// `invalid_param` naming the first variable that does not fit.
pub fn check(
    variables: &[Variable],
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, RunError> {
    let mut checked = Map::with_capacity(variables.len());
    for variable in variables {
        let value = check_one(variable, given.get(&variable.name).unwrap_or(&Value::Null))?;
        checked.insert(variable.name.clone(), value);
    }
    let with = |is_wrong: fn(&Value) -> bool| {
        let names =
            checked.iter().filter(|(_, value)| is_wrong(value)).map(|(name, _)| name.as_str());
        names.collect::<Vec<_>>()
    };
    for names in [with(Value::is_object), with(has_object)] {
        if !names.is_empty() {
            let names = list_repr(names);
            return Err(RunError::invalid_param(format!("Invalid input type for {names}")));
        }
    }
    Ok(checked)
}

fn has_object(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

fn check_one(variable: &Variable, value: &Value) -> Result<Value, RunError> {
    let name = &variable.name;
    let refuse = |why: String| Err(RunError::invalid_param(format!("{name} {why}")));
    if value.is_null() {
        return if variable.required {
            refuse("is required in input form".to_owned())
        } else {
            Ok(Value::Null)
        };
    }
    match variable.kind {
        VariableKind::TextInput | VariableKind::Paragraph | VariableKind::Select => {
            let Value::String(text) = value else {
                let kind = variable.kind.as_str();
                return Err(RunError::invalid_param(format!(
                    "(type '{kind}') {name} in input form must be a string"
                )));
            };
            if variable.kind == VariableKind::Select && !variable.options.contains(text) {
                let options = list_repr(variable.options.iter().map(String::as_str));
                return refuse(format!("in input form must be one of the following: {options}"));
            }
            match variable.max_length {
                Some(limit)
                    if variable.kind != VariableKind::Select && limit < text.chars().count() =>
                {
                    refuse(format!("in input form must be less than {limit} characters"))
                }
                _ => Ok(Value::String(text.replace('\0', ""))),
            }
        }
        VariableKind::Number => match value {
            Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
            Value::String(text) if text.trim().is_empty() => Ok(Value::Null),
            Value::String(text) => match number(text) {
                Some(number) => Ok(Value::Number(number)),
                None => refuse("in input form must be a valid number".to_owned()),
            },
            _ => refuse("in input form must be a valid number".to_owned()),
        },
        VariableKind::Checkbox => Ok(match value {
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Value::Bool(true),
                "false" | "0" | "no" | "off" => Value::Bool(false),
                _ => Value::String(text.replace('\0', "")),
            },
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Value::Bool(true),
                Some(0.0) => Value::Bool(false),
                _ => value.clone(),
            },
            _ => value.clone(),
        }),
    }
}

/// A number as Python's `int` or `float` reads it: surrounding blanks, underscores between digits and the digits of
/// every script are fine.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let mut plain = String::with_capacity(text.len());
    let mut after_digit = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let digit = digit_value(c);
        match (c, digit) {
            (_, Some(digit)) => plain.push(digit),
            ('_', None)
                if after_digit && chars.peek().is_some_and(|c| digit_value(*c).is_some()) => {}
            ('_', None) => return None,
            (other, None) => plain.push(other),
        }
        after_digit = digit.is_some();
    }
    if text.contains('.') {
        // Rust would also read `inf` and `nan`, which have no full stop.
        return plain.parse::<f64>().ok().and_then(Number::from_f64);
    }
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    let whole = plain.parse::<i64>().map(Number::from);
    whole.ok().or_else(|| plain.parse::<f64>().ok().and_then(Number::from_f64))
}

/// The decimal digit a character is, in the scripts whose digits are people's everyday ones.
fn digit_value(c: char) -> Option<char> {
    const ZEROS: [u32; 14] = [
        0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0BE6, 0x0C66, 0x0CE6,
        0x0D66, 0x0E50, 0xFF10,
    ];
    let code = u32::from(c);
    let value =
        ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10))?;
    char::from_digit(value, 10)
}

/// A list of texts as Python prints it.
fn list_repr<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    model_runtime::pyrepr::repr(&items.into_iter().collect())
}

/// A value as Python's `str` shows it, which is how prompts show values that are not texts.
#[must_use]
pub fn as_text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => types::pyjson::float_repr(float).into(),
            _ => number.to_string().into(),
        },
        Value::Array(_) | Value::Object(_) => model_runtime::pyrepr::repr(value).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variable(kind: VariableKind) -> Variable {
        Variable {
            kind,
            name: "x".into(),
            required: false,
            max_length: Some(6),
            options: vec!["one".into(), "two".into()],
        }
    }

    #[test]
    fn values_are_converted_or_refused_in_the_reference_s_words() {
        use VariableKind::{Checkbox, Number, Select, TextInput};
        for (kind, given, expected) in [
            (TextInput, json!("äöüäöü"), Ok(json!("äöüäöü"))),
            (TextInput, json!("a\0b"), Ok(json!("ab"))),
            (TextInput, json!("1234567"), Err("x in input form must be less than 6 characters")),
            (TextInput, json!(5), Err("(type 'text-input') x in input form must be a string")),
            (Select, json!("one"), Ok(json!("one"))),
            (
                Select,
                json!("six"),
                Err("x in input form must be one of the following: ['one', 'two']"),
            ),
            (Number, json!("12"), Ok(json!(12))),
            (Number, json!("1.5"), Ok(json!(1.5))),
            (Number, json!(" -1_000 "), Ok(json!(-1000))),
            (Number, json!("０"), Ok(json!(0))),
            (Number, json!("  "), Ok(Value::Null)),
            (Number, json!(true), Ok(json!(true))),
            (Number, json!("1e3"), Err("x in input form must be a valid number")),
            (Number, json!([1]), Err("x in input form must be a valid number")),
            (Checkbox, json!("OFF"), Ok(json!(false))),
            (Checkbox, json!(1), Ok(json!(true))),
            (Checkbox, json!(2), Ok(json!(2))),
            (Checkbox, json!("maybe"), Ok(json!("maybe"))),
            (Checkbox, json!({"a": 1}), Err("Invalid input type for ['x']")),
            (Checkbox, json!([{"a": 1}]), Err("Invalid input type for ['x']")),
            (Checkbox, Value::Null, Ok(Value::Null)),
        ] {
            let given_all = json!({"x": given, "undeclared": 1});
            let got = check(&[variable(kind)], given_all.as_object().unwrap());
            match expected {
                Ok(value) => assert_eq!(json!(got.unwrap()), json!({"x": value})),
                Err(message) => assert_eq!(got.unwrap_err().message, message),
            }
        }
        let required = Variable { required: true, ..variable(TextInput) };
        let refused = check(&[required], &Map::new()).unwrap_err();
        assert_eq!(refused.message, "x is required in input form");
    }

    #[test]
    fn values_print_as_python_prints_them() {
        for (value, expected) in [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(2.5), "2.5"),
            (json!(1e20), "1e+20"),
            (json!(7), "7"),
        ] {
            assert_eq!(as_text(&value), expected);
        }
    }
}
