//! Export, import, copies.

use serde_json::{Value, json};
use test_support::{Answer, TestApp};

use crate::{APPS, configure, make, model, show};

const CHAT: &str = "\
app: {name: Imported, mode: chat, icon: x, icon_type: emoji, icon_background: '#FFF'}
kind: app
version: 0.6.0
model_config:
  pre_prompt: Hello {{x}}
  model: {provider: langgenius/openai/openai, name: gpt-4o-mini, mode: chat, completion_params: {}}
  retriever_resource: {enabled: on}
";

async fn import(app: &TestApp, text: &str) -> Answer {
    let body = json!({"mode": "yaml-content", "yaml_content": text});
    app.post(&format!("{APPS}/imports"), body).await
}

async fn count(app: &TestApp) -> Value {
    app.get(APPS).await.json()["total"].clone()
}

#[tokio::test]
async fn an_imported_app_is_the_texts() {
    let app = TestApp::new().await;
    let answer = import(&app, CHAT).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (200, &json!("completed")));
    let shown = show(&app, answer.json()["app_id"].as_str().unwrap()).await;
    assert_eq!(shown["name"], "Imported");
    assert_eq!(shown["model_config"]["pre_prompt"], "Hello {{x}}");
    // `on` is a flag in YAML 1.1, which is what the texts are written in.
    assert_eq!(shown["model_config"]["retriever_resource"], json!({"enabled": true}));
}

#[tokio::test]
async fn an_import_that_fails_leaves_nothing() {
    let app = TestApp::new().await;
    for (text, error) in [
        ("- a\n", "Invalid YAML format: content must be a mapping"),
        ("kind: app\nversion: 0.6.0\n", "Missing app data in YAML content"),
        ("version: banana\napp: {mode: chat}\n", "Invalid version: 'banana'"),
        (
            "version: 3\napp: {mode: chat}\n",
            "Invalid version type, expected str, got <class 'int'>",
        ),
        ("version: 0.6.0\napp: {name: x}\n", "loss app mode"),
        ("version: 0.6.0\napp: {mode: opera}\n", "'opera' is not a valid AppMode"),
        (
            "version: 0.6.0\napp: {mode: chat}\n",
            "Missing model_config for chat/agent-chat/completion app",
        ),
        (
            "version: 0.6.0\napp: {mode: workflow}\n",
            "Missing workflow data for workflow/advanced chat app",
        ),
        (
            "version: 0.6.0\napp: {mode: workflow}\nworkflow: {environment_variables: [{name: a, value_type: file, value: 1}]}\n",
            "not supported value type file",
        ),
    ] {
        let answer = import(&app, text).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!(error)));
        assert_eq!(answer.json()["status"], "failed");
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn a_newer_text_waits_for_its_confirmation_and_is_imported_once() {
    let app = TestApp::new().await;
    let answer = import(&app, &CHAT.replace("0.6.0", "9.9.9")).await;
    assert_eq!((answer.status.as_u16(), count(&app).await), (202, json!(0)));
    let confirm = format!("{APPS}/imports/{}/confirm", answer.json()["id"].as_str().unwrap());
    assert_eq!(app.post(&confirm, json!({})).await.json()["status"], "completed");
    let again = app.post(&confirm, json!({})).await;
    assert_eq!(again.json()["error"], "Import information expired or does not exist");
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn secrets_stay_at_home_unless_asked_for() {
    let app = TestApp::new().await;
    let text = "\
app: {name: flow, mode: workflow}
version: 0.6.0
workflow:
  graph: {nodes: [{id: t, data: {type: tool, credential_id: c1, provider_id: a/b/c}}], edges: []}
  environment_variables: [{name: key, value_type: secret, value: hush, id: k1}]
";
    let id = import(&app, text).await.json()["app_id"].as_str().unwrap().to_owned();
    let export = async |query: &str| {
        let answer = app.get(&format!("{APPS}/{id}/export{query}")).await.json();
        answer["data"].as_str().unwrap().to_owned()
    };
    let public = export("").await;
    assert!(!public.contains("hush") && !public.contains("c1"), "{public}");
    let private = export("?include_secret=true").await;
    assert!(private.contains("value: hush") && private.contains("credential_id: c1"), "{private}");

    // In the row the secret is sealed.
    let copy = app.post(&format!("{APPS}/{id}/copy"), json!({"name": "copy"})).await;
    assert_eq!(copy.status, 201, "{}", copy.text());
    let copied = copy.json()["id"].as_str().unwrap().parse().unwrap();
    let mut conn = app.ctx().db.acquire().await.unwrap();
    let draft =
        db::workflow::find_draft(&mut conn, app.owner.tenant, copied).await.unwrap().unwrap();
    assert!(!draft.environment_variables.contains("hush"));
    assert!(draft.features.contains("text_to_speech"), "{}", draft.features);
}

#[tokio::test]
async fn what_is_exported_is_imported_again() {
    let app = TestApp::new().await;
    let id = make(&app, "trip", "completion").await;
    let form =
        json!([{"select": {"label": "L", "variable": "v", "options": ["yes", "no", "1e3"]}}]);
    let config =
        json!({"model": model(), "user_input_form": form, "pre_prompt": "a: #b\n\t{{v}} 🤖"});
    configure(&app, &id, config).await;
    let text = app.get(&format!("{APPS}/{id}/export")).await.json();
    let answer = import(&app, text["data"].as_str().unwrap()).await.json();
    let (mut old, mut new) =
        (show(&app, &id).await, show(&app, answer["app_id"].as_str().unwrap()).await);
    for shown in [&mut old, &mut new] {
        let config = shown["model_config"].as_object_mut().unwrap();
        config.retain(|key, _| !key.ends_with("_at") && !key.ends_with("_by"));
    }
    assert_eq!(old["model_config"], new["model_config"]);
}

#[tokio::test]
async fn only_drawn_apps_are_replaced_and_keep_their_id() {
    let app = TestApp::new().await;
    let flow = make(&app, "flow", "workflow").await;
    let chat = make(&app, "chat", "chat").await;
    let text = "app: {name: new, mode: workflow}\nversion: 0.6.0\nworkflow: {graph: {nodes: []}}\n";
    let over = async |id: &str| {
        let body = json!({"mode": "yaml-content", "yaml_content": text, "app_id": id});
        app.post(&format!("{APPS}/imports"), body).await.json()
    };
    assert_eq!(
        over(&chat).await["error"],
        "Only workflow or advanced chat apps can be overwritten"
    );
    assert_eq!(over(&flow).await["app_id"], flow);
    assert_eq!(show(&app, &flow).await["name"], "new");
    let stranger = "00000000-0000-4000-8000-000000000009";
    assert_eq!(over(stranger).await["error"], "App not found");
}

#[tokio::test]
async fn plugins_that_are_missing_are_listed() {
    let app = TestApp::new().await;
    let text = format!(
        "{CHAT}dependencies:\n- type: marketplace\n  value: {{marketplace_plugin_unique_identifier: 'acme/x:0.0.1@0'}}\n"
    );
    let id = import(&app, &text).await.json()["app_id"].as_str().unwrap().to_owned();
    let answer = app.get(&format!("{APPS}/imports/{id}/check-dependencies")).await.json();
    assert_eq!(
        answer["leaked_dependencies"],
        json!([{
            "type": "marketplace",
            "value": {"marketplace_plugin_unique_identifier": "acme/x:0.0.1@0", "version": "0.0.1"},
            "current_identifier": "",
        }])
    );
}
