//! Extensions and crawlers' keys: what is asked of other servers, and what is kept.

use serde_json::{Value, json};
use test_support::{Listener, TestApp};

#[tokio::test]
async fn an_extension_is_kept_when_its_endpoint_answers() {
    let app = TestApp::new().await;
    let server = Listener::new(&[
        ("POST /ok", 200, "application/json", br#"{"result": "pong"}"#),
        ("POST /no", 200, "application/json", br#"{"result": "ping"}"#),
        ("POST /down", 503, "text/plain", b"closed"),
    ])
    .await;
    let base = "/console/api/api-based-extension";
    let wish = |path: &str, key: &str| json!({"name": "one", "api_endpoint": format!("{}{path}", server.url), "api_key": key});
    for (path, expected) in [
        ("/no", "connection error: {'result': 'ping'}"),
        ("/down", "connection error: request error, status_code: 503, content: closed"),
    ] {
        assert_eq!(
            app.post(base, wish(path, "secret-key-12345")).await.json()["message"],
            expected
        );
    }
    let made = app.post(base, wish("/ok", "secret-key-12345")).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let path = format!("{base}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.json()["api_key"], "sec******345");

    // A hidden key stays the stored one.
    assert_eq!(app.post(&path, wish("/ok", "[__HIDDEN__]")).await.status, 200);
    let asked = server.seen().pop().unwrap();
    assert_eq!(asked.headers["authorization"], "Bearer secret-key-12345");
    assert_eq!(
        serde_json::from_slice::<Value>(&asked.body).unwrap(),
        json!({"point": "ping", "params": {}})
    );
    let stranger = app.stranger().await;
    let refused = app.call_as(&stranger, axum::http::Method::DELETE, &path, None).await;
    assert_eq!(refused.error(), (400, "invalid_param".to_owned()));
    assert_eq!(app.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_crawlers_key_is_sealed_once_the_crawler_took_it() {
    let app = TestApp::new().await;
    let crawler = Listener::new(&[
        ("POST /good/v1/crawl", 200, "application/json", b"{}"),
        ("POST /bad/v1/crawl", 402, "application/json", br#"{"error": "out of credits"}"#),
    ])
    .await;
    let base = "/console/api/api-key-auth/data-source";
    let bind = |path: &str| {
        let config = json!({"api_key": "fc-key", "base_url": format!("{}{path}", crawler.url)});
        let body = json!({"category": "website", "provider": "firecrawl",
            "credentials": {"auth_type": "bearer", "config": config}});
        let path = format!("{base}/binding");
        let app = &app;
        async move { app.post(&path, body).await }
    };
    let refused = bind("/bad").await;
    assert_eq!(refused.error(), (500, "auth_failed".to_owned()));
    assert!(refused.text().contains("Status code: 402. Error: out of credits"));
    assert_eq!(bind("/good").await.status, 200);

    let mut conn = app.ctx().db.acquire().await.unwrap();
    let kept =
        db::data_source_key::find_by_provider(&mut conn, app.owner.tenant, "website", "firecrawl")
            .await
            .unwrap()
            .unwrap();
    assert!(!kept.credentials.unwrap().contains("fc-key"));
    let listed = app.get(base).await.json();
    assert_eq!(listed["sources"][0]["provider"], "firecrawl");
    assert_eq!(app.delete(&format!("{base}/{}", kept.id)).await.status, 204);
    assert_eq!(app.get(base).await.json(), json!({"sources": []}));
}
