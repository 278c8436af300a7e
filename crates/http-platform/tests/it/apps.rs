//! What this area does with apps: keys, tags, web apps, the Explore page.

use axum::http::{Method, Request};
use serde_json::{Value, json};
use test_support::{Answer, TestApp, app::with_json};

async fn new_app(app: &TestApp, mode: &str) -> Value {
    let body = json!({"name": "an app", "mode": mode, "icon_type": "emoji", "icon": "🤖",
        "icon_background": "#FFEAD5"});
    let made = app.post("/console/api/apps", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/console/api/apps/{}", made.json()["id"].as_str().unwrap());
    app.get(&path).await.json()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

async fn with_headers(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(with_json(request, None)).await
}

#[tokio::test]
async fn an_apps_key_opens_it_until_it_is_revoked() {
    let app = TestApp::new().await;
    let made = new_app(&app, "chat").await;
    let keys = format!("/console/api/apps/{}/api-keys", id(&made));
    let key = app.call(Method::POST, &keys, None).await;
    assert_eq!(key.status, 201);
    let key = key.json();
    let bearer = format!("Bearer {}", key["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let info = || with_headers(&app, "/v1/site", &headers);
    assert_eq!(info().await.json()["title"], "an app");

    let path = format!("{keys}/{}", id(&key));
    let editor = app.member("editor").await;
    assert_eq!(app.call_as(&editor, Method::DELETE, &path, None).await.status, 403);
    assert_eq!(app.delete(&path).await.status, 204);
    assert_eq!(info().await.error(), (401, "unauthorized".to_owned()));

    // Another workspace sees neither the app nor its keys.
    let stranger = app.stranger().await;
    assert_eq!(app.call_as(&stranger, Method::GET, &keys, None).await.status, 404);
}

#[tokio::test]
async fn tags_are_put_on_apps_of_the_workspace_only() {
    let app = TestApp::new().await;
    let made = new_app(&app, "chat").await;
    let tag = app.post("/console/api/tags", json!({"name": "t", "type": "app"})).await.json();
    let bind = json!({"tag_ids": [id(&tag), "nonsense"], "target_id": id(&made), "type": "app"});
    for _ in 0..2 {
        let bound = app.post("/console/api/tag-bindings/create", bind.clone()).await;
        assert_eq!(bound.json(), json!({"result": "success"}));
    }
    let listed = || app.get("/console/api/tags?type=app");
    assert_eq!(listed().await.json()[0]["binding_count"], "1");

    let stranger = app.stranger().await;
    let path = "/console/api/tag-bindings/create";
    let refused = app.call_as(&stranger, Method::POST, path, Some(bind.clone())).await;
    assert_eq!(refused.json()["message"], "App not found");

    let unbind = json!({"tag_id": id(&tag), "target_id": id(&made), "type": "app"});
    assert_eq!(app.post("/console/api/tag-bindings/remove", unbind).await.status, 200);
    assert_eq!(listed().await.json()[0]["binding_count"], "0");
}

#[tokio::test]
async fn a_passport_opens_the_web_app_it_was_made_for() {
    let app = TestApp::new().await;
    let made = new_app(&app, "chat").await;
    let code = made["site"]["access_token"].as_str().unwrap();
    let passport = |user: &str| {
        let path = format!("/api/passport?user_id={user}");
        let app = &app;
        async move {
            let answer = with_headers(app, &path, &[("x-app-code", code)]).await;
            answer.json()["access_token"].as_str().unwrap().to_owned()
        }
    };
    let site = |passport: String| {
        let app = &app;
        async move { with_headers(app, "/api/site", &[("x-app-passport", &passport)]).await }
    };
    let first = site(passport("visitor").await).await.json();
    assert_eq!(first["app_id"], made["id"]);
    let again = site(passport("visitor").await).await.json();
    assert_eq!(first["end_user_id"], again["end_user_id"]);

    let old = passport("visitor").await;
    let off = format!("/console/api/apps/{}/site-enable", id(&made));
    assert_eq!(app.post(&off, json!({"enable_site": false})).await.status, 200);
    let closed = with_headers(&app, "/api/passport", &[("x-app-code", code)]).await;
    assert_eq!(closed.error(), (404, "not_found".to_owned()));
    assert_eq!(site(old).await.json()["message"], "Site is disabled.");
}

#[tokio::test]
async fn new_apps_are_on_the_explore_page_and_stay_there() {
    let app = TestApp::new().await;
    let made = new_app(&app, "completion").await;
    let list = app.get("/console/api/installed-apps").await.json();
    let installed = &list["installed_apps"][0];
    assert_eq!(installed["app"]["id"], made["id"]);
    let path = format!("/console/api/installed-apps/{}", id(installed));
    assert_eq!(app.get(&format!("{path}/meta")).await.json(), json!({"tool_icons": {}}));
    assert_eq!(
        app.get(&format!("{path}/parameters")).await.json()["system_parameters"]["file_size_limit"],
        15
    );
    assert_eq!(app.patch(&path, json!({"is_pinned": "true"})).await.status, 200);
    assert_eq!(app.delete(&path).await.error(), (400, "bad_request".to_owned()));
    let pinned = app.get("/console/api/installed-apps").await.json();
    assert_eq!(pinned["installed_apps"][0]["is_pinned"], true);

    let stranger = app.stranger().await;
    let refused = app.call_as(&stranger, Method::GET, &format!("{path}/meta"), None).await;
    assert_eq!(refused.error(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn the_operators_catalogue_lets_others_install_and_try() {
    let app = TestApp::with(&[
        ("EDITION", "CLOUD"),
        ("ADMIN_API_KEY", "operator"),
        ("HOSTED_FETCH_APP_TEMPLATES_MODE", "db"),
        ("ENABLE_TRIAL_APP", "true"),
    ])
    .await;
    let made = new_app(&app, "chat").await;
    let operate = |method: Method, path: &str, body: Option<Value>| {
        let request =
            Request::builder().method(method).uri(path).header("authorization", "Bearer operator");
        app.send(with_json(request, body))
    };
    let wish = json!({"app_id": id(&made), "language": "en-US", "category": "Writing", "position": 1,
        "can_trial": true, "trial_limit": 2});
    let insert = "/console/api/admin/insert-explore-apps";
    assert_eq!(app.post(insert, wish.clone()).await.status, 401);
    assert_eq!(operate(Method::POST, insert, Some(wish.clone())).await.status, 201);
    assert_eq!(operate(Method::POST, insert, Some(wish)).await.status, 200);

    let stranger = app.stranger().await;
    let theirs = |method: Method, path: String, body: Option<Value>| {
        let (app, stranger) = (&app, &stranger);
        async move { app.call_as(stranger, method, &path, body).await }
    };
    let catalogue = theirs(Method::GET, "/console/api/explore/apps".into(), None).await.json();
    assert_eq!(catalogue["recommended_apps"][0]["app_id"], made["id"]);
    assert_eq!(catalogue["recommended_apps"][0]["can_trial"], true);
    let detail = format!("/console/api/explore/apps/{}", id(&made));
    let detail = theirs(Method::GET, detail, None).await.json();
    assert!(detail["export_data"].as_str().unwrap().contains("kind: app"));
    let trial = format!("/console/api/trial-apps/{}", id(&made));
    assert_eq!(theirs(Method::GET, trial.clone(), None).await.json()["name"], "an app");

    let body = Some(json!({"app_id": made["id"]}));
    let install = theirs(Method::POST, "/console/api/installed-apps".into(), body).await;
    assert_eq!(install.status, 200, "{}", install.text());

    let unlist = format!("{insert}/{}", id(&made));
    assert_eq!(operate(Method::DELETE, &unlist, None).await.status, 204);
    let left = theirs(Method::GET, "/console/api/installed-apps".into(), None).await.json();
    assert_eq!(left, json!({"installed_apps": []}));
    assert_eq!(theirs(Method::GET, trial, None).await.status, 404);
}
