//! Who may install and debug plugins.

use axum::http::Method;
use serde_json::json;
use test_support::TestApp;

use crate::CURRENT;

#[tokio::test]
async fn permissions_hold_for_members() {
    let app = TestApp::new().await;
    let fetch = format!("{CURRENT}/plugin/permission/fetch");
    let everyone = json!({"install_permission": "everyone", "debug_permission": "everyone"});
    assert_eq!(app.get(&fetch).await.json(), everyone);

    let change = format!("{CURRENT}/plugin/permission/change");
    let admins = json!({"install_permission": "admins", "debug_permission": "noone"});
    assert_eq!(app.post(&change, admins.clone()).await.json(), json!({"success": true}));
    assert_eq!(app.get(&fetch).await.json(), admins);

    let editor = app.member("editor").await;
    let tasks = format!("{CURRENT}/plugin/tasks");
    let refused = app.call_as(&editor, Method::GET, &tasks, None).await;
    assert_eq!(refused.status, 403);
    let refused = app.call_as(&editor, Method::POST, &change, Some(admins)).await;
    assert_eq!(refused.status, 403);
    let key = app.get(&format!("{CURRENT}/plugin/debugging-key")).await;
    assert_eq!(key.status, 403, "nobody may debug, the owner neither");
}

#[tokio::test]
async fn every_wrong_permission_is_named() {
    let app = TestApp::new().await;
    let wrong = json!({"install_permission": "cats", "debug_permission": "dogs"});
    let (status, message) =
        app.post(&format!("{CURRENT}/plugin/permission/change"), wrong).await.error();
    assert_eq!(status, 400);
    assert_eq!(message, "invalid_param");
}

#[tokio::test]
async fn plugins_are_excluded_from_upgrades() {
    let app = TestApp::new().await;
    let preferences = json!({
        "permission": {}, "auto_upgrade": {"strategy_setting": "latest", "upgrade_mode": "all"},
    });
    let change = format!("{CURRENT}/plugin/preferences/change");
    assert_eq!(app.post(&change, preferences).await.status, 200);
    let exclude = format!("{CURRENT}/plugin/preferences/autoupgrade/exclude");
    assert_eq!(app.post(&exclude, json!({"plugin_id": "a/b"})).await.status, 200);
    let found = app.get(&format!("{CURRENT}/plugin/preferences/fetch")).await.json();
    assert_eq!(
        found["auto_upgrade"],
        json!({
            "strategy_setting": "latest", "upgrade_time_of_day": 0, "upgrade_mode": "exclude",
            "exclude_plugins": ["a/b"], "include_plugins": [],
        })
    );
}
