//! MCP servers.

use axum::http::Method;
use serde_json::{Value, json};
use test_support::{Listener, TestApp};

use crate::CURRENT;

fn content(url: &str) -> Value {
    json!({
        "server_url": url, "name": "helper", "icon": "H", "icon_type": "emoji", "server_identifier": "helper",
        "headers": {"X-Key": "secret-key"},
    })
}

#[tokio::test]
async fn a_server_that_is_away_is_kept_without_tools() {
    let app = TestApp::new().await;
    let base = format!("{CURRENT}/tool-provider/mcp");
    let away = Listener::new(&[]).await;
    let url = format!("{}/mcp", away.url);
    let made = app.post(&base, content(&url)).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    assert_eq!(made["tools"], json!([]));
    assert_eq!(made["is_team_authorization"], false);
    assert_eq!(made["server_url"], format!("{}/******", away.url));
    assert_eq!(made["masked_headers"], json!({"X-Key": "se******ey"}));

    let again = app.post(&base, content(&url)).await;
    assert_eq!(again.json()["message"], "MCP tool helper already exists");
    let id = made["id"].as_str().unwrap();
    let refresh = app.get(&format!("{base}/update/{id}")).await;
    assert_eq!(refresh.json()["message"], "Please auth the tool first");

    let stranger = app.stranger().await;
    let path = format!("{base}/tools/{id}");
    let answer = app.call_as(&stranger, Method::GET, &path, None).await;
    assert_eq!(answer.json()["message"], "MCP tool not found");
    let gone = app.call(Method::DELETE, &base, Some(json!({"provider_id": id}))).await;
    assert_eq!(gone.status, 200);
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_sends_people_to_sign_in() {
    let metadata = br#"{"authorization_endpoint": "http://auth/authorize", "token_endpoint": "http://auth/token"}"#;
    let server = Listener::new(&[
        ("POST /mcp", 401, "text/plain", b"who are you?"),
        ("GET /.well-known/oauth-authorization-server", 200, "application/json", metadata),
    ])
    .await;
    let app = TestApp::new().await;
    let base = format!("{CURRENT}/tool-provider/mcp");
    let mut content = content(&format!("{}/mcp", server.url));
    content["authentication"] = json!({"client_id": "known", "client_secret": "hush"});
    let made = app.post(&base, content).await.json();
    let connected = app.post(&format!("{base}/auth"), json!({"provider_id": made["id"]})).await;
    let url = connected.json()["authorization_url"].as_str().unwrap_or_default().to_owned();
    assert!(
        url.starts_with("http://auth/authorize?response_type=code&client_id=known"),
        "{}",
        connected.text()
    );
    let back = app.get_anonymously("/console/api/mcp/oauth/callback?code=c&state=unknown").await;
    assert_eq!(back.json()["message"], "State parameter has expired or does not exist");
}
