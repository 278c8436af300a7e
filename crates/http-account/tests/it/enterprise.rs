use serde_json::json;
use test_support::TestServer;

const WORKSPACE: &str = "/inner/api/enterprise/workspace";

#[tokio::test]
async fn the_inner_api_asks_for_its_key_before_anything_else() {
    let (app, _) = TestServer::set_up().await;
    app.client().post(WORKSPACE, json!({})).await.expect(404);

    let settings = [("INNER_API", "true"), ("INNER_API_KEY", "inner")];
    let app = TestServer::with(&settings).await;
    assert_eq!(app.client().post(WORKSPACE, json!({})).await.code(401), "unauthorized");
    let wrong = app.client().header("x-inner-api-key", "wrong");
    assert_eq!(wrong.post(WORKSPACE, json!({})).await.code(401), "unauthorized");
    let right = app.client().header("x-inner-api-key", "inner");
    assert_eq!(right.post(WORKSPACE, json!({})).await.code(401), "not_setup");
}

#[tokio::test]
async fn the_operator_makes_workspaces_and_queues_mails() {
    let settings = [("INNER_API", "true"), ("INNER_API_KEY", "inner")];
    let (app, owner) = TestServer::set_up_with(&settings).await;
    let inner = app.client().header("x-inner-api-key", "inner");
    let body = json!({"name": "Second", "owner_email": "owner@example.com"});
    let made = inner.post(WORKSPACE, body).await.expect(200);
    let listed = owner.get("/console/api/workspaces").await.expect(200);
    assert_eq!(listed["workspaces"].as_array().unwrap().len(), 2);
    let switch = json!({"tenant_id": made["tenant"]["id"]});
    let switched = owner.post("/console/api/workspaces/switch", switch).await.expect(200);
    assert_eq!(switched["new_tenant"]["role"], "owner");

    let mail = json!({
        "to": ["a@example.com"], "subject": "Hello", "body": "{{ name }}", "substitutions": {"name": "Zoë"},
    });
    inner.post("/inner/api/enterprise/mail", mail).await.expect(200);
    assert_eq!(app.job_argument("subject").await, "Hello");
}

#[tokio::test]
async fn gates_of_other_editions_are_closed() {
    let (app, owner) = TestServer::set_up().await;
    for path in ["/api/login", "/api/email-code-login", "/api/forgot-password"] {
        app.client().post(path, json!({})).await.expect(404);
    }
    for path in [
        "/console/api/billing/invoices",
        "/console/api/account/education",
        "/console/api/compliance/download",
        "/console/api/workspaces/current/permission",
    ] {
        owner.get(path).await.expect(404);
    }
}
