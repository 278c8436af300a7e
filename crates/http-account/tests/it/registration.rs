use serde_json::json;
use test_support::TestServer;

const REGISTER: &str = "/console/api/email-register";

#[tokio::test]
async fn nobody_registers_unless_the_operator_lets_them() {
    let (app, _) = TestServer::set_up().await;
    let path = format!("{REGISTER}/send-email");
    assert_eq!(
        app.client().post(&path, json!({"email": "a@example.com"})).await.code(403),
        "forbidden"
    );
}

#[tokio::test]
async fn an_address_that_proves_its_code_gets_an_account_and_a_workspace() {
    let settings = [("ALLOW_REGISTER", "true"), ("ALLOW_CREATE_WORKSPACE", "true")];
    let (app, _) = TestServer::set_up_with(&settings).await;
    let client = app.client();
    let path = format!("{REGISTER}/send-email");
    let asked = client.post(&path, json!({"email": "New@Example.com"})).await.expect(200);
    let new = |token: &str| json!({"token": token, "new_password": "Another12345", "password_confirm": "Another12345"});
    let token = asked["data"].as_str().unwrap();
    assert_eq!(client.post(REGISTER, new(token)).await.code(400), "invalid_or_expired_token");

    let code = app.job_argument("code").await;
    let proof = json!({"email": "new@example.com", "code": code, "token": token});
    let proved = client.post(&format!("{REGISTER}/validity"), proof).await.expect(200);
    let token = proved["token"].as_str().unwrap();
    let session = client.post(REGISTER, new(token)).await.expect(200);
    assert!(session["data"]["access_token"].is_string());

    let member = app.sign_in("new@example.com", "Another12345").await;
    let workspace = member.post("/console/api/workspaces/current", json!({})).await.expect(200);
    assert_eq!(workspace["role"], "owner");
}
