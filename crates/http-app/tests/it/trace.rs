//! Tracing.

use axum::http::Method;
use serde_json::json;
use test_support::TestApp;

use crate::{APPS, make};

#[tokio::test]
async fn tracing_is_off_until_it_is_switched_on() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}/trace", make(&app, "x", "chat").await);
    assert_eq!(app.get(&path).await.json(), json!({"enabled": false, "tracing_provider": null}));
    let on = json!({"enabled": true, "tracing_provider": "langfuse"});
    assert_eq!(app.post(&path, on.clone()).await.status, 200);
    assert_eq!(app.get(&path).await.json(), on);
    let odd = app.post(&path, json!({"enabled": true, "tracing_provider": "abacus"})).await;
    assert_eq!(odd.json()["message"], "Invalid tracing provider: abacus");
}

#[tokio::test]
async fn credentials_are_sealed_masked_and_kept_when_they_come_back_masked() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let path = format!("{APPS}/{id}/trace-config");
    // Aliyun has nothing to ask, so nothing goes out.
    let config = |key: &str, endpoint: &str| {
        json!({"tracing_provider": "aliyun", "tracing_config": {
            "license_key": key, "endpoint": endpoint, "app_name": "a"}})
    };
    let saved = app.post(&path, config("license-0123456789", "https://a.test/x")).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let again = app.post(&path, config("k", "https://a.test")).await;
    assert_eq!(again.json()["message"], "400 Bad Request: Trace config is exist.");

    let read = format!("{path}?tracing_provider=aliyun");
    let shown = app.get(&read).await.json()["tracing_config"].clone();
    let masked = shown["license_key"].as_str().unwrap().to_owned();
    assert!(masked.contains('*') && !masked.contains("0123"), "{masked}");
    app.call(Method::PATCH, &path, Some(config(&masked, "https://b.test/y"))).await;

    let mut conn = app.ctx().db.acquire().await.unwrap();
    let row = db::trace_app_config::find(&mut conn, id.parse().unwrap(), "aliyun").await;
    let stored = row.unwrap().unwrap().tracing_config.unwrap();
    let sealed = stored["license_key"].as_str().unwrap();
    let opened = services_core::tenant_secret::decrypt(app.ctx(), app.owner.tenant, sealed).await;
    assert_eq!(opened.unwrap().as_deref(), Some("license-0123456789"));
    assert_eq!(stored["endpoint"], "https://b.test/y");

    assert_eq!(app.delete(&read).await.status, 204);
    let gone = app.delete(&read).await;
    assert_eq!(gone.json()["message"], "400 Bad Request: Trace config not exist.");
}

#[tokio::test]
async fn another_workspaces_credentials_are_not_there() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}/trace-config", make(&app, "x", "chat").await);
    let config = json!({"tracing_provider": "aliyun", "tracing_config": {
        "license_key": "k", "endpoint": "https://a.test", "app_name": "a"}});
    app.post(&path, config.clone()).await;
    let stranger = app.stranger().await;
    let read = format!("{path}?tracing_provider=aliyun");
    let shown = app.call_as(&stranger, Method::GET, &read, None).await.json();
    assert_eq!(shown, json!({"has_not_configured": true}));
    for (method, path, body) in
        [(Method::PATCH, &path, Some(config)), (Method::DELETE, &read, None)]
    {
        let refused = app.call_as(&stranger, method, path, body).await;
        assert_eq!(refused.error(), (400, "bad_request".to_owned()));
    }
}
