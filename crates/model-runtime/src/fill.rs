//! Texts with places for credentials: `https://{host|=api.example.com}/v1`.
//!
//! Within braces stand alternatives: names of credentials, `model` for the model's id, and, after `=`, literal text. The
//! first that is not empty is taken. If there is none, the whole text is nothing: a header for an optional credential is
//! left out.

use serde_json::Value;

use crate::provider::Credentials;

/// Fills the places in `pattern`; `None` when one of them stays empty.
#[must_use]
pub fn fill(pattern: &str, model: &str, credentials: &Credentials) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((place, behind)) = after.split_once('}') else {
            out.push('{');
            out.push_str(after);
            return Some(out);
        };
        out.push_str(&place.split('|').find_map(|name| alternative(name, model, credentials))?);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

fn alternative(name: &str, model: &str, credentials: &Credentials) -> Option<String> {
    if let Some(literal) = name.strip_prefix('=') {
        return Some(literal.to_owned());
    }
    let value = match credentials.get(name) {
        Some(Value::String(text)) => text.trim().trim_end_matches('/').to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(yes)) => yes.to_string(),
        _ if name == "model" => model.to_owned(),
        _ => String::new(),
    };
    (!value.is_empty()).then_some(value)
}

/// A credential as text; absent and empty ones are `None`.
#[must_use]
pub fn text<'a>(credentials: &'a Credentials, name: &str) -> Option<&'a str> {
    credentials.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// A credential as a whole number, also when it is text or has decimals.
#[must_use]
pub fn number(credentials: &Credentials, name: &str) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "saturates")]
    match credentials.get(name)? {
        Value::Number(number) => number.as_f64().map(|number| number as i64),
        Value::String(text) => text.trim().parse::<f64>().ok().map(|number| number as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_filled_with_the_first_alternative_there_is() {
        let given = json!({"host": "http://h/v1/", "empty": "", "port": 80});
        let given = given.as_object().unwrap();
        let check = |pattern: &str, filled: Option<&str>| {
            assert_eq!(fill(pattern, "m", given).as_deref(), filled, "{pattern}");
        };
        check("{host}/x", Some("http://h/v1/x"));
        check("{empty|host}", Some("http://h/v1"));
        check("{empty|=d}:{port}", Some("d:80"));
        check("Bearer {empty}", None);
        check("{name|model}", Some("m"));
        check("{open", Some("{open"));
    }
}
