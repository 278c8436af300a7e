//! Apps as MCP servers: the row.

use axum::http::Method;
use serde_json::{Value, json};
use test_support::TestApp;

use crate::{APPS, make};

#[tokio::test]
async fn a_server_is_made_changed_and_moved() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}/server", make(&app, "x", "chat").await);
    assert_eq!(app.get(&path).await.json()["id"], Value::Null);
    let made = app.post(&path, json!({"description": "d", "parameters": {"a": "é"}})).await.json();
    assert_eq!((&made["status"], &made["parameters"]), (&json!("active"), &json!({"a": "é"})));
    assert_eq!(app.post(&path, json!({"parameters": {}})).await.status, 409);

    let edit = |status: &str| json!({"id": made["id"], "parameters": {}, "status": status});
    let refused = app.call(Method::PUT, &path, Some(edit("asleep"))).await;
    assert_eq!(refused.json()["message"], "Invalid status");
    let changed = app.call(Method::PUT, &path, Some(edit("inactive"))).await.json();
    assert_eq!((&changed["status"], &changed["description"]), (&json!("inactive"), &json!("")));

    let refresh = format!("{APPS}/{}/server/refresh", made["id"].as_str().unwrap());
    let stranger = app.stranger().await;
    assert_eq!(app.call_as(&stranger, Method::GET, &refresh, None).await.status, 404);
    assert_ne!(app.get(&refresh).await.json()["server_code"], made["server_code"]);
}

#[tokio::test]
async fn a_server_is_changed_through_its_own_app_only() {
    let app = TestApp::new().await;
    let path = |id: &str| format!("{APPS}/{id}/server");
    let (one, two) = (make(&app, "1", "chat").await, make(&app, "2", "chat").await);
    let made = app.post(&path(&one), json!({"parameters": {}})).await.json();
    let body = json!({"id": made["id"], "parameters": {"a": "b"}});
    assert_eq!(app.call(Method::PUT, &path(&two), Some(body)).await.status, 404);
}
