//! Tags.

use axum::http::Method;
use serde_json::{Value, json};
use test_support::TestApp;

const TAGS: &str = "/console/api/tags";

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let list = app.get(&format!("{TAGS}?{query}")).await.json();
    let name = |tag: &Value| tag["name"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_tag_is_made_found_renamed_and_removed() {
    let app = TestApp::new().await;
    let made = app.post(TAGS, json!({"name": "50% off", "type": "app"})).await;
    assert_eq!(made.status, 200);
    let id = made.json()["id"].as_str().unwrap().to_owned();

    let again = app.post(TAGS, json!({"name": "50% off", "type": "app"})).await;
    assert_eq!(again.error(), (400, "invalid_param".to_owned()));
    assert_eq!(names(&app, "type=app&keyword=50%25%20OFF").await, ["50% off"]);
    assert!(names(&app, "type=app&keyword=%25x").await.is_empty());
    assert!(names(&app, "type=knowledge").await.is_empty());

    let renamed = app.patch(&format!("{TAGS}/{id}"), json!({"name": "sale"})).await;
    assert_eq!(
        renamed.json(),
        json!({"id": id, "name": "sale", "type": "app", "binding_count": 0})
    );
    assert_eq!(app.delete(&format!("{TAGS}/{id}")).await.status, 204);
    assert_eq!(app.delete(&format!("{TAGS}/{id}")).await.error(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn every_fault_of_a_tag_is_named() {
    let app = TestApp::new().await;
    let answer = app.post(TAGS, json!({"name": "", "type": "planet"})).await;
    assert_eq!(answer.error(), (400, "invalid_param".to_owned()));
    let text = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(text.contains("\nname") && text.contains("\ntype"), "{text}");
    let untyped = app.post(TAGS, json!({"name": "x"})).await;
    assert_eq!(untyped.error(), (400, "invalid_param".to_owned()));
}

#[tokio::test]
async fn another_workspaces_tags_are_not_there() {
    let app = TestApp::new().await;
    let made = app.post(TAGS, json!({"name": "mine", "type": "app"})).await.json();
    let path = format!("{TAGS}/{}", made["id"].as_str().unwrap());
    let stranger = app.stranger().await;
    for (method, body) in [(Method::PATCH, Some(json!({"name": "theirs"}))), (Method::DELETE, None)]
    {
        let refused = app.call_as(&stranger, method, &path, body).await;
        assert_eq!(refused.error(), (404, "not_found".to_owned()));
    }
    assert_eq!(names(&app, "type=app").await, ["mine"]);
}

#[tokio::test]
async fn roles_decide_who_may_tag() {
    let app = TestApp::new().await;
    let body = json!({"name": "x", "type": "knowledge"});
    for (role, expected) in [("normal", 403), ("dataset_operator", 200)] {
        let member = app.member(role).await;
        let answer = app.call_as(&member, Method::POST, TAGS, Some(body.clone())).await;
        assert_eq!(answer.status.as_u16(), expected, "{role}");
    }
}
