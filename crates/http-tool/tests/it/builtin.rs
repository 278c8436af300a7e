//! Providers that come with the server.

use serde_json::{Value, json};
use test_support::TestApp;

use crate::CURRENT;

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect()
}

#[tokio::test]
async fn providers_of_the_server_are_listed_without_a_daemon() {
    let app = TestApp::new().await;
    let listed = app.get(&format!("{CURRENT}/tool-providers?type=builtin")).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert_eq!(names(&listed.json()), ["audio", "code", "time", "webscraper"]);
    let tools = app.get(&format!("{CURRENT}/tool-provider/builtin/time/tools")).await.json();
    assert!(names(&tools).contains(&"weekday"));
    let unknown = app.get(&format!("{CURRENT}/tool-provider/builtin/a/b/c/tools")).await;
    assert!(unknown.status.is_client_error(), "{}", unknown.text());
}

#[tokio::test]
async fn icons_cannot_run_as_pages() {
    let app = TestApp::new().await;
    let of_tool = format!("{CURRENT}/tool-provider/builtin/time/icon");
    let of_model = format!(
        "/console/api/workspaces/{}/model-providers/openai/icon_small/en_US",
        app.owner.tenant
    );
    for path in [of_tool, of_model] {
        let icon = app.get_anonymously(&path).await;
        assert_eq!(icon.status, 200, "{path}");
        assert_eq!(icon.header("content-type"), "image/svg+xml; charset=utf-8");
        assert_eq!(icon.header("x-content-type-options"), "nosniff");
        assert!(icon.header("content-security-policy").contains("sandbox"));
    }
}

#[tokio::test]
async fn what_needs_no_credentials_takes_none() {
    let app = TestApp::new().await;
    let add = format!("{CURRENT}/tool-provider/builtin/time/add");
    let refused = app.post(&add, json!({"credentials": {}, "type": "api-key"})).await;
    assert_eq!(refused.json()["message"], "provider time does not need credentials");
    let info = app.get(&format!("{CURRENT}/tool-provider/builtin/time/credential/info")).await;
    assert_eq!(
        info.json(),
        json!({"supported_credential_types": [], "is_oauth_custom_client_enabled": false, "credentials": []})
    );
}
