//! A plugin daemon with one agent strategy, which says what a test tells it to.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

#[derive(Clone)]
struct Shared {
    says: Arc<Mutex<Vec<Value>>>,
    invoked: Arc<Mutex<Vec<Value>>>,
}

/// The daemon. It ends with this value.
pub(crate) struct Daemon {
    pub(crate) url: String,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Daemon {
    pub(crate) async fn new() -> Self {
        let shared = Shared { says: Arc::default(), invoked: Arc::default() };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(socket, app).await;
        });
        Self { url, shared, task }
    }

    /// What the strategy says from now on: messages, or errors with a `code`.
    pub(crate) fn say(&self, messages: Vec<Value>) {
        *self.shared.says.lock().unwrap() = messages;
    }

    /// What the strategy was last invoked with.
    pub(crate) fn invoked(&self) -> Value {
        self.shared.invoked.lock().unwrap().last().unwrap().clone()
    }
}

async fn answer(State(shared): State<Shared>, uri: Uri, body: Bytes) -> Response {
    let path = uri.path();
    let good = |data: Value| Json(json!({"code": 0, "message": "success", "data": data}));
    if path.ends_with("/dispatch/agent_strategy/invoke") {
        let body = serde_json::from_slice(&body).unwrap();
        shared.invoked.lock().unwrap().push(body);
        let lines = shared.says.lock().unwrap().clone().into_iter().map(|line| {
            let line = if line.get("code").is_some() { line } else { good(line).0 };
            format!("data: {line}\n\n")
        });
        return lines.collect::<String>().into_response();
    }
    if path.ends_with("/management/agent_strategy") {
        return good(provider()).into_response();
    }
    if path.ends_with("/management/installation/fetch/batch") {
        return good(json!([installation()])).into_response();
    }
    if path.ends_with("/management/models") {
        return good(json!([])).into_response();
    }
    let missing =
        json!({"error_type": "PluginNotFoundError", "message": "plugin not found", "args": null});
    let missing = json!({"code": -404, "message": missing.to_string(), "data": null});
    Json(missing).into_response()
}

fn identity(name: &str) -> Value {
    json!({"author": "me", "name": name, "description": {"en_US": name}, "icon": "icon.svg",
        "label": {"en_US": name}, "tags": []})
}

fn provider() -> Value {
    let parameter = |name: &str, kind: &str, required: bool| json!({"name": name, "label": {"en_US": name}, "type": kind, "required": required});
    json!({
        "provider": "agent", "plugin_unique_identifier": "me/agent:0.0.1@c", "plugin_id": "me/agent",
        "meta": {"version": "0.0.2"},
        "declaration": {"identity": identity("agent"), "strategies": [{
            "identity": {"author": "me", "name": "think", "label": {"en_US": "Think"}},
            "description": {"en_US": "Thinks"},
            "parameters": [
                parameter("model", "model-selector", true), parameter("tools", "array[tools]", false),
                parameter("query", "string", true), parameter("context", "any", false),
                {"name": "rounds", "label": {"en_US": "Rounds"}, "type": "number", "default": 3},
            ],
        }]},
    })
}

fn installation() -> Value {
    json!({
        "id": "1", "created_at": "2025-02-01T00:00:00Z", "updated_at": "2025-02-01T00:00:00Z", "tenant_id": "t",
        "endpoints_setups": 0, "endpoints_active": 0, "runtime_type": "local", "source": "marketplace", "meta": {},
        "plugin_id": "me/agent", "plugin_unique_identifier": "me/agent:0.0.1@c", "version": "0.0.1", "checksum": "c",
        "declaration": {
            "version": "0.0.1", "author": "me", "name": "agent", "label": {"en_US": "Agent"},
            "description": {"en_US": "Agents"}, "icon": "agent.svg", "created_at": "2025-01-15T08:00:00Z",
            "resource": {"memory": 1}, "plugins": {"agent_strategies": ["a.yaml"]}, "meta": {"version": "0.0.2"},
            "agent_strategy": {"identity": identity("agent")},
        },
    })
}
