use serde_json::{Value, json};
use test_support::{Client, TestServer};

const MEMBERS: &str = "/console/api/workspaces/current/members";

async fn id_of(client: &Client) -> String {
    let profile = client.get("/console/api/account/profile").await.expect(200);
    profile["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_member_that_was_removed_has_no_session_any_more() {
    let (app, owner) = TestServer::set_up().await;
    let member = app.member(&owner, "editor", "member@example.com").await;
    let path = format!("{MEMBERS}/{}", id_of(&member).await);
    owner.delete(&path).await.expect(200);
    member.get("/console/api/account/profile").await.expect(401);
    member.post("/console/api/refresh-token", json!({})).await.expect(401);
    assert_eq!(owner.delete(&path).await.code(404), "member-not-found");
}

#[tokio::test]
async fn an_invited_account_that_never_came_is_deleted_with_its_invitation() {
    let (app, owner) = TestServer::set_up().await;
    let invite = json!({"emails": ["guest@example.com"], "role": "normal"});
    let answer = owner.post(&format!("{MEMBERS}/invite-email"), invite.clone()).await.expect(201);
    let url = answer["invitation_results"][0]["url"].as_str().unwrap().to_owned();
    let token = url.split("token=").nth(1).unwrap();
    let check = format!("/console/api/activate/check?email=guest@example.com&token={token}");
    assert_eq!(app.client().get(&check).await.expect(200)["is_valid"], true);

    let listed = owner.get(MEMBERS).await.expect(200);
    let guest = listed["accounts"].as_array().unwrap().iter().find(|a| a["status"] == "pending");
    let id = guest.unwrap()["id"].as_str().unwrap().to_owned();
    owner.delete(&format!("{MEMBERS}/{id}")).await.expect(200);
    assert_eq!(app.client().get(&check).await.expect(200), json!({"is_valid": false}));
    owner.delete(&format!("{MEMBERS}/{id}")).await.expect(404);
}

#[tokio::test]
async fn invitations_queue_one_mail_each_and_failures_do_not_stop_the_rest() {
    let (app, owner) = TestServer::set_up().await;
    app.jobs().await;
    let emails = json!(["a@example.com", "no address", "owner@example.com", "b@example.com"]);
    let body = json!({"emails": emails, "role": "normal", "language": "zh-Hans"});
    let answer = owner.post(&format!("{MEMBERS}/invite-email"), body).await.expect(201);
    let outcomes: Vec<&Value> =
        answer["invitation_results"].as_array().unwrap().iter().map(|r| &r["status"]).collect();
    assert_eq!(outcomes, ["success", "failed", "failed", "success"]);
    let letters: Vec<Value> = app.jobs().await.iter().map(|job| job.kwargs["to"].clone()).collect();
    assert_eq!(letters, ["a@example.com", "b@example.com"]);
}

#[tokio::test]
async fn an_invitation_does_not_lift_a_ban() {
    let (app, owner) = TestServer::set_up().await;
    let invite = json!({"emails": ["guest@example.com"], "role": "normal"});
    let answer = owner.post(&format!("{MEMBERS}/invite-email"), invite).await.expect(201);
    let url = answer["invitation_results"][0]["url"].as_str().unwrap().to_owned();
    let token = url.split("token=").nth(1).unwrap();
    app.db()
        .execute("UPDATE accounts SET status = 'banned' WHERE email = 'guest@example.com'")
        .await;
    let body = json!({
        "token": token, "name": "Guest", "interface_language": "en-US", "timezone": "UTC",
    });
    let answer = app.client().post("/console/api/activate", body).await;
    assert_eq!(answer.code(403), "already_activate");
}
