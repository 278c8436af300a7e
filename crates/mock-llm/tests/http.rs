//! The server over HTTP: what its controls change.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use axum::{Router, body::Body};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn send(server: &Router, method: Method, path: &str, body: Value) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-1")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = server.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn chat(text: &str, stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn settings_change_what_follows() {
    let server = mock_llm::router(mock_llm::Config::default());
    let said = |body: String| {
        let body: Value = serde_json::from_str(&body).unwrap();
        body["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    };
    let (_, body) = send(&server, Method::POST, "/v1/chat/completions", chat("hi", false)).await;
    assert_eq!(said(body), "You said: hi [messages=1]");
    let (status, shown) =
        send(&server, Method::POST, "/__config", json!({"tokens": 2, "smart": false})).await;
    assert_eq!(status, StatusCode::OK);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["tokens"], &shown["smart"]), (&json!(2), &json!(false)));
    let (_, body) = send(&server, Method::POST, "/chat/completions", chat("hi", false)).await;
    assert_eq!(said(body), "You said: ");
    let (status, _) = send(&server, Method::POST, "/__config", json!({"nothing": 1})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn streams_are_paced_and_logged() {
    let server = mock_llm::router(mock_llm::Config::default());
    let text = "[[tokens:3]][[delay_ms:1]]x";
    let (_, body) = send(&server, Method::POST, "/v1/chat/completions", chat(text, true)).await;
    let events: Vec<&str> = body.split("\n\n").filter(|event| !event.is_empty()).collect();
    assert_eq!(events.len(), 6, "a head, three pieces, an end, and DONE");
    assert_eq!(events[5], "data: [DONE]");
    let (_, log) = send(&server, Method::GET, "/__log?contains=tokens", json!({})).await;
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["matched"], 1);
    assert_eq!(log["entries"][0]["events_sent"], 6);
    assert_eq!(log["entries"][0]["headers"]["authorization"], "Bearer sk-1");
    let (_, stats) = send(&server, Method::GET, "/__stats", json!({})).await;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["by_path"], json!({"/v1/chat/completions": 1}));
}
