use serde_json::{Value, json};
use test_support::{Client, TestServer};

const CHANGE: &str = "/console/api/account/change-email";

async fn send(client: &Client, body: Value) -> String {
    let answer = client.post(CHANGE, body).await.expect(200);
    answer["data"].as_str().unwrap().to_owned()
}

async fn prove(app: &TestServer, client: &Client, email: &str, token: &str) -> String {
    let code = app.job_argument("code").await;
    let body = json!({"email": email, "code": code, "token": token});
    let answer = client.post(&format!("{CHANGE}/validity"), body).await.expect(200);
    answer["token"].as_str().unwrap().to_owned()
}

async fn reset(client: &Client, email: &str, token: &str) -> test_support::Reply {
    let body = json!({"new_email": email, "token": token});
    client.post(&format!("{CHANGE}/reset"), body).await
}

#[tokio::test]
async fn only_a_proved_code_to_the_new_address_moves_the_account() {
    let (app, owner) = TestServer::set_up().await;
    let old = "owner@example.com";
    let first = send(&owner, json!({"email": old, "phase": "old_email"})).await;
    assert_eq!(
        reset(&owner, "new@example.com", &first).await.code(400),
        "invalid_or_expired_token"
    );
    let unproved = json!({"email": "new@example.com", "phase": "new_email", "token": first});
    assert_eq!(owner.post(CHANGE, unproved).await.code(400), "invalid_or_expired_token");

    let second = prove(&app, &owner, old, &first).await;
    assert_eq!(
        reset(&owner, "new@example.com", &second).await.code(400),
        "invalid_or_expired_token"
    );
    let body = json!({"email": "new@example.com", "phase": "new_email", "token": second});
    let third = send(&owner, body).await;
    assert_eq!(
        reset(&owner, "new@example.com", &third).await.code(400),
        "invalid_or_expired_token"
    );

    let fourth = prove(&app, &owner, "new@example.com", &third).await;
    assert_eq!(
        reset(&owner, "other@example.com", &fourth).await.code(400),
        "invalid_or_expired_token"
    );
    let moved = reset(&owner, "New@example.com", &fourth).await.expect(200);
    assert_eq!(moved["email"], "new@example.com");
    assert_eq!(reset(&owner, "new@example.com", &fourth).await.code(400), "email_already_in_use");
    app.sign_in("new@example.com", "Passw0rd!2026").await;
}

#[tokio::test]
async fn another_accounts_address_and_token_are_worth_nothing() {
    let (app, owner) = TestServer::set_up().await;
    let member = app.member(&owner, "normal", "member@example.com").await;
    let theirs = json!({"email": "owner@example.com", "phase": "old_email"});
    assert_eq!(member.post(CHANGE, theirs).await.code(400), "account_not_found");

    let token = send(&owner, json!({"email": "owner@example.com", "phase": "old_email"})).await;
    let code = app.job_argument("code").await;
    let body = json!({"email": "owner@example.com", "code": code, "token": token});
    let path = format!("{CHANGE}/validity");
    assert_eq!(member.post(&path, body.clone()).await.code(400), "invalid_or_expired_token");
    owner.post(&path, body).await.expect(200);
}
