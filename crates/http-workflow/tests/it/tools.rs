//! Nodes that call tools, and documents.

use http::{Method, Request};
use serde_json::{Value, json};
use test_support::{Listener, app::with_form};

use crate::{
    graph, node,
    world::{World, data, outputs},
};

const PROVIDERS: &str = "/console/api/workspaces/current/tool-provider";

fn start(variables: Value) -> Value {
    node("start", "start", json!({"variables": variables}))
}

fn tool(kind: &str, provider: &str, name: &str, parameters: Value, settings: Value) -> Value {
    node(
        "n",
        "tool",
        json!({"provider_type": kind, "provider_id": provider, "provider_name": provider, "tool_name": name,
            "tool_label": name, "tool_parameters": parameters, "tool_configurations": settings,
            "tool_node_version": "2"}),
    )
}

#[tokio::test]
async fn tools_of_every_kind_answer() {
    let upstream = Listener::new(&[
        ("GET /say/hi", 200, "application/json", br#"{"said": "hi"}"#),
        ("GET /say/no", 418, "text/plain", b"short and stout"),
    ])
    .await;
    let world = World::new(&[]).await;
    let schema = json!({
        "openapi": "3.1.0", "info": {"title": "Words", "description": "About words"},
        "servers": [{"url": upstream.url}],
        "paths": {"/say/{word}": {"get": {"operationId": "say", "summary": "Says a word", "parameters": [
            {"name": "word", "in": "path", "required": true, "schema": {"type": "string"}}]}}},
    });
    let content = json!({"provider": "words", "icon": {"content": "W", "background": "#fff"}, "schema_type": "openapi",
        "schema": schema.to_string(), "labels": [], "credentials": {"auth_type": "none"}});
    world.owner.post(&format!("{PROVIDERS}/api/add"), content).await.expect(200);
    let listed = world.owner.get("/console/api/workspaces/current/tools/api").await.expect(200);
    let api = listed[0]["id"].as_str().unwrap().to_owned();

    // A workflow that others call.
    let variables =
        json!([{"variable": "q", "label": "q", "type": "text-input", "required": true}]);
    let end = node(
        "end",
        "end",
        json!({"outputs": [{"variable": "twice", "value_selector": ["t", "output"]}]}),
    );
    let twice = node(
        "t",
        "template-transform",
        json!({"template": "{{ q }}{{ q }}",
        "variables": [{"variable": "q", "value_selector": ["start", "q"]}]}),
    );
    let inner = graph(vec![start(variables), twice, end], &[("start", "t"), ("t", "end")]);
    let inner = world.app("workflow", &inner).await;
    let shape = json!({"name": "twice", "label": "Twice", "description": "Says it twice", "workflow_app_id": inner.id,
        "icon": {"content": "2", "background": "#fff"},
        "parameters": [{"name": "q", "description": "what", "form": "llm"}]});
    world.owner.post(&format!("{PROVIDERS}/workflow/create"), shape).await.expect(200);
    let path = format!("{PROVIDERS}/workflow/get?workflow_app_id={}", inner.id);
    let workflow = world.owner.get(&path).await.expect(200);
    let workflow = workflow["workflow_tool_id"].as_str().unwrap().to_owned();

    let app = world.app("workflow", &graph(vec![start(json!([]))], &[])).await;
    let mixed = |value: &str| json!({"type": "mixed", "value": value});
    let none = "none".to_owned();
    let cases = [
        (
            tool(
                "builtin",
                "time",
                "timestamp_to_localtime",
                json!({"timestamp": {"type": "variable", "value": ["s", "t"]}, "timezone": mixed("UTC")}),
                json!({}),
            ),
            json!({"#s.t#": 0}),
            Ok(json!({"text": "1970-01-01 00:00:00"})),
        ),
        (
            tool("api", &api, "say", json!({"word": mixed("{{#s.w#}}")}), json!({})),
            json!({"#s.w#": "hi"}),
            Ok(json!({"text": "{\"said\": \"hi\"}", "json": [{"said": "hi"}], "files": []})),
        ),
        (
            tool("api", &api, "say", json!({"word": mixed("no")}), json!({})),
            json!({}),
            Err(format!(
                "Failed to invoke tool {api}: Request failed with status code 418 and short and stout"
            )),
        ),
        (
            tool("workflow", &workflow, "twice", json!({"q": mixed("ab")}), json!({})),
            json!({}),
            Ok(json!({"json": [{"twice": "abab"}], "twice": "abab"})),
        ),
        (
            tool("workflow", &none, "twice", json!({}), json!({})),
            json!({}),
            Err("workflow provider none not found".to_owned()),
        ),
    ];
    for (node, inputs, expected) in cases {
        world.save(&app, &graph(vec![start(json!([])), node], &[])).await;
        let done = world.step(&app, "n", inputs).await;
        match expected {
            Ok(outputs) => {
                assert_eq!(done["status"], "succeeded", "{done}");
                for (name, value) in outputs.as_object().unwrap() {
                    assert_eq!(&done["outputs"][name], value, "{done}");
                }
            }
            Err(error) => {
                let told = done["error"].as_str().unwrap();
                assert!(told.contains(&error), "{told}");
            }
        }
    }
    // The called workflow ran, as one of its own app.
    let path = format!("/console/api/apps/{}/workflow-runs?triggered_from=app-run", inner.id);
    assert_eq!(world.owner.get(&path).await.expect(200)["data"][0]["status"], "succeeded");
}

#[tokio::test]
async fn a_workflow_that_calls_itself_ends() {
    let world = World::new(&[("WORKFLOW_CALL_MAX_DEPTH", "2")]).await;
    let app = world.app("workflow", &graph(vec![start(json!([]))], &[])).await;
    let shape = json!({"name": "again", "label": "Again", "description": "Calls itself", "workflow_app_id": app.id,
        "icon": {"content": "2", "background": "#fff"}, "parameters": []});
    world.owner.post(&format!("{PROVIDERS}/workflow/create"), shape.clone()).await.expect(200);
    let path = format!("{PROVIDERS}/workflow/get?workflow_app_id={}", app.id);
    let id = world.owner.get(&path).await.expect(200)["workflow_tool_id"].clone();
    let call = tool("workflow", id.as_str().unwrap(), "again", json!({}), json!({}));
    let end = node("end", "end", json!({"outputs": []}));
    world
        .save(&app, &graph(vec![start(json!([])), call, end], &[("start", "n"), ("n", "end")]))
        .await;
    world.owner.post(&app.path("/workflows/publish"), json!({})).await.expect(200);
    let mut shape = shape;
    shape["workflow_tool_id"] = id;
    world.owner.post(&format!("{PROVIDERS}/workflow/update"), shape).await.expect(200);
    let ended = app.run(json!({})).await;
    let end = data(&ended, "workflow_finished");
    assert_eq!(end["status"], "failed");
    assert!(end["error"].as_str().unwrap().contains("Max workflow call depth 2 reached."), "{end}");
}

#[tokio::test]
async fn documents_become_text() {
    let world = World::new(&[]).await;
    let variables = json!([
        {"variable": "one", "label": "one", "type": "file", "allowed_file_types": ["document"],
         "allowed_file_upload_methods": ["local_file"]},
        {"variable": "all", "label": "all", "type": "file-list", "allowed_file_types": ["document"],
         "allowed_file_upload_methods": ["local_file"], "max_length": 3},
    ]);
    let read = |id: &str, variable: &str| {
        node(
            id,
            "document-extractor",
            json!({"variable_selector": ["start", variable], "is_array_file": variable == "all"}),
        )
    };
    let end = node(
        "end",
        "end",
        json!({"outputs": [
        {"variable": "one", "value_selector": ["d1", "text"]}, {"variable": "all", "value_selector": ["d2", "text"]}]}),
    );
    let nodes = vec![start(variables), read("d1", "one"), read("d2", "all"), end];
    let app =
        world.app("workflow", &graph(nodes, &[("start", "d1"), ("d1", "d2"), ("d2", "end")])).await;
    let upload = async |name: &str, kind: &str, content: &[u8]| {
        let request = Request::builder().method(Method::POST).uri("/v1/files/upload");
        let request = with_form(request, &[("user", "u")], &[("file", name, kind, content)]);
        let id = app.api.send(request).await.expect(201)["id"].clone();
        json!({"type": "document", "transfer_method": "local_file", "upload_file_id": id})
    };
    let text = upload("a.txt", "text/plain", "h\u{e9}".as_bytes()).await;
    let table = upload("b.csv", "text/csv", b"a,b\n1,2\n").await;
    let ended = app.run(json!({"one": text, "all": [text, table]})).await;
    let outputs = outputs(&ended);
    assert_eq!(outputs["one"], "h\u{e9}");
    assert_eq!(outputs["all"][0], "h\u{e9}");
    assert!(outputs["all"][1].as_str().unwrap().contains("| 1 | 2 |"), "{outputs}");
    let broken = upload("c.pdf", "application/pdf", b"no document").await;
    let ended = app.run(json!({"one": broken, "all": []})).await;
    assert_eq!(data(&ended, "workflow_finished")["status"], "failed");
}
