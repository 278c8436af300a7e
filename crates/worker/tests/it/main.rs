//! What runs without anybody asking over HTTP: schedules, triggered runs, forms that time out, old runs that go.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what cannot be unwrapped has failed the test"
)]

mod form;
mod retention;
mod schedule;
mod webhook;

use std::sync::Arc;

use serde_json::{Value, json};
use services_workflow::run::Runs;
use test_support::{Client, TestServer};

/// A server with a published workflow app: a trigger node, a template that renders `text`, and an end.
pub(crate) struct Lab {
    pub(crate) server: TestServer,
    pub(crate) owner: Client,
    pub(crate) path: String,
}

impl Lab {
    pub(crate) async fn new(trigger: Value, text: &str, settings: &[(&str, &str)]) -> Self {
        let (server, owner) = TestServer::set_up_with(settings).await;
        let made = owner
            .post("/console/api/apps", json!({"name": "triggered", "mode": "workflow"}))
            .await
            .expect(201);
        let path = format!("/console/api/apps/{}", made["id"].as_str().unwrap());
        let lab = Self { server, owner, path };
        lab.save(trigger, text).await;
        lab
    }

    async fn save(&self, trigger: Value, text: &str) {
        let kind = trigger["type"].clone();
        let node = |id: &str, data: Value| json!({"id": id, "type": "custom", "data": data});
        let edge = |from: &str, to: &str| {
            json!({"id": format!("{from}-{to}"), "source": from, "sourceHandle": "source", "target": to,
                   "targetHandle": "target"})
        };
        let variables = if kind == "trigger-webhook" {
            json!([{"variable": "a", "value_selector": ["go", "a"]}])
        } else {
            json!([])
        };
        let graph = json!({
            "nodes": [
                node("go", trigger),
                node("t", json!({"type": "template-transform", "title": "t", "template": text,
                                 "variables": variables})),
                node("end", json!({"type": "end", "title": "end", "outputs": [
                    {"variable": "out", "value_selector": ["t", "output"], "value_type": "string"}]})),
            ],
            "edges": [edge("go", "t"), edge("t", "end")],
        });
        let draft = json!({"graph": graph, "features": {}, "environment_variables": [],
                           "conversation_variables": []});
        self.owner.post(&format!("{}/workflows/draft", self.path), draft).await.expect(200);
        let publish = format!("{}/workflows/publish", self.path);
        self.owner.post(&publish, json!({})).await.expect(200);
    }

    pub(crate) fn runs(&self) -> Arc<Runs> {
        self.server.state().part::<Runs>().expect("something that runs workflows")
    }

    /// The runs the app's log shows, newest first.
    pub(crate) async fn logged(&self) -> Vec<Value> {
        let path = format!("{}/workflow-app-logs", self.path);
        let answer = self.owner.get(&path).await.expect(200);
        answer["data"].as_array().cloned().unwrap_or_default()
    }

    /// What a run's end node answered.
    pub(crate) async fn outputs(&self, run: &Value) -> Value {
        let run = run["workflow_run"]["id"].as_str().unwrap();
        let answer =
            self.owner.get(&format!("{}/workflow-runs/{run}", self.path)).await.expect(200);
        answer["outputs"].clone()
    }
}
