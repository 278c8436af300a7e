//! What an MCP client asks a server that offers one tool, and what it is answered. No I/O.
//!
//! The protocol is JSON-RPC 2.0 in one POST per message, answered in one JSON body.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The version of the protocol this server speaks.
pub const PROTOCOL_VERSION: &str = "2024-11-05";

/// The message is no request of the protocol.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method here.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The parameters cannot be used.
pub const INVALID_PARAMS: i32 = -32602;
/// Ours.
pub const INTERNAL_ERROR: i32 = -32603;

/// Methods of the protocol that a server with nothing but a tool does not have, as the reference names them.
const OTHER_METHODS: [(&str, &str); 9] = [
    ("completion/complete", "CompleteRequest"),
    ("logging/setLevel", "SetLevelRequest"),
    ("prompts/get", "GetPromptRequest"),
    ("prompts/list", "ListPromptsRequest"),
    ("resources/list", "ListResourcesRequest"),
    ("resources/templates/list", "ListResourceTemplatesRequest"),
    ("resources/read", "ReadResourceRequest"),
    ("resources/subscribe", "SubscribeRequest"),
    ("resources/unsubscribe", "UnsubscribeRequest"),
];

/// A message of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Wants an answer.
    Request {
        /// Comes back with the answer.
        id: Value,
        /// What is asked.
        call: Call,
    },
    /// Wants none.
    Notification,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// To get to know each other.
    Initialize {
        /// `name@version` of the client.
        client: String,
    },
    /// Whether anybody is there.
    Ping,
    /// What there is.
    ListTools,
    /// To run the tool.
    CallTool {
        /// Its arguments.
        arguments: Map<String, Value>,
    },
}

/// Why a message is not answered with a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// See the constants of this module.
    pub code: i32,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A refusal with one of the codes of this module.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Message {
    /// Reads a message whose envelope was read already.
    ///
    /// # Errors
    /// The refusal, and the id to send it with.
    pub fn read(
        method: &str,
        params: Option<&Map<String, Value>>,
        id: Option<Value>,
    ) -> Result<Self, (Value, Refusal)> {
        let Some(id) = id else {
            if method.starts_with("notifications/") {
                return Ok(Self::Notification);
            }
            let refusal = Refusal::new(INVALID_REQUEST, "Request ID is required");
            return Err((Value::Null, refusal));
        };
        match Call::read(method, params) {
            Ok(call) => Ok(Self::Request { id, call }),
            Err(refusal) => Err((id, refusal)),
        }
    }
}

impl Call {
    fn read(method: &str, params: Option<&Map<String, Value>>) -> Result<Self, Refusal> {
        let param = |key: &str| params.and_then(|params| params.get(key));
        match method {
            "ping" => Ok(Self::Ping),
            "tools/list" => Ok(Self::ListTools),
            "initialize" => {
                let info = param("clientInfo").and_then(Value::as_object);
                let info = info.ok_or_else(|| missing("clientInfo"))?;
                let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default();
                Ok(Self::Initialize { client: format!("{}@{}", text("name"), text("version")) })
            }
            "tools/call" => {
                param("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
                let arguments = match param("arguments") {
                    None | Some(Value::Null) => Map::new(),
                    Some(Value::Object(arguments)) => arguments.clone(),
                    Some(_) => return Err(missing("arguments")),
                };
                Ok(Self::CallTool { arguments })
            }
            other => {
                let known = OTHER_METHODS.iter().find(|(method, _)| *method == other);
                let name = known.map_or(other, |(_, name)| name);
                Err(Refusal::new(METHOD_NOT_FOUND, format!("Method not found: {name}")))
            }
        }
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::new(
        INVALID_PARAMS,
        format!("Invalid MCP request: {what} is missing or of another type"),
    )
}

/// The answer to `initialize`.
#[must_use]
pub fn initialized(version: &str, instructions: &str) -> Value {
    json!({
        "protocolVersion": PROTOCOL_VERSION,
        "capabilities": {"tools": {"listChanged": false}},
        "serverInfo": {"name": "Dify", "version": version},
        "instructions": instructions,
    })
}

/// The answer to `tools/list`: the one tool there is.
#[must_use]
pub fn tools(name: &str, description: &str, input_schema: &Value) -> Value {
    json!({"tools": [{"name": name, "description": description, "inputSchema": input_schema}]})
}

/// The answer to `tools/call`.
#[must_use]
pub fn text_result(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": false})
}

/// A whole answer.
#[must_use]
pub fn response(id: Value, result: Result<Value, Refusal>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(refusal) => json!({"jsonrpc": "2.0", "id": id, "error": refusal}),
    }
}

/// The schema of the tool's arguments: the fields of a form, each keyed by its type, and the question of a chat.
/// `descriptions` says what each field is for. Files have no place in it.
#[must_use]
pub fn input_schema(form: &[Value], descriptions: &Map<String, Value>, asks: bool) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    if asks {
        let query = json!({"type": "string", "description": "User Input/Question content"});
        properties.insert("query".to_owned(), query);
        required.push(Value::from("query"));
    }
    for (kind, field) in form.iter().filter_map(Value::as_object).flatten() {
        if ["file", "file-list", "external_data_tool"].contains(&kind.as_str()) {
            continue;
        }
        let Some(name) = field.get("variable").and_then(Value::as_str) else { continue };
        let description = descriptions.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut property = Map::new();
        property.insert("description".to_owned(), description.into());
        match kind.as_str() {
            "text-input" | "paragraph" => {
                property.insert("type".to_owned(), "string".into());
            }
            "select" => {
                property.insert("type".to_owned(), "string".into());
                let options = field.get("options").filter(|it| it.is_array());
                property.insert("enum".to_owned(), options.cloned().unwrap_or_else(|| json!([])));
            }
            "number" => {
                property.insert("type".to_owned(), "number".into());
            }
            _ => {}
        }
        properties.insert(name.to_owned(), Value::Object(property));
        if field.get("required").and_then(Value::as_bool) == Some(true) {
            required.push(Value::from(name));
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, params: &Value, id: Option<Value>) -> Result<Message, (Value, Refusal)> {
        Message::read(method, params.as_object(), id)
    }

    #[test]
    fn messages_are_requests_or_notifications() {
        let request = |call| Ok(Message::Request { id: json!("a"), call });
        let id = || Some(json!("a"));
        assert_eq!(read("ping", &Value::Null, id()), request(Call::Ping));
        let client = json!({"clientInfo": {"name": "x", "version": "1"}});
        let call = Call::Initialize { client: "x@1".to_owned() };
        assert_eq!(read("initialize", &client, id()), request(call));
        let call = Call::CallTool { arguments: Map::new() };
        assert_eq!(read("tools/call", &json!({"name": "t"}), id()), request(call));
        for method in ["notifications/initialized", "notifications/cancelled"] {
            assert_eq!(read(method, &Value::Null, None), Ok(Message::Notification));
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_a_code() {
        for (method, params, id, code) in [
            ("ping", Value::Null, None, INVALID_REQUEST),
            ("resources/list", Value::Null, Some(json!(1)), METHOD_NOT_FOUND),
            ("magic", Value::Null, Some(json!(1)), METHOD_NOT_FOUND),
            ("initialize", Value::Null, Some(json!(1)), INVALID_PARAMS),
            ("tools/call", json!({"name": "t", "arguments": 1}), Some(json!(1)), INVALID_PARAMS),
            ("tools/call", json!({}), Some(json!(1)), INVALID_PARAMS),
        ] {
            let refused = read(method, &params, id).map_err(|(_, refusal)| refusal.code);
            assert_eq!(refused, Err(code), "{method}");
        }
        let refused = read("resources/list", &Value::Null, Some(json!(1)));
        let message = refused.map_err(|(_, refusal)| refusal.message);
        assert_eq!(message, Err("Method not found: ListResourcesRequest".to_owned()));
    }

    #[test]
    fn forms_become_schemas() {
        let form = [
            json!({"text-input": {"variable": "q", "required": true}}),
            json!({"select": {"variable": "s", "options": ["a"], "required": false}}),
            json!({"number": {"variable": "n"}}),
            json!({"checkbox": {"variable": "c"}}),
            json!({"file": {"variable": "f", "required": true}}),
        ];
        let Value::Object(descriptions) = json!({"q": "words"}) else { panic!("an object") };
        assert_eq!(
            input_schema(&form, &descriptions, false),
            json!({
                "type": "object",
                "properties": {
                    "q": {"description": "words", "type": "string"},
                    "s": {"description": "", "type": "string", "enum": ["a"]},
                    "n": {"description": "", "type": "number"},
                    "c": {"description": ""},
                },
                "required": ["q"],
            })
        );
        let asks = input_schema(&[], &Map::new(), true);
        assert_eq!(asks.pointer("/required"), Some(&json!(["query"])));
    }
}
