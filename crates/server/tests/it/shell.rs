//! What happens around every handler: cross-origin rules, documentation, the licence.

use http::Request;
use serde_json::json;
use test_support::{Client, Listener, Reply, TestServer};

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn from(client: &Client, origin: &str, method: &str, path: &str) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-headers", "content-type, x-evil, authorization");
    client.send(request.body(axum::body::Body::empty()).unwrap()).await
}

#[tokio::test]
async fn each_api_has_its_own_rules_for_other_origins() {
    let app = TestServer::with(&[
        ("CONSOLE_CORS_ALLOW_ORIGINS", "https://console.example"),
        ("WEB_API_CORS_ALLOW_ORIGINS", "https://a.example,https://b.example"),
    ])
    .await;
    let client = app.client();
    for (path, origin, allowed, with_cookies) in [
        ("/console/api/setup", "https://console.example", true, true),
        ("/console/api/setup", "https://evil.example", false, false),
        ("/api/system-features", "https://b.example", true, true),
        ("/api/system-features", "https://console.example", false, false),
        ("/v1/info", "https://anybody.example", true, false),
        ("/files/support-type", "https://anybody.example", true, false),
        ("/triggers/webhook/x", "https://anybody.example", true, false),
        ("/inner/api/x", "https://anybody.example", false, false),
        ("/mcp/server/x/mcp", "https://anybody.example", false, false),
    ] {
        let reply = from(&client, origin, "GET", path).await;
        let named = if allowed { origin } else { "" };
        assert_eq!(header(&reply, "access-control-allow-origin"), named, "{path} {origin}");
        let cookies = if with_cookies { "true" } else { "" };
        assert_eq!(header(&reply, "access-control-allow-credentials"), cookies, "{path} {origin}");
    }
    let preflight = from(&client, "https://console.example", "OPTIONS", "/console/api/apps").await;
    assert_eq!(preflight.status, 200);
    assert_eq!(header(&preflight, "access-control-allow-headers"), "content-type, authorization");
    assert_eq!(
        header(&preflight, "access-control-allow-methods"),
        "DELETE, GET, OPTIONS, PATCH, POST, PUT"
    );
    assert_eq!(header(&preflight, "access-control-allow-origin"), "https://console.example");
}

#[tokio::test]
async fn the_documentation_is_there_when_asked_for_and_loads_nothing_from_elsewhere() {
    let app = TestServer::with(&[("SWAGGER_UI_ENABLED", "true")]).await;
    let client = app.client();
    for (prefix, api) in server::shell::docs::PREFIXES {
        let page = client.get(&format!("{prefix}/swagger-ui.html")).await.with(200);
        let text = String::from_utf8_lossy(&page.bytes);
        assert!(text.contains(&format!("data-api=\"{api}\"")), "{text}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
        assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
        let document = client.get(&format!("{prefix}/swagger.json")).await.expect(200);
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document, client.get(&format!("/openapi/{api}.json")).await.expect(200));
    }
    let script = client.get("/openapi/docs.js").await.with(200);
    assert!(header(&script, "content-type").starts_with("text/javascript"));

    let app = TestServer::with(&[("SWAGGER_UI_ENABLED", "false")]).await;
    for path in ["/console/api/swagger-ui.html", "/v1/swagger.json", "/openapi/web.json"] {
        assert_eq!(app.client().get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_installation_whose_licence_ended_only_says_so() {
    let info = |status: &str| json!({"License": {"status": status}}).to_string().into_bytes();
    for (status, open) in
        [("active", true), ("expiring", true), ("expired", false), ("lost", false)]
    {
        let told = info(status);
        let service = Listener::new(&[("GET /info", 200, "application/json", &told)]).await;
        let app = TestServer::with(&[
            ("ENTERPRISE_ENABLED", "true"),
            ("ENTERPRISE_API_URL", &service.url),
        ])
        .await;
        let client = app.client();
        for path in ["/console/api/apps", "/api/site"] {
            let reply = client.get(path).await;
            let shut = reply.json["code"] == "unauthorized_and_force_logout";
            assert_eq!(shut, !open, "{status} {path}: {}", reply.json);
            if shut {
                let words =
                    format!("Enterprise license is {status}. Please contact your administrator.");
                assert_eq!(reply.json["message"], words.as_str());
                let cleared: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
                assert_eq!(cleared.len(), 3, "{cleared:?}");
            }
        }
        client.get("/console/api/system-features").await.expect(200);
        client.get("/console/api/setup").await.expect(200);
        let asked = service.seen().iter().filter(|seen| seen.line == "GET /info").count();
        assert!(asked <= 2, "the licence is remembered: {asked}");
    }

    let app = TestServer::with(&[
        ("ENTERPRISE_ENABLED", "true"),
        ("ENTERPRISE_API_URL", "http://127.0.0.1:1"),
    ])
    .await;
    let reply = app.client().get("/console/api/apps").await.expect(401);
    let words = "Unable to verify enterprise license. Please contact your administrator.";
    assert_eq!(reply["message"], words);
}
