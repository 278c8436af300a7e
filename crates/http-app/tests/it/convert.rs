//! Basic apps as graphs.

use serde_json::{Value, json};
use test_support::TestApp;

use crate::{APPS, configure, make, model, show};

async fn draft(app: &TestApp, id: &str) -> Value {
    let mut conn = app.ctx().db.acquire().await.unwrap();
    let draft = db::workflow::find_draft(&mut conn, app.owner.tenant, id.parse().unwrap()).await;
    serde_json::from_str(&draft.unwrap().unwrap().graph).unwrap()
}

#[tokio::test]
async fn a_chat_becomes_a_chatflow_with_the_same_form_and_prompt() {
    let app = TestApp::new().await;
    let id = make(&app, "chat", "chat").await;
    let form = json!([{"text-input": {"label": "Who", "variable": "who", "required": true}}]);
    let config =
        json!({"model": model(), "pre_prompt": "You are {{who}}.", "user_input_form": form});
    configure(&app, &id, config).await;
    let path = format!("{APPS}/{id}/convert-to-workflow");
    let made = app.post(&path, json!({"name": "flow"})).await.json();
    let made = made["new_app_id"].as_str().unwrap();
    assert_eq!(show(&app, made).await["mode"], "advanced-chat");

    let graph = draft(&app, made).await;
    let ids: Vec<_> = graph["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(ids, ["start", "llm", "answer"]);
    let edges: Vec<_> = graph["edges"].as_array().unwrap().iter().map(|edge| &edge["id"]).collect();
    assert_eq!(edges, ["start-llm", "llm-answer"]);
    assert_eq!(graph["nodes"][0]["data"]["variables"][0]["variable"], "who");
    assert_eq!(
        graph["nodes"][1]["data"]["prompt_template"][0]["text"],
        "You are {{#start.who#}}.\n"
    );
}

#[tokio::test]
async fn agents_and_apps_without_a_prompt_are_not_converted() {
    let app = TestApp::new().await;
    for (mode, expected) in [
        ("agent-chat", "App mode is not in the supported list: {'chat', 'completion'}"),
        ("chat", "Simple prompt template is required"),
    ] {
        let path = format!("{APPS}/{}/convert-to-workflow", make(&app, mode, mode).await);
        let refused = app.post(&path, json!({"name": "x"})).await;
        assert_eq!(refused.json()["message"], expected);
    }
    assert_eq!(app.get(APPS).await.json()["total"], 2);
}
