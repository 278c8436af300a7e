//! Jinja templates, rendered as Jinja2 renders them for Python's values.

use std::{fmt::Write as _, sync::LazyLock};

use minijinja::{
    Environment, Error, ErrorKind, Output, State,
    value::{Kwargs, Rest, Serde, Value, ValueKind},
};

mod extra;

/// Instructions a template may take: enough for a loop over some hundred thousand items.
const FUEL: u64 = 5_000_000;

/// A template that cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JinjaError(String);

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(format);
    environment.add_filter("string", |value: Value| python_str(&value));
    environment.add_filter("join", join);
    environment.add_filter("tojson", to_json);
    extra::add(&mut environment);
    environment
});

/// Renders `template` with the entries of `values` as variables. Names that are not there render
/// as nothing.
///
/// # Errors
/// [`JinjaError`] with the reason and line when the template is wrong, fails, or takes too long.
pub fn render<T: serde::Serialize>(template: &str, values: &T) -> Result<String, JinjaError> {
    let rendered = ENVIRONMENT.render_str(template, Value::from(Serde(values)));
    rendered.map_err(|err| JinjaError(describe(&err)))
}

fn describe(err: &Error) -> String {
    let mut text = match err.detail() {
        Some(detail) => detail.to_owned(),
        None => err.kind().to_string(),
    };
    if err.kind() == ErrorKind::OutOfFuel {
        "the template takes too long".clone_into(&mut text);
    }
    if let Some(line) = err.line() {
        // Writing into a `String` cannot fail.
        let _ = write!(text, " (line {line})");
    }
    text
}

fn format(out: &mut Output, _state: &mut State, value: &Value) -> Result<(), Error> {
    let written = match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::String => out.write_str(value.as_str().unwrap_or_default()),
        _ => out.write_str(&python_str(value)),
    };
    written.map_err(|_| Error::new(ErrorKind::WriteFailure, "could not write"))
}

/// `value|join(separator, attribute)`.
#[expect(clippy::needless_pass_by_value, reason = "how filters take their arguments")]
fn join(value: &Value, arguments: Rest<Value>) -> Result<String, Error> {
    let separator = arguments.first().map(python_str).unwrap_or_default();
    let attribute = arguments.get(1);
    let mut out = String::new();
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(&separator);
        }
        let item = match attribute {
            Some(attribute) => item.get_item(attribute)?,
            None => item,
        };
        out.push_str(&python_str(&item));
    }
    Ok(out)
}

/// `value|tojson(indent)`: sorted keys, only ASCII, and nothing that HTML would take for markup.
#[expect(clippy::needless_pass_by_value, reason = "how filters take their arguments")]
fn to_json(value: &Value, indent: Option<usize>, options: Kwargs) -> Result<Value, Error> {
    let indent = options.get::<Option<usize>>("indent")?.or(indent);
    options.assert_all_used()?;
    let mut out = String::new();
    write_json(value, indent.map(|width| (width, 0)), &mut out);
    Ok(Value::from_safe_string(out))
}

fn write_json(value: &Value, indent: Option<(usize, usize)>, out: &mut String) {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => write_repr(value, out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter().into_iter().flatten().collect();
            write_items(('[', ']'), &items, indent, out, write_json);
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter().into_iter().flatten().collect();
            keys.sort();
            write_items(('{', '}'), &keys, indent, out, |key, indent, out| {
                write_json_string(&python_str(key), out);
                out.push_str(": ");
                write_json(&value.get_item(key).unwrap_or_default(), indent, out);
            });
        }
        _ => write_json_string(&python_str(value), out),
    }
}

fn write_items(
    (open, close): (char, char),
    items: &[Value],
    indent: Option<(usize, usize)>,
    out: &mut String,
    write: impl Fn(&Value, Option<(usize, usize)>, &mut String),
) {
    let inner = indent.map(|(width, depth)| (width, depth + 1));
    let new_line = |(width, depth): (usize, usize), out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width.min(16) * depth));
    };
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match inner {
            Some(inner) => new_line(inner, out),
            None if index > 0 => out.push(' '),
            None => {}
        }
        write(item, inner, out);
    }
    if let (Some(indent), false) = (indent, items.is_empty()) {
        new_line(indent, out);
    }
    out.push(close);
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
            '<' | '>' | '&' | '\'' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Python's `str(value)`.
fn python_str(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let mut out = String::new();
            write_repr(value, &mut out);
            out
        }
    }
}

fn write_repr(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::Undefined => {}
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => {
            let _ = write!(out, "{value}");
        }
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) => out.push_str(&float(number)),
            Err(_) => {
                let _ = write!(out, "{value}");
            }
        },
        ValueKind::String => quote(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (index, item) in value.try_iter().into_iter().flatten().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(&item, out);
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(&key, out);
                out.push_str(": ");
                write_repr(&value.get_item(&key).unwrap_or_default(), out);
            }
            out.push('}');
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// Python's `repr` of a float.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let Some((digits, exponent)) = text.split_once('e') else { return text };
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{number:?}")
}

/// Python's `repr` of a text.
fn quote(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == mark => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(mark);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_like_python() {
        let values = json!({
            "s": "it's", "n": 1, "f": 1.0, "big": 1e16, "small": 1e-5, "t": true, "none": null,
            "list": ["a", 1, 2.5, null], "map": {"k": "v", "n": {"x": false}}, "text": " Ab ",
        });
        let cases = [
            ("{{ s }} {{ n }} {{ f }} {{ big }} {{ small }}", "it's 1 1.0 1e+16 1e-05"),
            ("{{ t }} {{ none }} [{{ missing }}]", "True None []"),
            ("{{ list }} {{ map }}", "['a', 1, 2.5, None] {'k': 'v', 'n': {'x': False}}"),
            ("{% for i in list %}{{ loop.index }}:{{ i }} {% endfor %}", "1:a 2:1 3:2.5 4:None "),
            ("{{ text.strip().upper() }} {{ text|trim|lower }}", "AB ab"),
            ("{{ list|join(',') }}", "a,1,2.5,None"),
            ("{{ map.k }} {{ map['n'].x }} {{ map.items()|list|length }}", "v False 2"),
            ("{% if n > 0 and t %}yes{% else %}no{% endif %}", "yes"),
            ("{{ n / 2 }} {{ 7 // 2 }} {{ 2 ** 3 }}", "0.5 3 8"),
            ("{{ list|length }} {{ missing|default('x') }} {{ list[-1] }}", "4 x None"),
            ("{{ map|tojson }}", "{\"k\": \"v\", \"n\": {\"x\": false}}"),
            ("{{ ['é<', 1]|tojson(indent=1) }}", "[\n \"\\u00e9\\u003c\",\n 1\n]"),
            ("{{ s|e }} {{ '7'.zfill(3) }} {{ 'x'.rjust(3, '-') }}", "it&#39;s 007 --x"),
            ("{{ list.index(1) }} {{ 'abc'.index('c') }} {{ 'a'|center(5) }}|", "1 2   a  |"),
            ("{{ '<b>x  y</b>'|striptags }} {{ 1000000|filesizeformat }}", "x y 1.0 MB"),
            ("{{ 'ab' * 2 }} {{ 'abc'[::-1] }} {{ n ~ f ~ none }}", "abab cba 11.0None"),
            ("a\n{% set x = 3 %}\n{{ x }}\n", "a\n\n3"),
        ];
        for (template, expected) in cases {
            assert_eq!(render(template, &values).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn wrong_templates_say_why() {
        let error = |template: &str| render(template, &json!({})).unwrap_err().to_string();
        assert!(error("{% if %}").contains("line 1"), "{}", error("{% if %}"));
        assert!(!error("{{ x.y.z }}").is_empty());
    }

    #[test]
    fn endless_templates_end() {
        let template =
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        assert!(render(template, &json!({})).is_err());
    }
}
