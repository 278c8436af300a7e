//! A request at a webhook, as far as HTTP has read it.

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Capital letters.
    pub method: String,
    /// In the order of arrival; several of a name are allowed.
    pub headers: Vec<(String, String)>,
    /// In the order of arrival.
    pub query: Vec<(String, String)>,
    /// What it carries.
    pub body: Body,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes, to be read as the content type says.
    Bytes(Bytes),
    /// A form of several parts.
    Form {
        /// Texts by field.
        fields: Vec<(String, String)>,
        /// Files.
        files: Vec<UploadedFile>,
    },
}

/// A file of a form.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    /// The field it came in.
    pub field: String,
    /// Its name.
    pub filename: String,
    /// Its media type, if the client said.
    pub content_type: Option<String>,
    /// Its content.
    pub content: Bytes,
}

impl Request {
    /// The media type of the body; JSON if the client does not say.
    #[must_use]
    pub fn content_type(&self) -> String {
        let header =
            self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let value = header.map(|(_, value)| value.trim()).filter(|value| !value.is_empty());
        let value = value.unwrap_or("application/json").to_lowercase();
        value.split(';').next().unwrap_or_default().trim().to_owned()
    }

    /// The headers by the names Python's servers give them (`X-Token`); values of one name are joined by commas.
    #[must_use]
    pub fn header_map(&self) -> Map<String, Value> {
        let mut all: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            match all.entry(title_case(name)).or_insert(Value::Null) {
                Value::String(text) => {
                    text.push(',');
                    text.push_str(value);
                }
                empty => *empty = json!(value),
            }
        }
        all
    }

    /// The first value of every query parameter.
    #[must_use]
    pub fn query_map(&self) -> Map<String, Value> {
        firsts(&self.query)
    }

    /// The body as JSON, before any check.
    ///
    /// # Errors
    /// What a client is told of a body that does not parse.
    pub fn body_value(&self) -> Result<Value, String> {
        let bytes = match &self.body {
            Body::Form { fields, .. } => return Ok(Value::Object(firsts(fields))),
            Body::Bytes(bytes) => bytes,
        };
        match self.content_type().as_str() {
            "application/json" if bytes.iter().all(u8::is_ascii_whitespace) => Ok(json!({})),
            "application/json" => {
                serde_json::from_slice(bytes).map_err(|err| format!("Invalid JSON body: {err}"))
            }
            "application/x-www-form-urlencoded" => {
                let pairs: Vec<(String, String)> =
                    url::form_urlencoded::parse(bytes).into_owned().collect();
                Ok(Value::Object(firsts(&pairs)))
            }
            // Its file is made once the request is known to fit.
            "application/octet-stream" => Ok(json!({"raw": null})),
            _ => Ok(json!({"raw": String::from_utf8_lossy(bytes)})),
        }
    }
}

fn firsts(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in pairs {
        all.entry(name.clone()).or_insert_with(|| json!(value));
    }
    all
}

/// `x-api-key` → `X-Api-Key`: a capital after everything that is no letter.
fn title_case(name: &str) -> String {
    let mut after_letter = false;
    let mut titled = String::with_capacity(name.len());
    for c in name.chars() {
        titled.push(if after_letter { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
        after_letter = c.is_ascii_alphabetic();
    }
    titled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, body: &'static str) -> Request {
        Request {
            method: "POST".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            query: Vec::new(),
            body: Body::Bytes(Bytes::from_static(body.as_bytes())),
        }
    }

    #[test]
    fn bodies_are_read_as_their_type_says() {
        for (content_type, body, expected) in [
            ("application/json; charset=utf-8", "{\"a\": [1]}", json!({"a": [1]})),
            ("application/json", " \n", json!({})),
            ("", "[1]", json!([1])),
            (
                "application/x-www-form-urlencoded",
                "a=x+y&b=%C3%BC&a=2",
                json!({"a": "x y", "b": "ü"}),
            ),
            ("text/plain", "plain ü", json!({"raw": "plain ü"})),
            ("application/xml", "<a/>", json!({"raw": "<a/>"})),
            ("application/octet-stream", "x", json!({"raw": null})),
        ] {
            assert_eq!(request(content_type, body).body_value(), Ok(expected), "{content_type}");
        }
        assert!(
            request("application/json", "{")
                .body_value()
                .unwrap_err()
                .starts_with("Invalid JSON body: ")
        );
    }

    #[test]
    fn headers_are_named_as_python_names_them() {
        let mut request = request("text/plain", "");
        request.headers = [("x-token", "a"), ("X-2fa-key", "b"), ("x-token", "c")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            Value::Object(request.header_map()),
            json!({"X-Token": "a,c", "X-2Fa-Key": "b"})
        );
    }
}
