//! Keys of the service API.

use axum::http::{Method, Request};
use serde_json::Value;
use test_support::{TestApp, app::with_json};
use uuid::Uuid;

const KEYS: &str = "/console/api/datasets/api-keys";

#[tokio::test]
async fn a_holder_has_ten_keys_at_the_most() {
    let app = TestApp::new().await;
    let mint = || app.call(Method::POST, KEYS, None);
    // All at once, which is when a limit that is only looked at leaks.
    let minted = futures::future::join_all((0..12).map(|_| mint())).await;
    let refused: Vec<_> = minted.iter().filter(|answer| answer.status != 200).collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0].json()["custom"], "max_keys_exceeded");
    assert_eq!(app.get(KEYS).await.json()["data"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing() {
    let app = TestApp::new().await;
    let key = app.call(Method::POST, KEYS, None).await.json();
    let token = key["token"].as_str().unwrap();
    assert!(token.starts_with("dataset-"));
    assert!(is_known(&app, token).await);

    let path = format!("{KEYS}/{}", key["id"].as_str().unwrap());
    let stranger = app.stranger().await;
    assert_eq!(app.call_as(&stranger, Method::DELETE, &path, None).await.status, 404);
    assert!(is_known(&app, token).await);

    assert_eq!(app.delete(&path).await.status, 204);
    assert!(!is_known(&app, token).await);
    assert_eq!(app.delete(&path).await.json(), serde_json::json!({"message": "API key not found"}));
}

async fn is_known(app: &TestApp, token: &str) -> bool {
    services_account::service_key::dataset(app.ctx(), token).await.is_ok()
}

#[tokio::test]
async fn keys_need_their_resource_and_the_right_role() {
    let app = TestApp::new().await;
    let nobody = Uuid::new_v4();
    for (method, path, message) in [
        (Method::GET, format!("/console/api/apps/{nobody}/api-keys"), "App not found"),
        (Method::POST, format!("/console/api/apps/{nobody}/api-keys"), "App not found"),
        (Method::DELETE, format!("/console/api/apps/{nobody}/api-keys/{nobody}"), "App not found."),
        (Method::GET, format!("/console/api/datasets/{nobody}/api-keys"), "Dataset not found"),
    ] {
        let answer = app.call(method, &path, None).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["message"]),
            (404, &Value::from(message))
        );
    }
    let editor = app.member("editor").await;
    assert_eq!(app.call_as(&editor, Method::POST, KEYS, None).await.status, 403);
    let anonymous = with_json(Request::builder().method(Method::POST).uri(KEYS), None);
    assert_eq!(app.send(anonymous).await.status, 401);
}
