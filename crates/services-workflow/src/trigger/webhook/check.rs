//! Whether a request is what a webhook node asks for, and its values in the types the node wants.

use graph::SegmentType;
use serde_json::{Map, Value, json};

use super::{Parameter, Request, Settings};
use crate::pydantic::python_type;

/// The request as runs see it: `{method, headers, query_params, body, files}`. Files are not in it yet.
///
/// # Errors
/// What the client is told.
pub fn process(settings: &Settings, request: &Request) -> Result<Value, String> {
    let body = request.body_value()?;
    let expected = settings.method.to_uppercase();
    if expected != request.method {
        return Err(format!("HTTP method mismatch. Expected {expected}, got {}", request.method));
    }
    let content_type = request.content_type();
    if settings.content_type.to_lowercase() != content_type {
        let expected = settings.content_type.to_lowercase();
        return Err(format!("Content-type mismatch. Expected {expected}, got {content_type}"));
    }
    let headers = request.header_map();
    check_headers(&settings.headers, &headers)?;
    let query = query(&settings.params, request.query_map())?;
    let body = checked_body(settings, body, request)?;
    Ok(json!({
        "method": request.method,
        "headers": headers,
        "query_params": query,
        "body": body,
        "files": {},
    }))
}

fn check_headers(known: &[Parameter], headers: &Map<String, Value>) -> Result<(), String> {
    // Proxies and clients disagree about dashes and underscores.
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    for header in known.iter().filter(|header| header.required) {
        if !headers.keys().any(|name| plain(name) == plain(&header.name)) {
            return Err(format!("Required header missing: {}", header.name));
        }
    }
    Ok(())
}

fn query(known: &[Parameter], raw: Map<String, Value>) -> Result<Map<String, Value>, String> {
    typed(known, raw, "Required parameter missing", |parameter, value| {
        from_text(parameter, value.as_str().unwrap_or_default())
    })
}

fn checked_body(settings: &Settings, body: Value, request: &Request) -> Result<Value, String> {
    let kind = settings.content_type.to_lowercase();
    if kind == "text/plain" || kind == "application/octet-stream" {
        let empty = match &request.body {
            super::Body::Bytes(bytes) => bytes.is_empty(),
            super::Body::Form { .. } => false,
        };
        return if empty && settings.body.iter().any(|parameter| parameter.required) {
            Err(format!("Required body content missing for {kind} request"))
        } else {
            Ok(body)
        };
    }
    let is_form = kind == "multipart/form-data";
    let is_text = is_form || kind == "application/x-www-form-urlencoded";
    // Files of a form are looked at when they are stored.
    let known: Vec<Parameter> = settings
        .body
        .iter()
        .filter(|parameter| !(is_form && parameter.kind == SegmentType::File))
        .cloned()
        .collect();
    let raw = match body {
        Value::Object(raw) => raw,
        other => {
            // A list or a scalar has no members; it is passed on if none is required.
            return match known.iter().find(|parameter| parameter.required) {
                Some(parameter) => {
                    Err(format!("Required body parameter missing: {}", parameter.name))
                }
                None => Ok(other),
            };
        }
    };
    typed(&known, raw, "Required body parameter missing", |parameter, value| {
        if is_text {
            from_text(parameter, value.as_str().unwrap_or_default())
        } else {
            checked(parameter, value)
        }
    })
    .map(Value::Object)
}

/// The known values in the order of their declaration, then the others as they came.
fn typed(
    known: &[Parameter],
    mut raw: Map<String, Value>,
    missing: &str,
    convert: impl Fn(&Parameter, &Value) -> Result<Value, String>,
) -> Result<Map<String, Value>, String> {
    let mut processed = Map::new();
    for parameter in known {
        let name = &parameter.name;
        match raw.shift_remove(name) {
            Some(value) => {
                let value = convert(parameter, &value)
                    .map_err(|why| format!("Parameter '{name}' validation failed: {why}"))?;
                processed.insert(name.clone(), value);
            }
            None if parameter.required && !processed.contains_key(name) => {
                return Err(format!("{missing}: {name}"));
            }
            None => {}
        }
    }
    processed.extend(raw);
    Ok(processed)
}

/// The value a text of a query or form stands for.
fn from_text(parameter: &Parameter, text: &str) -> Result<Value, String> {
    match parameter.kind {
        SegmentType::String => Ok(json!(text)),
        SegmentType::Number => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number_of(number)),
            _ => Err(format!("Cannot convert '{text}' to number")),
        },
        SegmentType::Boolean => match text.to_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(json!(true)),
            "false" | "0" | "no" => Ok(json!(false)),
            _ => Err(format!("Cannot convert '{text}' to boolean")),
        },
        other => {
            Err(format!("Unsupported type '{other}' for form data parameter '{}'", parameter.name))
        }
    }
}

fn number_of(number: f64) -> Value {
    // Below 2^53 every whole float is exactly one integer.
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        let whole = number as i64;
        json!(whole)
    } else {
        json!(number)
    }
}

fn checked(parameter: &Parameter, value: &Value) -> Result<Value, String> {
    if parameter.kind.accepts(&graph::Value::from_json(value.clone())) {
        return Ok(value.clone());
    }
    let expected = match parameter.kind {
        SegmentType::ArrayString => "array of strings",
        SegmentType::ArrayNumber => "array of numbers",
        SegmentType::ArrayBoolean => "array of booleans",
        SegmentType::ArrayObject => "array of objects",
        other => other.as_str(),
    };
    Err(format!("Expected {expected}, got {}", python_type(value)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::Body, *};

    fn settings(data: Value) -> Settings {
        let Value::Object(data) = data else { panic!("an object") };
        Settings::read(&data)
    }

    fn request(method: &str, content_type: &str, query: &str, body: &str) -> Request {
        Request {
            method: method.to_owned(),
            headers: vec![
                ("content-type".to_owned(), content_type.to_owned()),
                ("x-token".to_owned(), "tok".to_owned()),
            ],
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: Body::Bytes(Bytes::copy_from_slice(body.as_bytes())),
        }
    }

    fn ask(data: Value, query: &str, body: &str) -> Result<Value, String> {
        process(&settings(data), &request("POST", "application/json", query, body))
    }

    #[test]
    fn requests_that_fit_are_typed() {
        let data = json!({
            "method": "POST",
            "headers": [{"name": "X_Token", "required": true}],
            "params": [{"name": "page", "type": "number", "required": true}, {"name": "flag", "type": "boolean"}],
            "body": [{"name": "title", "type": "string", "required": true}, {"name": "tags", "type": "array[string]"}],
        });
        let processed =
            ask(data, "page=2&flag=Yes&extra=e", r#"{"title": "hé", "tags": ["a"], "more": [1]}"#)
                .unwrap();
        assert_eq!(processed["query_params"], json!({"page": 2, "flag": true, "extra": "e"}));
        assert_eq!(processed["body"], json!({"title": "hé", "tags": ["a"], "more": [1]}));
        assert_eq!(processed["headers"]["X-Token"], "tok");
        assert_eq!(processed["method"], "POST");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let body = |kind: &str| json!({"method": "post", "body": [{"name": "a", "type": kind, "required": true}]});
        let param = |kind: &str| json!({"method": "post", "params": [{"name": "p", "type": kind}]});
        for (data, query, sent, expected) in [
            (json!({"method": "get"}), "", "", "HTTP method mismatch. Expected GET, got POST"),
            (
                json!({"method": "post", "content_type": "text/plain"}),
                "",
                "",
                "Content-type mismatch. Expected text/plain, got application/json",
            ),
            (
                json!({"method": "post", "headers": [{"name": "X-Other", "required": true}]}),
                "",
                "",
                "Required header missing: X-Other",
            ),
            (
                json!({"method": "post", "params": [{"name": "p", "required": true}]}),
                "",
                "",
                "Required parameter missing: p",
            ),
            (
                param("number"),
                "p=two",
                "",
                "Parameter 'p' validation failed: Cannot convert 'two' to number",
            ),
            (
                param("boolean"),
                "p=maybe",
                "",
                "Parameter 'p' validation failed: Cannot convert 'maybe' to boolean",
            ),
            (body("string"), "", "{}", "Required body parameter missing: a"),
            (body("string"), "", "[1]", "Required body parameter missing: a"),
            (
                body("string"),
                "",
                r#"{"a": 5}"#,
                "Parameter 'a' validation failed: Expected string, got int",
            ),
            (
                body("array[string]"),
                "",
                r#"{"a": [1]}"#,
                "Parameter 'a' validation failed: Expected array of strings, got list",
            ),
            (
                body("object"),
                "",
                r#"{"a": null}"#,
                "Parameter 'a' validation failed: Expected object, got NoneType",
            ),
        ] {
            assert_eq!(ask(data, query, sent), Err(expected.to_owned()));
        }
    }

    #[test]
    fn plain_text_needs_content_only_if_required() {
        let data = |required: bool| {
            settings(
                json!({"method": "post", "content_type": "text/plain", "body": [{"name": "raw", "required": required}]}),
            )
        };
        let empty = request("POST", "text/plain", "", "");
        assert_eq!(
            process(&data(true), &empty),
            Err("Required body content missing for text/plain request".to_owned())
        );
        assert_eq!(process(&data(false), &empty).unwrap()["body"], json!({"raw": ""}));
        let full = request("POST", "text/plain", "", "ü");
        assert_eq!(process(&data(true), &full).unwrap()["body"], json!({"raw": "ü"}));
    }

    #[test]
    fn numbers_of_forms_are_whole_where_they_can_be() {
        for (text, expected) in
            [("2", json!(2)), ("2.50", json!(2.5)), ("-3.0", json!(-3)), (" 7 ", json!(7))]
        {
            let parameter =
                Parameter { name: "n".to_owned(), kind: SegmentType::Number, required: false };
            assert_eq!(from_text(&parameter, text), Ok(expected));
        }
    }
}
