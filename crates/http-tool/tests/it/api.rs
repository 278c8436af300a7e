//! APIs described as tools.

use axum::http::Method;
use serde_json::{Value, json};
use test_support::{Listener, TestApp};

use crate::CURRENT;

fn schema(url: &str) -> String {
    json!({
        "openapi": "3.1.0", "info": {"title": "Words", "description": "About words"},
        "servers": [{"url": url}],
        "paths": {"/say/{word}": {"get": {
            "operationId": "say", "summary": "Says a word",
            "parameters": [
                {"name": "word", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "times", "in": "query", "schema": {"type": "integer", "default": 2}},
            ],
        }}},
    })
    .to_string()
}

fn content(name: &str, url: &str, key: &str) -> Value {
    json!({
        "provider": name, "icon": {"content": "W", "background": "#fff"}, "schema_type": "openapi",
        "schema": schema(url), "labels": ["search", "magic"],
        "credentials": {"auth_type": "api_key_header", "api_key_header": "X-Key", "api_key_value": key},
    })
}

#[tokio::test]
async fn an_api_is_kept_shown_changed_and_forgotten() {
    let app = TestApp::new().await;
    let base = format!("{CURRENT}/tool-provider/api");
    let made = app.post(&format!("{base}/add"), content("words", "http://a", "secret-key")).await;
    assert_eq!(made.json(), json!({"result": "success"}), "{}", made.text());
    let twice = app.post(&format!("{base}/add"), content("words", "http://a", "k")).await;
    assert_eq!(twice.json()["message"], "provider words already exists");

    let shown = app.get(&format!("{base}/get?provider=words")).await.json();
    assert_eq!(shown["credentials"]["api_key_value"], "se******ey");
    assert_eq!(shown["labels"], json!(["search"]));
    assert_eq!(shown["description"], "About words");
    let listed = app.get(&format!("{CURRENT}/tools/api")).await.json();
    assert_eq!(listed[0]["tools"][0]["name"], "say");

    let mut changed = content("speech", "http://b", "se******ey");
    changed["original_provider"] = "words".into();
    assert_eq!(app.post(&format!("{base}/update"), changed).await.status, 200);
    let shown = app.get(&format!("{base}/get?provider=speech")).await.json();
    assert_eq!(shown["credentials"]["api_key_value"], "se******ey", "a masked key stays");

    let gone = app.post(&format!("{base}/delete"), json!({"provider": "speech"})).await;
    assert_eq!(gone.status, 200);
    let missing = app.get(&format!("{base}/get?provider=speech")).await;
    assert_eq!(missing.json()["message"], "you have not added provider speech");
}

#[tokio::test]
async fn an_api_of_another_workspace_is_not_there() {
    let app = TestApp::new().await;
    let base = format!("{CURRENT}/tool-provider/api");
    app.post(&format!("{base}/add"), content("words", "http://a", "k")).await;
    let stranger = app.stranger().await;
    let path = format!("{base}/get?provider=words");
    let answer = app.call_as(&stranger, Method::GET, &path, None).await;
    assert_eq!(answer.json()["message"], "you have not added provider words");
}

#[tokio::test]
async fn a_tool_is_tried_before_it_is_kept() {
    let api = Listener::new(&[
        ("GET /say/hi?times=2", 200, "application/json", br#"{"said": "hi"}"#),
        ("GET /say/no?times=2", 418, "text/plain", b"short and stout"),
    ])
    .await;
    let app = TestApp::new().await;
    let attempt = async |word: Value| {
        let body = json!({
            "tool_name": "say", "schema_type": "openapi", "schema": schema(&api.url),
            "parameters": word,
            "credentials": {"auth_type": "api_key_header", "api_key_value": "v", "api_key_header_prefix": "bearer"},
        });
        app.post(&format!("{CURRENT}/tool-provider/api/test/pre"), body).await.json()
    };
    assert_eq!(attempt(json!({"word": "hi"})).await, json!({"result": "{\"said\": \"hi\"}"}));
    assert_eq!(
        attempt(json!({"word": "no"})).await,
        json!({"error": "Request failed with status code 418 and short and stout"})
    );
    assert_eq!(attempt(json!({})).await, json!({"error": "Missing required parameter word"}));
    let seen = api.seen();
    assert_eq!(seen[0].line, "GET /say/hi?times=2");
    assert_eq!(seen[0].headers["authorization"], "Bearer v");
}
