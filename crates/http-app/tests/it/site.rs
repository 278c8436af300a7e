//! Web apps.

use serde_json::json;
use test_support::TestApp;

use crate::{APPS, make, show};

#[tokio::test]
async fn what_is_not_named_stays() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let path = format!("{APPS}/{id}/site");
    app.post(&path, json!({"title": "T", "default_language": "de-DE", "prompt_public": true}))
        .await;
    let saved = app.post(&path, json!({"copyright": "me"})).await.json();
    assert_eq!(saved["title"], "T");
    assert_eq!(saved["copyright"], "me");
    let site = &show(&app, &id).await["site"];
    assert_eq!(
        (&site["default_language"], &site["prompt_public"]),
        (&json!("de-DE"), &json!(true))
    );
}

#[tokio::test]
async fn bad_values_are_refused() {
    let app = TestApp::new().await;
    let path = format!("{APPS}/{}/site", make(&app, "x", "chat").await);
    for body in [
        json!({"default_language": "xx-XX"}),
        json!({"customize_token_strategy": "perhaps"}),
        json!({"custom_disclaimer": "x".repeat(513)}),
        json!({"prompt_public": "maybe"}),
    ] {
        let refused = app.post(&path, body.clone()).await;
        assert_eq!(refused.error(), (400, "invalid_param".to_owned()), "{body}");
    }
}

#[tokio::test]
async fn a_new_code_closes_the_old_address() {
    let app = TestApp::new().await;
    let id = make(&app, "x", "chat").await;
    let old = show(&app, &id).await["site"]["code"].clone();
    let new = app.post(&format!("{APPS}/{id}/site/access-token-reset"), json!({})).await.json();
    assert_ne!(new["code"], old);
    let mut conn = app.ctx().db.acquire().await.unwrap();
    let gone = db::site::find_by_code(&mut conn, old.as_str().unwrap()).await.unwrap();
    assert!(gone.is_none());
}
