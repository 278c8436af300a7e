//! Methods and filters of Python and Jinja2 that minijinja and its `pycompat` do not have.

use minijinja::{
    Environment, Error, ErrorKind, State,
    value::{Value, ValueKind, from_args},
};

use super::python_str;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(method);
    environment.add_filter("e", escape);
    environment.add_filter("escape", escape);
    environment.add_filter("forceescape", escape);
    environment.add_filter("center", |text: Value, width: Option<usize>| {
        centred(&python_str(&text), width.unwrap_or(80), ' ')
    });
    environment.add_filter("striptags", |text: Value| without_tags(&python_str(&text)));
    environment.add_filter("filesizeformat", file_size);
}

fn method(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    match (value.kind(), name) {
        (ValueKind::String, "zfill" | "ljust" | "rjust" | "center") => {
            let (width, fill): (usize, Option<char>) = from_args(arguments)?;
            let text = value.as_str().unwrap_or_default();
            let fill = fill.unwrap_or(if name == "zfill" { '0' } else { ' ' });
            let missing = width.saturating_sub(text.chars().count()).min(1_000_000);
            let padding: String = std::iter::repeat_n(fill, missing).collect();
            Ok(Value::from(match name {
                "ljust" => format!("{text}{padding}"),
                "center" => centred(text, width, fill),
                "zfill" => match text.strip_prefix('-') {
                    Some(digits) => format!("-{padding}{digits}"),
                    None => format!("{padding}{text}"),
                },
                _ => format!("{padding}{text}"),
            }))
        }
        (ValueKind::String, "index") => {
            let (part,): (String,) = from_args(arguments)?;
            let text = value.as_str().unwrap_or_default();
            let found = text.find(&part).and_then(|at| text.get(..at));
            found
                .map(|before| Value::from(before.chars().count()))
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "substring not found"))
        }
        (ValueKind::Seq, "index") => {
            let (item,): (Value,) = from_args(arguments)?;
            let found = value.try_iter()?.position(|it| it == item);
            found.map(Value::from).ok_or_else(|| {
                let text = format!("{} is not in list", python_str(&item));
                Error::new(ErrorKind::InvalidOperation, text)
            })
        }
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

/// As markupsafe escapes: quotes become numbers.
fn escape(value: &Value) -> Value {
    if value.is_safe() {
        return value.clone();
    }
    let mut out = String::new();
    for c in python_str(value).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    Value::from_safe_string(out)
}

/// Python's `str.center`: the odd place goes left when text and width are not both odd or even
/// in the way Python counts.
fn centred(text: &str, width: usize, fill: char) -> String {
    let length = text.chars().count();
    let missing = width.saturating_sub(length).min(1_000_000);
    let left = missing / 2 + (missing & width & 1);
    let pad = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{}{text}{}", pad(left), pad(missing - left))
}

fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn file_size(bytes: f64, binary: Option<bool>) -> String {
    let binary = binary.unwrap_or_default();
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes < base {
        return if bytes == 1.0 { "1 Byte".to_owned() } else { format!("{bytes:.0} Bytes") };
    }
    let units = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut size = bytes;
    let mut unit = "";
    for next in units {
        if size < base {
            break;
        }
        size /= base;
        unit = next;
    }
    let unit = if binary { unit.to_uppercase() + "i" } else { unit.to_owned() };
    format!("{size:.1} {unit}B")
}
