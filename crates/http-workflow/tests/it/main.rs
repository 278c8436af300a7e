//! The endpoints of this crate over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be unwrapped has failed the test"
)]

mod agent;
mod beside;
mod coverage;
mod daemon;
mod forms;
mod keys;
mod models;
mod nodes;
mod parts;
mod stop;
mod tools;
mod world;

use serde_json::{Value, json};
use test_support::TestApp;

const APPS: &str = "/console/api/apps";

/// An app with a draft.
pub(crate) struct Flow {
    pub(crate) app: TestApp,
    id: String,
}

impl Flow {
    /// An app of a mode with this draft.
    pub(crate) async fn new(settings: &[(&str, &str)], mode: &str, graph: &Value) -> Self {
        let app = TestApp::with(settings).await;
        let made = app.post(APPS, json!({"name": "flow", "mode": mode})).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let flow = Self { app, id };
        flow.save(graph, &json!([])).await;
        flow
    }

    /// Saves the draft. A draft that is there already is replaced.
    pub(crate) async fn save(&self, graph: &Value, conversation_variables: &Value) {
        let before = self.app.get(&self.path("/workflows/draft")).await.json();
        let saved = self
            .app
            .post(
                &self.path("/workflows/draft"),
                json!({"graph": graph, "features": {}, "hash": before["hash"],
                    "conversation_variables": conversation_variables}),
            )
            .await;
        assert_eq!(saved.status, 200, "{}", saved.text());
    }

    /// A path of the app.
    pub(crate) fn path(&self, tail: &str) -> String {
        format!("{APPS}/{}{tail}", self.id)
    }

    /// Asks for `GET {tail}` of the app, which must work.
    pub(crate) async fn get(&self, tail: &str) -> Value {
        let answer = self.app.get(&self.path(tail)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Runs one node of the draft, which must be possible.
    pub(crate) async fn step(&self, node: &str, inputs: &Value) -> Value {
        let path = self.path(&format!("/workflows/draft/nodes/{node}/run"));
        let answer = self.app.post(&path, json!({"inputs": inputs})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The events of `POST {tail}`.
    pub(crate) async fn events(&self, tail: &str, body: Value) -> Vec<Value> {
        let answer = self.app.post(&self.path(tail), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        text.lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Names of events.
pub(crate) fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

/// A node.
pub(crate) fn node(id: &str, kind: &str, mut data: Value) -> Value {
    data["type"] = json!(kind);
    data["title"] = json!(id);
    json!({"id": id, "type": "custom", "data": data})
}

/// A graph of nodes, and of edges as `(source, target)`.
pub(crate) fn graph(nodes: Vec<Value>, edges: &[(&str, &str)]) -> Value {
    let edges: Vec<(&str, &str, &str)> =
        edges.iter().map(|(source, target)| (*source, "source", *target)).collect();
    linked(nodes, &edges)
}

/// A graph of nodes, and of edges as `(source, handle, target)`.
pub(crate) fn linked(nodes: Vec<Value>, edges: &[(&str, &str, &str)]) -> Value {
    let edges: Vec<Value> = edges
        .iter()
        .map(|(source, handle, target)| json!({"source": source, "target": target, "sourceHandle": handle}))
        .collect();
    json!({"nodes": nodes, "edges": edges, "viewport": {}})
}

/// A code node that computes `r` in Python.
pub(crate) fn code(id: &str, variables: &[(&str, [&str; 2])], body: &str, kind: &str) -> Value {
    let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    let read: Vec<Value> = variables
        .iter()
        .map(|(name, selector)| json!({"variable": name, "value_selector": selector}))
        .collect();
    let code = format!("def main({}):\n    return {{'r': {body}}}", names.join(", "));
    node(
        id,
        "code",
        json!({"code_language": "python3", "code": code, "variables": read,
            "outputs": {"r": {"type": kind, "children": null}}}),
    )
}
