use serde_json::json;
use test_support::TestServer;

const SETUP: &str = "/console/api/setup";
const INIT: &str = "/console/api/init";

fn somebody(email: &str) -> serde_json::Value {
    json!({"email": email, "name": "Somebody", "password": "Passw0rd!2026"})
}

#[tokio::test]
async fn a_server_is_set_up_once_and_refuses_everything_else_before() {
    let app = TestServer::new().await;
    let client = app.client();
    assert_eq!(client.get("/console/api/account/profile").await.code(401), "not_setup");
    assert_eq!(client.get(SETUP).await.expect(200)["step"], "not_started");

    client.post(SETUP, somebody("First@Example.com")).await.expect(201);
    let refused = client.post(SETUP, somebody("second@example.com")).await.expect(403);
    assert_eq!(refused["error"]["type"], "authorization_error");
    assert_eq!(client.get(SETUP).await.expect(200)["step"], "finished");

    let first = app.sign_in("first@example.com", "Passw0rd!2026").await;
    let workspace = first.post("/console/api/workspaces/current", json!({})).await.expect(200);
    assert_eq!(workspace["name"], "Somebody's Workspace");
    assert_eq!(workspace["role"], "owner");
    let tenant = workspace["id"].as_str().unwrap().parse().unwrap();
    let key = crypto::tenant_key::private_key_path(tenant);
    assert!(app.ctx().storage.exists(&key).await.unwrap());
}

#[tokio::test]
async fn of_many_setups_at_once_one_wins_and_leaves_one_account() {
    let app = TestServer::new().await;
    let calls = (0..4).map(|i| {
        let client = app.client();
        async move { client.post(SETUP, somebody(&format!("n{i}@example.com"))).await.status }
    });
    let mut answers = futures::future::join_all(calls).await;
    answers.sort();
    let expected: Vec<u16> = vec![201, 403, 403, 403];
    assert_eq!(answers.iter().map(http::status::StatusCode::as_u16).collect::<Vec<_>>(), expected);
    let mut conn = app.ctx().db.acquire().await.unwrap();
    assert_eq!(db::tenant::count(&mut conn).await.unwrap(), 1);
}

#[tokio::test]
async fn an_init_password_is_asked_for_first_and_remembered_by_the_browser() {
    let app = TestServer::with(&[("INIT_PASSWORD", "open sesame")]).await;
    let client = app.client();
    assert_eq!(client.get(INIT).await.expect(200)["status"], "not_started");
    assert_eq!(client.get("/console/api/account/profile").await.code(401), "not_init_validated");
    client.post(SETUP, somebody("a@example.com")).await.expect(401);
    client.post(INIT, json!({"password": "wrong"})).await.expect(401);
    client.post(SETUP, somebody("a@example.com")).await.expect(401);

    client.post(INIT, json!({"password": "open sesame"})).await.expect(201);
    assert_eq!(app.client().get(INIT).await.expect(200)["status"], "not_started");
    assert_eq!(client.get(INIT).await.expect(200)["status"], "finished");
    client.post(SETUP, somebody("a@example.com")).await.expect(201);
}

#[tokio::test]
async fn faults_come_in_the_envelope_of_these_paths() {
    let app = TestServer::new().await;
    let answer = app.client().post(SETUP, json!({"email": "x"})).await.expect(422);
    assert_eq!(answer["error"]["message"], "Validation error for parameter 'payload'");
    let answer = app.client().get("/console/api/version").await.expect(422);
    assert_eq!(answer["error"]["details"], "Validation error for parameter 'query'");
}
