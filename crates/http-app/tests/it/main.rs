//! The endpoints of this crate over HTTP.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed the test")]

mod apps;
mod convert;
mod dsl;
mod mcp_server;
mod model_config;
mod site;
mod trace;

use serde_json::{Value, json};
use test_support::TestApp;

pub(crate) const APPS: &str = "/console/api/apps";

/// Makes an app; its id.
pub(crate) async fn make(app: &TestApp, name: &str, mode: &str) -> String {
    let made = app.post(APPS, json!({"name": name, "mode": mode})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// An app as the console shows it.
pub(crate) async fn show(app: &TestApp, id: &str) -> Value {
    let shown = app.get(&format!("{APPS}/{id}")).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    shown.json()
}

/// The least a configuration needs: a model of a built-in provider.
pub(crate) fn model() -> Value {
    json!({"provider": "langgenius/openai/openai", "name": "gpt-4o-mini", "completion_params": {}})
}

/// Gives an app a prompt.
pub(crate) async fn configure(app: &TestApp, id: &str, config: Value) {
    let saved = app.post(&format!("{APPS}/{id}/model-config"), config).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
}

/// Asks the service API with a key.
pub(crate) async fn ask(app: &TestApp, key: &Value, path: &str) -> test_support::Answer {
    let bearer = format!("Bearer {}", key["token"].as_str().unwrap());
    let request = axum::http::Request::builder().uri(path).header("authorization", bearer);
    app.send(request.body(axum::body::Body::empty()).unwrap()).await
}
