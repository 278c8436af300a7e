//! The endpoints of this crate over HTTP.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed the test")]

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use test_support::{Answer, TestApp};

const KEY: &str = "inner-key";

async fn app() -> TestApp {
    TestApp::with(&[("INNER_API_KEY_FOR_PLUGIN", KEY), ("PLUGIN_DAEMON_KEY", "daemon-key")]).await
}

async fn call(app: &TestApp, key: Option<&str>, path: &str, mut body: Value) -> Answer {
    body["tenant_id"] = app.owner.tenant.to_string().into();
    body["user_id"] = "".into();
    let mut request = Request::builder()
        .method("POST")
        .uri(format!("/inner/api{path}"))
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("x-inner-api-key", key);
    }
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// The data of each frame.
fn frames(answer: &Answer) -> Vec<Value> {
    let mut rest = &answer.bytes[..];
    let mut frames = Vec::new();
    while let Some((head, tail)) = rest.split_at_checked(14) {
        let size = u32::from_le_bytes(head[4..8].try_into().unwrap()) as usize;
        let (data, more) = tail.split_at(size);
        frames.push(serde_json::from_slice(data).unwrap());
        rest = more;
    }
    frames
}

#[tokio::test]
async fn whoever_has_no_key_finds_nothing() {
    let app = app().await;
    for key in [None, Some("wrong")] {
        let answer =
            call(&app, key, "/invoke/summary", json!({"text": "", "instruction": ""})).await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn plugins_call_tools_of_the_server() {
    let app = app().await;
    let weekday = |day: i64| {
        json!({"tool_type": "builtin", "provider": "time", "tool": "weekday",
            "tool_parameters": {"year": 2024, "month": 5, "day": day}})
    };
    let answer = call(&app, Some(KEY), "/invoke/tool", weekday(1)).await;
    assert_eq!(
        frames(&answer),
        [
            json!({"data": {"type": "text", "message": {"text": "May 1, 2024 is Wednesday."}, "meta": null}, "error": ""})
        ]
    );
    let unknown =
        json!({"tool_type": "builtin", "provider": "time", "tool": "x", "tool_parameters": {}});
    let answer = call(&app, Some(KEY), "/invoke/tool", unknown).await;
    assert_eq!(answer.json()["message"], "builtin tool x not found");
}

#[tokio::test]
async fn settings_of_endpoints_are_encrypted_and_decrypted() {
    let app = app().await;
    let config = json!([{"type": "secret-input", "name": "secret"}, {"type": "text-input", "name": "plain"}]);
    let body = |operation: &str, data: &Value| json!({"namespace": "endpoint", "identity": "i", "config": config, "opt": operation, "data": data});
    let data = json!({"secret": "s3cret", "plain": "p"});
    let sealed = call(&app, Some(KEY), "/invoke/encrypt", body("encrypt", &data)).await.json();
    let sealed = sealed["data"]["data"].clone();
    assert_eq!(sealed["plain"], "p");
    assert_ne!(sealed["secret"], "s3cret");
    let opened = call(&app, Some(KEY), "/invoke/encrypt", body("decrypt", &sealed)).await.json();
    assert_eq!(opened["data"]["data"], data);
}
