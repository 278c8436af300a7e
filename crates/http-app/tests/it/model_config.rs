//! Saving configurations.

use serde_json::json;
use test_support::TestApp;

use crate::{APPS, ask, configure, make, model, show};

#[tokio::test]
async fn a_saved_configuration_has_its_defaults_and_no_foreign_keys() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    configure(&app, &id, json!({"model": model(), "pre_prompt": "Be terse.", "banana": 1})).await;
    let config = &show(&app, &id).await["model_config"];
    assert_eq!(config["pre_prompt"], "Be terse.");
    assert_eq!(config["model"]["mode"], "chat");
    assert_eq!(config["model"]["completion_params"], json!({"stop": []}));
    assert_eq!(config["retriever_resource"], json!({"enabled": false}));
    assert_eq!(config.get("banana"), None);
}

#[tokio::test]
async fn a_chat_app_that_gets_tools_becomes_an_agent() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let agent = json!({"enabled": true, "strategy": "function_call", "tools": []});
    configure(&app, &id, json!({"model": model(), "agent_mode": agent})).await;
    assert_eq!(show(&app, &id).await["mode"], "agent-chat");
}

#[tokio::test]
async fn a_broken_rule_keeps_the_configuration_in_force() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    configure(&app, &id, json!({"model": model(), "pre_prompt": "one"})).await;
    let path = format!("{APPS}/{id}/model-config");
    let refused = app.post(&path, json!({"model": model(), "pre_prompt": 5})).await;
    assert_eq!(refused.json()["message"], "pre_prompt must be of string type");
    assert_eq!(refused.error(), (400, "invalid_param".to_owned()));
    assert_eq!(show(&app, &id).await["model_config"]["pre_prompt"], "one");
}

#[tokio::test]
async fn workflows_have_no_configuration() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}/model-config", make(&app, "x", "workflow").await);
    let refused = app.post(&path, json!({"model": model()})).await;
    assert_eq!(refused.error(), (404, "app_not_found".to_owned()));
    assert_eq!(
        refused.json()["message"],
        "App mode is not in the supported list: {'agent-chat', 'chat', 'completion'}"
    );
}

#[tokio::test]
async fn parameters_show_form_features_and_limits() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "completion").await;
    let form = json!([{"number": {"label": "N", "variable": "n", "required": true}}]);
    configure(&app, &id, json!({"model": model(), "user_input_form": form})).await;
    let key = app.post(&format!("{APPS}/{id}/api-keys"), json!({})).await.json();
    let shown = ask(&app, &key, "/v1/parameters").await.json();
    assert_eq!(shown["user_input_form"], form);
    assert_eq!(shown["system_parameters"]["file_size_limit"], 15);
    assert_eq!(shown["annotation_reply"], json!({"enabled": false}));
}
