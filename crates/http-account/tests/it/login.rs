use serde_json::{Value, json};
use test_support::{Client, TestServer};

const LOGIN: &str = "/console/api/login";
const PROFILE: &str = "/console/api/account/profile";
const CODE: &str = "/console/api/email-code-login";

fn attempt(email: &str, password: &str) -> Value {
    json!({"email": email, "password": crypto::base64::encode(password.as_bytes())})
}

#[tokio::test]
async fn six_wrong_passwords_lock_the_address_for_the_right_one_too() {
    let (app, owner) = TestServer::set_up().await;
    let client = app.client();
    for _ in 0..6 {
        let wrong = attempt("owner@example.com", "Wrong12345");
        assert_eq!(client.post(LOGIN, wrong).await.code(401), "authentication_failed");
    }
    let right = attempt("OWNER@example.com", "Passw0rd!2026");
    assert_eq!(client.post(LOGIN, right).await.code(429), "email_code_login_limit");
    owner.get(PROFILE).await.expect(200);
}

#[tokio::test]
async fn guesses_made_at_once_do_not_pass_the_lock_together() {
    let (app, _) = TestServer::set_up().await;
    let calls = (0..20).map(|_| {
        let client = app.client();
        async move { client.post(LOGIN, attempt("owner@example.com", "Wrong12345")).await.status }
    });
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().filter(|status| status.as_u16() == 401).count() <= 6);
}

#[tokio::test]
async fn a_session_that_signed_out_is_over_and_others_go_on() {
    let (app, first) = TestServer::set_up().await;
    let second = app.sign_in("owner@example.com", "Passw0rd!2026").await;
    let thief = app.client();
    for name in ["access_token", "csrf_token", "refresh_token"] {
        thief.set_cookie(name, &first.cookie(name).unwrap());
    }
    thief.get(PROFILE).await.expect(200);

    first.post("/console/api/logout", json!({})).await.expect(200);
    assert_eq!(thief.get(PROFILE).await.code(401), "unauthorized");
    thief.post("/console/api/refresh-token", json!({})).await.expect(401);
    second.get(PROFILE).await.expect(200);
    second.post("/console/api/refresh-token", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let (app, owner) = TestServer::set_up().await;
    let old = owner.cookie("refresh_token").unwrap();
    owner.post("/console/api/refresh-token", json!({})).await.expect(200);
    assert_ne!(owner.cookie("refresh_token").unwrap(), old);
    let late = app.client();
    late.set_cookie("refresh_token", &old);
    let refused = late.post("/console/api/refresh-token", json!({})).await.expect(401);
    assert_eq!(refused, json!({"result": "fail", "message": "Invalid refresh token"}));
}

#[tokio::test]
async fn csrf_tokens_belong_to_their_account() {
    let (app, owner) = TestServer::set_up().await;
    let member = app.member(&owner, "normal", "member@example.com").await;
    let mixed = app.client();
    mixed.set_cookie("access_token", &owner.cookie("access_token").unwrap());
    mixed.set_cookie("csrf_token", &member.cookie("csrf_token").unwrap());
    assert_eq!(mixed.get(PROFILE).await.code(401), "unauthorized");
}

async fn code_login(app: &TestServer, client: &Client) -> (String, String) {
    let asked = client.post(CODE, json!({"email": "owner@example.com"})).await.expect(200);
    let token = asked["data"].as_str().unwrap().to_owned();
    let code = app.job_argument("code").await.as_str().unwrap().to_owned();
    (token, code)
}

fn proof(token: &str, code: &str) -> Value {
    let code = crypto::base64::encode(code.as_bytes());
    json!({"email": "owner@example.com", "token": token, "code": code})
}

#[tokio::test]
async fn a_mailed_code_signs_in_once() {
    let (app, _) = TestServer::set_up().await;
    let client = app.client();
    let (token, code) = code_login(&app, &client).await;
    let path = format!("{CODE}/validity");
    client.post(&path, proof(&token, &code)).await.expect(200);
    client.get(PROFILE).await.expect(200);
    assert_eq!(
        client.post(&path, proof(&token, &code)).await.code(400),
        "invalid_or_expired_token"
    );
}

#[tokio::test]
async fn a_token_does_not_survive_guessing_its_code() {
    let (app, _) = TestServer::set_up().await;
    let client = app.client();
    let (token, code) = code_login(&app, &client).await;
    let path = format!("{CODE}/validity");
    for _ in 0..6 {
        assert_eq!(client.post(&path, proof(&token, "nocode")).await.code(400), "email_code_error");
    }
    assert_eq!(
        client.post(&path, proof(&token, &code)).await.code(400),
        "invalid_or_expired_token"
    );
}
