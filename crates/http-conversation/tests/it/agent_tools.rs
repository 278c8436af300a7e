//! Agents with tools that are APIs, and workflows.

use serde_json::{Value, json};
use test_support::Listener;

use crate::support::{OPENAI, World, text};

const CURRENT: &str = "/console/api/workspaces/current";

/// The only provider of a kind.
async fn provider(world: &World, kind: &str) -> String {
    let listed = world.owner.get(&format!("{CURRENT}/tools/{kind}")).await.expect(200);
    text(&listed[0], "id").to_owned()
}

/// An API whose tool `say` answers what `api` does.
async fn api_tool(world: &World, api: &Listener) -> String {
    let schema = json!({
        "openapi": "3.1.0", "info": {"title": "Words"}, "servers": [{"url": api.url}],
        "paths": {"/say/{word}": {"get": {"operationId": "say", "summary": "Says a word", "parameters": [
            {"name": "word", "in": "path", "required": true, "schema": {"type": "string"}}]}}},
    });
    let content = json!({
        "provider": "words", "icon": {"content": "W", "background": "#fff"}, "schema_type": "openapi",
        "schema": schema.to_string(), "labels": [],
        "credentials": {"auth_type": "api_key_header", "api_key_header": "X-Key", "api_key_value": "hush"},
    });
    world.owner.post(&format!("{CURRENT}/tool-provider/api/add"), content).await.expect(200);
    provider(world, "api").await
}

/// A workflow that greets, as the tool `greet`.
async fn workflow_tool(world: &World) -> String {
    let new = json!({"name": "greets", "mode": "workflow", "icon_type": "emoji", "icon": "x"});
    let app = world.owner.post("/console/api/apps", new).await.expect(201);
    let at = |tail: &str| format!("/console/api/apps/{}/{tail}", text(&app, "id"));
    let graph = json!({
        "nodes": [
            {"id": "start", "data": {"type": "start", "title": "start", "variables": [
                {"variable": "who", "label": "who", "type": "text-input", "required": true, "max_length": 48}]}},
            {"id": "words", "data": {"type": "template-transform", "title": "words", "template": "hello {{ who }}",
                "variables": [{"variable": "who", "value_selector": ["start", "who"]}]}},
            {"id": "end", "data": {"type": "end", "title": "end",
                "outputs": [{"variable": "out", "value_selector": ["words", "output"]}]}},
        ],
        "edges": [
            {"id": "a", "source": "start", "sourceHandle": "source", "target": "words", "targetHandle": "target"},
            {"id": "b", "source": "words", "sourceHandle": "source", "target": "end", "targetHandle": "target"},
        ],
    });
    let draft = json!({"graph": graph, "features": {}, "environment_variables": [], "conversation_variables": []});
    world.owner.post(&at("workflows/draft"), draft).await.expect(200);
    world.owner.post(&at("workflows/publish"), json!({})).await.expect(200);
    let content = json!({
        "workflow_app_id": app["id"], "name": "greet", "label": "Greet", "description": "greets",
        "icon": {"content": "G", "background": "#fff"}, "privacy_policy": "", "labels": [],
        "parameters": [{"name": "who", "description": "who", "form": "llm"}],
    });
    let path = format!("{CURRENT}/tool-provider/workflow/create");
    world.owner.post(&path, content).await.expect(200);
    provider(world, "workflow").await
}

fn choice(kind: &str, provider: &str, tool: &str) -> Value {
    json!({"enabled": true, "provider_id": provider, "provider_name": kind, "provider_type": kind,
        "tool_label": tool, "tool_name": tool, "tool_parameters": {}})
}

#[tokio::test]
async fn an_agent_calls_apis_and_workflows() {
    let api =
        Listener::new(&[("GET /say/hi", 200, "application/json", br#"{"said": "hi"}"#)]).await;
    let world = World::new(&[]).await;
    let (words, greets) = (api_tool(&world, &api).await, workflow_tool(&world).await);
    let app = world
        .app(
            "agent-chat",
            json!({
                "model": {"provider": OPENAI, "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}},
                "agent_mode": {"enabled": true, "max_iteration": 3, "strategy": "function_call",
                    "tools": [choice("api", &words, "say"), choice("workflow", &greets, "greet")]},
            }),
        )
        .await;
    let query = r#"do [[parallel]] [[tool:say {"word": "hi"}]] [[tool:greet {"who": "Bo"}]]"#;
    let events = app.stream(query, &[]).await.rest().await;
    let end = &events.last().unwrap().data;
    assert_eq!(end["event"], "message_end", "{events:?}");
    let kept = app.messages(text(end, "conversation_id")).await;
    let thought = &kept[0]["agent_thoughts"][0];
    assert_eq!(text(thought, "tool"), "say;greet");
    let observed: Value = serde_json::from_str(text(thought, "observation")).unwrap();
    assert_eq!(text(&observed, "say"), r#"{"said": "hi"}"#);
    assert!(text(&observed, "greet").contains("hello Bo"), "{observed}");
    assert!(text(&kept[0], "answer").contains("hello Bo"), "{kept:?}");
    let seen = api.seen();
    assert_eq!(seen[0].headers["x-key"], "hush");
    // The workflow ran as a run of its own.
    assert_eq!(
        world.count("SELECT count(*) FROM workflow_runs WHERE status = 'succeeded'").await,
        1
    );
}
