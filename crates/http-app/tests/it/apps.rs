//! Making, listing, changing, deleting apps.

use axum::http::Method;
use serde_json::{Value, json};
use test_support::TestApp;
use types::AppId;

use crate::{APPS, ask, make, show};

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|app| app["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_new_app_has_a_web_app_and_is_installed() {
    let app = TestApp::new().await;
    for mode in ["chat", "agent-chat", "completion", "advanced-chat", "workflow"] {
        let shown = show(&app, &make(&app, mode, mode).await).await;
        assert_eq!(shown["mode"], mode);
        assert_eq!(shown["site"]["title"], mode);
        assert_eq!(shown["site"]["code"].as_str().unwrap().len(), 16);
        let is_drawn = ["advanced-chat", "workflow"].contains(&mode);
        assert_eq!(shown["model_config"].is_null(), is_drawn, "{mode}");
    }
    let installed = app.get("/console/api/installed-apps").await.json();
    assert_eq!(installed["installed_apps"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn every_fault_of_a_new_app_is_named() {
    let app = TestApp::new().await;
    let answer =
        app.post(APPS, json!({"name": "", "description": "d".repeat(401), "mode": "opera"})).await;
    assert_eq!(answer.error(), (400, "invalid_param".to_owned()));
    let text = answer.json()["message"].as_str().unwrap().to_owned();
    for field in ["\nname\n", "\ndescription\n", "\nmode\n"] {
        assert!(text.contains(field), "{text}");
    }
    let odd = app.post(APPS, json!({"name": "x", "mode": "chat", "icon_type": "hologram"})).await;
    assert_eq!(odd.json()["message"], "'hologram' is not a valid IconType");
}

#[tokio::test]
async fn the_list_is_narrowed_by_name_mode_and_tag() {
    let app = TestApp::new().await;
    make(&app, "50% Off", "chat").await;
    let tagged = make(&app, "five_0", "completion").await;
    let tag = app.post("/console/api/tags", json!({"name": "t", "type": "app"})).await.json();
    let binding = json!({"tag_ids": [tag["id"]], "target_id": tagged, "type": "app"});
    app.post("/console/api/tag-bindings/create", binding).await;

    let tag = tag["id"].as_str().unwrap();
    for (query, expected) in [
        ("name=50%25+off".to_owned(), vec!["50% Off"]),
        ("name=five%250".to_owned(), vec![]),
        ("mode=completion".to_owned(), vec!["five_0"]),
        ("mode=workflow".to_owned(), vec![]),
        (format!("tag_ids={tag}"), vec!["five_0"]),
        (format!("tag_ids={tag}&mode=chat"), vec![]),
        ("tag_ids=,".to_owned(), vec!["five_0", "50% Off"]),
    ] {
        let page = app.get(&format!("{APPS}?{query}")).await.json();
        let mut got = names(&page);
        got.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(got, expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
    }
    // Without a description, the prompt stands in for it.
    let page = app.get(&format!("{APPS}?mode=completion")).await.json();
    assert_eq!(page["data"][0]["description"], "{{query}}");
    for bad in ["limit=101", "page=0", "page=x", "mode=banana", "tag_ids=abc"] {
        let refused = app.get(&format!("{APPS}?{bad}")).await;
        assert_eq!(refused.error(), (400, "invalid_param".to_owned()), "{bad}");
    }
}

#[tokio::test]
async fn an_edit_replaces_everything_it_does_not_name() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}", make(&app, "old", "chat").await);
    let full = json!({
        "name": "new", "description": "d", "icon_type": "emoji", "icon": "x", "icon_background": "#FFF",
        "use_icon_as_answer_icon": true, "max_active_requests": 7,
    });
    let edited = app.call(Method::PUT, &path, Some(full)).await.json();
    assert_eq!(edited["max_active_requests"], 7);
    let edited = app.call(Method::PUT, &path, Some(json!({"name": "newer"}))).await.json();
    assert_eq!(edited["name"], "newer");
    assert_eq!(edited["icon_type"], Value::Null);
    assert_eq!((&edited["icon"], &edited["max_active_requests"]), (&json!(""), &json!(0)));
    let renamed = app.post(&format!("{path}/name"), json!({"name": "newest"})).await.json();
    assert_eq!(renamed["name"], "newest");
}

#[tokio::test]
async fn a_closed_service_api_does_not_answer() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}", make(&app, "x", "chat").await);
    let key = app.post(&format!("{path}/api-keys"), json!({})).await.json();
    let ask = async || ask(&app, &key, "/v1/info").await;
    assert_eq!(ask().await.json()["name"], "x");
    app.post(&format!("{path}/api-enable"), json!({"enable_api": false})).await;
    assert_eq!(ask().await.status, 403);
    let editor = app.member("editor").await;
    let switch = Some(json!({"enable_api": true}));
    let refused = app.call_as(&editor, Method::POST, &format!("{path}/api-enable"), switch).await;
    assert_eq!(refused.error(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_deleted_app_is_gone_with_all_that_was_its() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let path = format!("{APPS}/{id}");
    app.post(&format!("{path}/api-keys"), json!({})).await;
    assert_eq!(app.delete(&path).await.status, 204);
    assert_eq!(app.get(&path).await.error(), (404, "app_not_found".to_owned()));

    let id: AppId = id.parse().unwrap();
    let rows = services_app::app::purge(app.ctx(), app.owner.tenant, id).await.unwrap();
    // Configuration, web app, key, place among the installed apps.
    assert_eq!(rows, 4);
    assert_eq!(services_app::app::purge(app.ctx(), app.owner.tenant, id).await.unwrap(), 0);
}

#[tokio::test]
async fn purging_an_app_that_exists_does_nothing() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let purged = services_app::app::purge(app.ctx(), app.owner.tenant, id.parse().unwrap()).await;
    assert_eq!(purged.unwrap(), 0);
    assert!(show(&app, &id).await["site"].is_object());
}

#[tokio::test]
async fn strangers_and_members_are_refused() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}", make(&app, "x", "chat").await);
    let (stranger, member) = (app.stranger().await, app.member("normal").await);
    for (method, path, body) in [
        (Method::GET, path.clone(), None),
        (Method::PUT, path.clone(), Some(json!({"name": "y"}))),
        (Method::DELETE, path.clone(), None),
        (Method::POST, format!("{path}/copy"), Some(json!({}))),
        (Method::GET, format!("{path}/export"), None),
    ] {
        let refused = app.call_as(&stranger, method.clone(), &path, body.clone()).await;
        assert_eq!(refused.error(), (404, "app_not_found".to_owned()), "{method} {path}");
        let answer = app.call_as(&member, method.clone(), &path, body).await;
        let expected = if method == Method::GET && !path.ends_with("export") { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{method} {path}");
    }
}
