//! Calling an operation of an API.

use boxed::boxed;
use std::time::Duration;

use graph::{NoUrls, Object, Value as Argument};
use net::{
    Call,
    multipart::{Form, Part},
};
use nodes::Files;
use serde_json::{Map, Value};
use services_core::Ctx;
use types::{TenantId, pyjson};

use super::schema::Bundle;
use crate::ToolError;

mod body;

use body::body;

/// Most bytes of an answer.
const MAX_ANSWER: usize = 64 << 20;

/// What an API answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// As it came.
    pub text: String,
    /// Its value, if it says that it is JSON.
    pub json: Option<Value>,
}

impl Answer {
    /// As the trial of a tool shows it.
    pub fn shown(&self) -> String {
        match &self.json {
            Some(Value::String(text)) => text.clone(),
            Some(value) => pyjson::dumps_utf8(value).unwrap_or_else(|_| self.text.clone()),
            None => self.text.clone(),
        }
    }
}

/// Calls of a workspace.
pub(crate) struct Caller<'a> {
    pub ctx: &'a Ctx,
    pub tenant: TenantId,
    pub files: &'a dyn Files,
}

/// The parts of a request.
#[derive(Debug, Default, PartialEq)]
struct Request {
    url: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    body: Body,
}

#[derive(Debug, Default, PartialEq)]
enum Body {
    #[default]
    Empty,
    Text(String),
    Form {
        fields: Vec<(String, String)>,
        files: Vec<(String, Argument)>,
    },
}

impl Caller<'_> {
    /// Calls an operation with decrypted credentials.
    #[boxed]
    pub async fn call(
        &self,
        bundle: &Bundle,
        credentials: &Map<String, Value>,
        mut arguments: Object,
    ) -> Result<Answer, ToolError> {
        let key = key(credentials)?;
        for parameter in bundle.parameters.iter().flatten().filter(|it| it.required) {
            if arguments.contains_key(&parameter.name) {
                continue;
            }
            let Some(default) = parameter.default.clone().filter(|it| !it.is_null()) else {
                return Err(missing(&parameter.name));
            };
            arguments.insert(parameter.name.clone(), Argument::from_json(default));
        }
        let request = request(bundle, key, &arguments)?;
        let call = self.build(&bundle.method, request).await?;
        let response = call.send().await.map_err(|err| ToolError::Invalid(err.to_string()))?;
        let status = response.status().as_u16();
        let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let text = response.text(MAX_ANSWER).await;
        let text = text.map_err(|err| ToolError::Invalid(err.to_string()))?;
        if 400 <= status {
            return Err(ToolError::Invalid(format!(
                "Request failed with status code {status} and {text}"
            )));
        }
        if text.is_empty() {
            let text = "Empty response from the tool, please check your parameters and try again.";
            return Ok(Answer { text: text.to_owned(), json: None });
        }
        let json = kind.contains("application/json").then(|| serde_json::from_str(&text).ok());
        Ok(Answer { json: json.flatten(), text })
    }

    async fn build(&self, method: &str, request: Request) -> Result<Call, ToolError> {
        let method = match method.to_ascii_lowercase().as_str() {
            "get" => net::Method::GET,
            "head" => net::Method::HEAD,
            "post" => net::Method::POST,
            "put" => net::Method::PUT,
            "delete" => net::Method::DELETE,
            "patch" => net::Method::PATCH,
            other => return Err(ToolError::Invalid(format!("Invalid http method {other}"))),
        };
        let connect = self.seconds("API_TOOL_DEFAULT_CONNECT_TIMEOUT", 10);
        let read = self.seconds("API_TOOL_DEFAULT_READ_TIMEOUT", 60);
        let mut call = self
            .ctx
            .http
            .guarded()
            .request(method, &request.url)
            .query(&request.query)
            .any_status()
            .follow_redirects(true)
            .first_byte_timeout(connect + read)
            .idle_timeout(read);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if !request.cookies.is_empty() {
            call = call.header("cookie", request.cookies.join("; "));
        }
        Ok(match request.body {
            Body::Empty => call,
            Body::Text(text) => call.body(text),
            Body::Form { fields, files } => {
                let mut form = Form::new();
                for (name, value) in fields {
                    form = form.text(name, value);
                }
                for (name, file) in files {
                    form = form.part(name, self.part(&file).await?);
                }
                call.multipart(form)
            }
        })
    }

    /// A setting that only API tools have.
    fn seconds(&self, name: &str, default: u64) -> Duration {
        let set = self.ctx.config.variables().find(|(known, _)| known == name);
        Duration::from_secs(set.and_then(|(_, text)| text.trim().parse().ok()).unwrap_or(default))
    }

    async fn part(&self, argument: &Argument) -> Result<Part, ToolError> {
        let Some(file) = argument.as_file() else {
            return Err(ToolError::invalid("a parameter that is a file was given something else"));
        };
        let content = self.files.read(self.tenant, file).await;
        let content = content.map_err(|err| ToolError::Invalid(err.to_string()))?;
        let length = content.len() as u64;
        let mut part = Part::stream_with_length(content, length)
            .file_name(file.filename.clone().unwrap_or_else(|| "file".to_owned()));
        if let Some(kind) = &file.mime_type {
            part = part.mime_str(kind).map_err(|err| ToolError::Invalid(err.to_string()))?;
        }
        Ok(part)
    }
}

/// Where the key of an API goes.
enum Key {
    None,
    Header(String, String),
    Query(String, String),
}

fn key(credentials: &Map<String, Value>) -> Result<Key, ToolError> {
    let text = |name: &str| credentials.get(name).and_then(Value::as_str);
    let Some(kind) = credentials.get("auth_type") else {
        return Err(ToolError::invalid("Missing auth_type"));
    };
    match kind.as_str() {
        Some("api_key_header" | "api_key") => {
            let value = match credentials.get("api_key_value") {
                None => return Err(ToolError::invalid("Missing api_key_value")),
                Some(Value::String(value)) => value,
                Some(_) => return Err(ToolError::invalid("api_key_value must be a string")),
            };
            let value = match text("api_key_header_prefix") {
                Some("basic") if !value.is_empty() => format!("Basic {value}"),
                Some("bearer") if !value.is_empty() => format!("Bearer {value}"),
                _ => value.clone(),
            };
            let name = text("api_key_header").unwrap_or("Authorization");
            Ok(Key::Header(name.to_owned(), value))
        }
        Some("api_key_query") => Ok(match text("api_key_value").filter(|it| !it.is_empty()) {
            Some(value) => {
                let name = text("api_key_query_param").unwrap_or("key");
                Key::Query(name.to_owned(), value.to_owned())
            }
            None => Key::None,
        }),
        _ => Ok(Key::None),
    }
}

fn missing(name: &str) -> ToolError {
    ToolError::Invalid(format!("Missing required parameter {name}"))
}

fn request(bundle: &Bundle, key: Key, arguments: &Object) -> Result<Request, ToolError> {
    let mut request = Request { url: bundle.server_url.clone(), ..Request::default() };
    match key {
        Key::None => {}
        Key::Header(name, value) => request.headers.push((name, value)),
        Key::Query(name, value) => request.query.push((name, value)),
    }
    let declared = bundle.openapi.get("parameters").and_then(Value::as_array);
    for parameter in declared.into_iter().flatten() {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("name");
        let value = match arguments.get(name) {
            Some(value) => value.clone(),
            None if parameter.get("required").and_then(Value::as_bool) == Some(true) => {
                return Err(missing(name));
            }
            None => {
                let default = parameter.pointer("/schema/default");
                Argument::from_json(default.cloned().unwrap_or_else(|| "".into()))
            }
        };
        match text("in") {
            "path" => {
                let value = percent_encoding::utf8_percent_encode(
                    &value.py_str(),
                    percent_encoding::NON_ALPHANUMERIC,
                )
                .to_string();
                request.url = request.url.replace(&format!("{{{name}}}"), &value);
            }
            "query" => match &value {
                Argument::String(text) if text.is_empty() => {}
                Argument::Array(items) => {
                    request.query.extend(items.iter().map(|it| (name.to_owned(), plain(it))));
                }
                value => request.query.push((name.to_owned(), plain(value))),
            },
            "cookie" => request.cookies.push(format!("{name}={}", value.py_str())),
            "header" => request.headers.push((name.to_owned(), value.py_str())),
            _ => {}
        }
    }
    request.body = body(bundle, arguments, &mut request.headers)?;
    Ok(request)
}

/// A value as it is written into an address.
fn plain(value: &Argument) -> String {
    match value {
        Argument::Bool(true) => "true".to_owned(),
        Argument::Bool(false) => "false".to_owned(),
        Argument::Null => String::new(),
        other => other.py_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bundle(openapi: Value) -> Bundle {
        Bundle {
            server_url: "http://a/x/{id}".to_owned(),
            method: "post".to_owned(),
            summary: None,
            operation_id: Some("op".to_owned()),
            parameters: None,
            author: String::new(),
            icon: None,
            openapi,
            output_schema: Map::new(),
        }
    }

    fn arguments(value: Value) -> Object {
        Argument::from_json(value).as_object().cloned().unwrap()
    }

    #[test]
    fn parameters_go_where_they_are_declared() {
        let bundle = bundle(json!({"parameters": [
            {"name": "id", "in": "path", "required": true}, {"name": "q", "in": "query"},
            {"name": "all", "in": "query"}, {"name": "X-T", "in": "header"}, {"name": "c", "in": "cookie"},
            {"name": "n", "in": "query", "schema": {"default": 2}},
        ]}));
        let given = json!({"id": "h/é", "all": true, "X-T": 5, "c": "v"});
        let made = request(&bundle, Key::Query("k".into(), "s".into()), &arguments(given)).unwrap();
        assert_eq!(made.url, "http://a/x/h%2F%C3%A9");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(made.query, [pair("k", "s"), pair("all", "true"), pair("n", "2")]);
        assert_eq!(made.headers, [pair("X-T", "5")]);
        assert_eq!(made.cookies, ["c=v"]);
        let none = request(&bundle, Key::None, &arguments(json!({})));
        assert_eq!(none.unwrap_err().to_string(), "Missing required parameter id");
    }

    #[test]
    fn bodies_are_written_in_their_type() {
        let schema = json!({"required": ["t"], "properties": {
            "t": {"type": "string"}, "n": {"type": "integer", "default": 3}, "l": {"type": "array"},
            "r": {"anyOf": [{"type": "null"}, {"type": "number"}]},
        }});
        let of = |kind: &str, given: Value| {
            let bundle =
                bundle(json!({"requestBody": {"content": {kind: {"schema": schema.clone()}}}}));
            let made = request(&bundle, Key::None, &arguments(given));
            made.map(|made| made.body).map_err(|err| err.to_string())
        };
        assert_eq!(
            of("application/json", json!({"t": 1, "n": "many", "l": "[1]", "r": "1.5"})),
            Ok(Body::Text(r#"{"t": "1", "n": "many", "l": [1], "r": 1.5}"#.to_owned()))
        );
        assert_eq!(
            of("application/x-www-form-urlencoded", json!({"t": "a b"})),
            Ok(Body::Text("t=a+b&n=3".to_owned()))
        );
        assert_eq!(
            of("application/json", json!({})),
            Err("Missing required parameter t in operation op".to_owned())
        );
    }

    #[test]
    fn keys_go_into_headers_or_addresses() {
        let header = |prefix: &str| {
            let credentials = json!({"auth_type": "api_key_header", "api_key_value": "v",
                "api_key_header_prefix": prefix});
            match key(credentials.as_object().unwrap()).unwrap() {
                Key::Header(name, value) => (name, value),
                _ => panic!("no header"),
            }
        };
        assert_eq!(header("bearer"), ("Authorization".to_owned(), "Bearer v".to_owned()));
        assert_eq!(header("custom").1, "v");
        let credentials = json!({"auth_type": "api_key_query", "api_key_value": "v"});
        assert!(matches!(
            key(credentials.as_object().unwrap()).unwrap(),
            Key::Query(name, _) if name == "key"
        ));
        assert!(key(&Map::new()).is_err());
    }
}
