//! Explore: the catalogue, banners, trials.

use serde_json::{Value, json};
use test_support::{Listener, TestApp};
use uuid::Uuid;

#[tokio::test]
async fn the_built_in_catalogue_has_apps_that_can_be_read() {
    let app = TestApp::new().await;
    let catalogue = app.get("/console/api/explore/apps").await.json();
    let apps = catalogue["recommended_apps"].as_array().unwrap();
    assert!(!apps.is_empty());
    for listed in apps {
        let path = format!("/console/api/explore/apps/{}", listed["app_id"].as_str().unwrap());
        let detail = app.get(&path).await.json();
        assert_eq!(detail["name"], listed["app"]["name"]);
        assert!(detail["export_data"].as_str().unwrap().contains("kind: app"));
    }
    let unknown = app.get(&format!("/console/api/explore/apps/{}", Uuid::new_v4())).await;
    assert_eq!((unknown.status.as_u16(), unknown.json()), (200, Value::Null));
}

#[tokio::test]
async fn a_template_host_is_asked_and_replaced_when_it_fails() {
    let id = Uuid::new_v4();
    let detail = format!("GET /apps/{id}");
    let host = Listener::new(&[
        (
            "GET /apps?language=de-DE",
            200,
            "application/json",
            br#"{"recommended_apps": [{"app_id": "x", "app": {"name": "Fern"}}], "categories": ["b", "a"]}"#,
        ),
        (&detail, 200, "application/json", br#"{"id": "x", "export_data": "y"}"#),
    ])
    .await;
    let app = TestApp::with(&[
        ("HOSTED_FETCH_APP_TEMPLATES_MODE", "remote"),
        ("HOSTED_FETCH_APP_TEMPLATES_REMOTE_DOMAIN", &host.url),
    ])
    .await;
    let told = app.get("/console/api/explore/apps?language=de-DE").await.json();
    assert_eq!(told["categories"], json!(["a", "b"]));
    assert_eq!(told["recommended_apps"][0]["app"]["name"], "Fern");
    let detail = app.get(&format!("/console/api/explore/apps/{id}")).await.json();
    assert_eq!(detail, json!({"id": "x", "export_data": "y"}));

    // In French the host has nothing: the built-in catalogue steps in.
    let own = app.get("/console/api/explore/apps?language=fr-FR").await.json();
    assert!(1 < own["recommended_apps"].as_array().unwrap().len());
}

#[tokio::test]
async fn what_is_switched_off_says_so() {
    let app = TestApp::new().await;
    for path in [
        "/console/api/explore/banners",
        &format!("/console/api/trial-apps/{}/site", Uuid::new_v4()),
    ] {
        assert_eq!(
            app.get_anonymously(path).await.error(),
            (403, "forbidden".to_owned()),
            "{path}"
        );
    }
    let on = TestApp::with(&[("ENABLE_EXPLORE_BANNER", "true")]).await;
    assert_eq!(on.get_anonymously("/console/api/explore/banners").await.json(), json!([]));
    assert_eq!(on.get("/console/api/notification").await.error(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn only_apps_of_the_catalogue_are_installed() {
    let app = TestApp::new().await;
    let path = "/console/api/installed-apps";
    assert_eq!(app.get(path).await.json(), json!({"installed_apps": []}));
    for id in ["nonsense".to_owned(), Uuid::new_v4().to_string()] {
        let refused = app.post(path, json!({"app_id": id})).await;
        assert_eq!(refused.error(), (404, "not_found".to_owned()));
    }
}
