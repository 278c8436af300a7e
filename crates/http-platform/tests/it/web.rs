//! Web apps and features, without an app.

use test_support::TestApp;

#[tokio::test]
async fn features_tell_the_installation_and_the_workspace() {
    let app = TestApp::with(&[("ALLOW_REGISTER", "true"), ("CAN_REPLACE_LOGO", "true")]).await;
    let system = app.get_anonymously("/console/api/system-features").await.json();
    assert_eq!(system["is_allow_register"], true);
    assert_eq!(system, app.get_anonymously("/api/system-features").await.json());
    assert_eq!(app.get("/console/api/features").await.json()["can_replace_logo"], true);
    assert_eq!(app.get_anonymously("/console/api/features").await.status, 401);
}

#[tokio::test]
async fn a_passport_needs_an_open_web_app() {
    let app = TestApp::new().await;
    let without = app.get_anonymously("/api/passport").await;
    assert_eq!(without.error(), (401, "unauthorized".to_owned()));
    assert_eq!(app.get_anonymously("/api/site").await.error(), (401, "unauthorized".to_owned()));
    let unknown = app.get_anonymously("/api/login/status?app_code=nobody").await;
    assert_eq!(unknown.json()["message"], "App with code nobody not found");
}

#[tokio::test]
async fn strays_are_told_in_the_manner_of_the_place() {
    let app = TestApp::new().await;
    let root = app.get_anonymously("/v1").await;
    assert_eq!((root.status.as_u16(), root.header("location")), (308, "/v1/"));
    assert!(app.get_anonymously("/v1/").await.text().contains("<title>404 Not Found</title>"));
    let post = app.call(axum::http::Method::POST, "/health", None).await;
    assert_eq!((post.status.as_u16(), post.header("allow")), (405, "HEAD, OPTIONS, GET"));
    let put = app.call(axum::http::Method::PUT, "/console/api/files/upload", None).await;
    assert_eq!(put.error(), (405, "method_not_allowed".to_owned()));
}
