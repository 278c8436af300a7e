use serde_json::{Value, json};
use test_support::{Client, TestServer};

const MEMBERS: &str = "/console/api/workspaces/current/members";

async fn id_of(client: &Client) -> String {
    let profile = client.get("/console/api/account/profile").await.expect(200);
    profile["id"].as_str().unwrap().to_owned()
}

async fn send(owner: &Client) -> String {
    let path = format!("{MEMBERS}/send-owner-transfer-confirm-email");
    owner.post(&path, json!({})).await.expect(200)["data"].as_str().unwrap().to_owned()
}

async fn prove(app: &TestServer, owner: &Client, token: &str) -> Value {
    let code = app.job_argument("code").await;
    let body = json!({"code": code, "token": token});
    owner.post(&format!("{MEMBERS}/owner-transfer-check"), body).await.expect(200)["token"].clone()
}

async fn roles(owner: &Client) -> Vec<(String, String)> {
    let listed = owner.get(MEMBERS).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts = listed["accounts"].as_array().unwrap();
    accounts.iter().map(|a| (text(&a["email"]), text(&a["role"]))).collect()
}

#[tokio::test]
async fn a_workspace_is_handed_over_behind_the_code_only() {
    let (app, owner) = TestServer::set_up().await;
    let heir = app.member(&owner, "admin", "heir@example.com").await;
    let path = format!("{MEMBERS}/{}/owner-transfer", id_of(&heir).await);
    let token = send(&owner).await;
    let early = owner.post(&path, json!({"token": token})).await;
    assert_eq!(early.code(400), "invalid_or_expired_token");

    let token = prove(&app, &owner, &token).await;
    owner.post(&path, json!({"token": token})).await.expect(200);
    // The list has no order of its own among members of the same second.
    let expected = [("heir@example.com", "owner"), ("owner@example.com", "admin")];
    let expected = expected.map(|(email, role)| (email.to_owned(), role.to_owned()));
    let mut shown = roles(&owner).await;
    shown.sort();
    assert_eq!(shown, expected);
    assert_eq!(owner.post(&path, json!({"token": token})).await.code(400), "not_owner");
}

#[tokio::test]
async fn two_changes_of_owner_at_once_leave_one_owner() {
    let (app, owner) = TestServer::set_up().await;
    let mut ids = Vec::new();
    for i in 0..4 {
        let heir = app.member(&owner, "admin", &format!("heir{i}@example.com")).await;
        ids.push(id_of(&heir).await);
    }
    let calls = ids.iter().map(|id| {
        let path = format!("{MEMBERS}/{id}/update-role");
        let owner = &owner;
        async move { owner.put(&path, json!({"role": "owner"})).await.status.as_u16() }
    });
    let mut answers = futures::future::join_all(calls).await;
    answers.sort_unstable();
    assert_eq!(answers, [200, 400, 400, 400]);
    let owners = roles(&owner).await.into_iter().filter(|(_, role)| role == "owner").count();
    assert_eq!(owners, 1);
}
