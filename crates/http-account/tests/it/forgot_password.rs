use serde_json::json;
use test_support::TestServer;

const FORGOT: &str = "/console/api/forgot-password";

#[tokio::test]
async fn a_forgotten_password_is_replaced_behind_the_code_only() {
    let (app, owner) = TestServer::set_up().await;
    let client = app.client();
    let asked = client.post(FORGOT, json!({"email": "owner@example.com"})).await.expect(200);
    let token = asked["data"].as_str().unwrap();
    let new = |token: &str| json!({"token": token, "new_password": "Another12345", "password_confirm": "Another12345"});
    let resets = format!("{FORGOT}/resets");
    assert_eq!(client.post(&resets, new(token)).await.code(400), "invalid_or_expired_token");

    let code = app.job_argument("code").await;
    let proof = json!({"email": "owner@example.com", "code": code, "token": token});
    let proved = client.post(&format!("{FORGOT}/validity"), proof.clone()).await.expect(200);
    assert_eq!(
        client.post(&format!("{FORGOT}/validity"), proof).await.code(400),
        "invalid_or_expired_token"
    );
    let token = proved["token"].as_str().unwrap();
    client.post(&resets, new(token)).await.expect(200);
    assert_eq!(client.post(&resets, new(token)).await.code(400), "invalid_or_expired_token");

    app.sign_in("owner@example.com", "Another12345").await;
    // Whoever was signed in by the old password cannot stay.
    owner.post("/console/api/refresh-token", json!({})).await.expect(401);
}

#[tokio::test]
async fn unknown_addresses_get_the_same_answer_and_a_mail_without_a_code() {
    let (app, _) = TestServer::set_up().await;
    let asked = app.client().post(FORGOT, json!({"email": "nobody@example.com"})).await.expect(200);
    assert_eq!(asked["result"], "success");
    let jobs = app.jobs().await;
    let letter = jobs.iter().find(|job| job.kwargs["to"] == "nobody@example.com").unwrap();
    assert!(!letter.kwargs.contains_key("code"));
}
