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

/// Sends a message to a server.
async fn rpc(app: &TestApp, code: &str, message: Value) -> test_support::Answer {
    let request = axum::http::Request::post(format!("/mcp/server/{code}/mcp"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    app.send(request.body(axum::body::Body::from(message.to_string())).unwrap()).await
}

fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

#[tokio::test]
async fn a_client_gets_to_know_the_one_tool() {
    let app = TestApp::new().await;
    let id = make(&app, "Helper", "chat").await;
    let field = json!({"text-input": {"label": "Who", "variable": "who", "required": true}});
    crate::configure(&app, &id, json!({"model": crate::model(), "user_input_form": [field]})).await;
    let path = format!("{APPS}/{id}/server");
    let offer = json!({"description": "helps", "parameters": {"who": "a name"}});
    let made = app.post(&path, offer).await.json();
    let code = made["server_code"].as_str().unwrap();

    let call = message("tools/call", json!({"name": "Helper", "arguments": {"query": "hi"}}));
    let early = rpc(&app, code, call.clone()).await.json();
    assert_eq!(early["error"], json!({"code": -32602, "message": "End user not found"}));

    let client = json!({"protocolVersion": "2025-06-18", "capabilities": {},
                        "clientInfo": {"name": "t", "version": "1"}});
    let greeted = rpc(&app, code, message("initialize", client)).await.json();
    assert_eq!(greeted["id"], 7);
    assert_eq!(greeted["result"]["serverInfo"]["name"], "Dify");
    assert_eq!(greeted["result"]["instructions"], "helps");
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let noted = rpc(&app, code, note).await;
    assert_eq!((noted.status.as_u16(), noted.text()), (202, String::new()));

    let listed = rpc(&app, code, message("tools/list", json!({}))).await.json();
    assert_eq!(
        listed["result"]["tools"],
        json!([{"name": "Helper", "description": "helps", "inputSchema": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "User Input/Question content"},
                "who": {"type": "string", "description": "a name"},
            },
            "required": ["query", "who"],
        }}])
    );
    // Known by now; what it lacks is said.
    let refused = rpc(&app, code, message("tools/call", json!({"name": "Helper"}))).await.json();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

#[tokio::test]
async fn what_is_no_call_of_the_tool_is_refused() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    crate::configure(&app, &id, json!({"model": crate::model()})).await;
    let path = format!("{APPS}/{id}/server");
    let made = app.post(&path, json!({"parameters": {}})).await.json();
    let code = made["server_code"].as_str().unwrap();
    assert_eq!(
        rpc(&app, code, json!({"hello": 1})).await.error(),
        (400, "invalid_param".to_owned())
    );
    for (method, expected) in
        [("resources/list", -32601), ("magic", -32601), ("tools/call", -32602)]
    {
        let answer = rpc(&app, code, message(method, json!({}))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["error"]["code"], expected, "{method}");
    }
    assert_eq!(rpc(&app, "nobody", message("ping", json!({}))).await.status, 404);
    let off = json!({"id": made["id"], "parameters": {}, "status": "inactive"});
    app.call(Method::PUT, &path, Some(off)).await;
    assert_eq!(rpc(&app, code, message("ping", json!({}))).await.status, 403);
}
