//! YAML, written anew in block style as PyYAML writes it.

use serde_json::Value;

/// All documents of `text` in block style.
pub(crate) fn reformat(text: &str) -> Result<String, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|err| err.to_string())?;
    let mut out = String::new();
    for (index, document) in documents.iter().enumerate() {
        if index > 0 {
            out.push_str("---\n");
        }
        match document {
            Value::Object(entries) if !entries.is_empty() => block(document, 0, &mut out),
            Value::Array(items) if !items.is_empty() => block(document, 0, &mut out),
            Value::Object(_) | Value::Array(_) => {
                out.push_str(&scalar(document));
                out.push('\n');
            }
            other => {
                out.push_str(&scalar(other));
                out.push_str("\n...\n");
            }
        }
    }
    Ok(out)
}

fn block(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                out.push_str(&pad);
                out.push_str(&text(key));
                out.push(':');
                // Lists stand as far left as their key.
                let inner = if value.is_array() { indent } else { indent + 2 };
                after_key(value, inner, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&pad);
                out.push('-');
                if is_block(item) {
                    let mut inner = String::new();
                    block(item, indent + 2, &mut inner);
                    out.push(' ');
                    out.push_str(inner.trim_start_matches(' '));
                } else {
                    out.push(' ');
                    out.push_str(&scalar(item));
                    out.push('\n');
                }
            }
        }
        other => out.push_str(&scalar(other)),
    }
}

fn after_key(value: &Value, indent: usize, out: &mut String) {
    if is_block(value) {
        out.push('\n');
        block(value, indent, out);
    } else {
        out.push(' ');
        out.push_str(&scalar(value));
        out.push('\n');
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(entries) => !entries.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A text, in quotes if it would be read as something else.
fn text(text: &str) -> String {
    let special = text.chars().any(char::is_control);
    if special {
        return serde_json::to_string(text).unwrap_or_default();
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "="];
    let Some(first) = text.chars().next() else { return false };
    let lower = text.to_ascii_lowercase();
    let is_word = WORDS.contains(&lower.as_str()) && lower != "y" && lower != "n";
    let looks_numeric = first.is_ascii_digit()
        || (matches!(first, '+' | '-' | '.')
            && text.chars().nth(1).is_some_and(|c| c.is_ascii_digit() || c == '.'));
    let is_number =
        looks_numeric && text.chars().all(|c| c.is_ascii_hexdigit() || "+-._:xoTZ ".contains(c));
    let opens = "-?:".contains(first) && text.chars().nth(1).is_none_or(char::is_whitespace);
    !is_word
        && !is_number
        && !opens
        && !",[]{}#&*!|>'\"%@`".contains(first)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
}

#[cfg(test)]
mod tests {
    #[test]
    fn documents_are_written_in_block_style() {
        for (text, expected) in [
            ("a: 1\nb: [x]", "a: 1\nb:\n- x\n"),
            (
                "{a: {b: [{c: 'yes', d: ~}], e: {}}}",
                "a:\n  b:\n  - c: 'yes'\n    d: null\n  e: {}\n",
            ),
            ("- '1'\n- é\n- 'it''s: x'", "- '1'\n- é\n- 'it''s: x'\n"),
            ("a: 1\n---\nb: 2", "a: 1\n---\nb: 2\n"),
        ] {
            assert_eq!(super::reformat(text).as_deref(), Ok(expected));
        }
    }
}
