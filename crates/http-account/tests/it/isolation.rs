use serde_json::json;
use test_support::{Client, TestServer};
use uuid::Uuid;

async fn insert_file(app: &TestServer, of: &Client) -> Uuid {
    let tenant = of.post("/console/api/workspaces/current", json!({})).await.expect(200);
    let account = of.get("/console/api/account/profile").await.expect(200);
    let (tenant, account) = (tenant["id"].as_str().unwrap(), account["id"].as_str().unwrap());
    let id = Uuid::new_v4();
    app.db()
        .execute(&format!(
            "INSERT INTO upload_files (id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by, \
             created_by_role, created_at, used, hash, source_url) VALUES ('{id}', '{tenant}', 'local', 'k', 'a.png', 1, \
             'png', 'image/png', '{account}', 'account', now(), false, '', '')"
        ))
        .await;
    id
}

#[tokio::test]
async fn pictures_are_files_of_the_workspace() {
    let (app, owner) = TestServer::set_up().await;
    let stranger = app.stranger("stranger@example.com").await;
    let theirs = insert_file(&app, &stranger).await;
    let ours = insert_file(&app, &owner).await;
    for (path, field) in [
        ("/console/api/account/avatar", "avatar"),
        ("/console/api/workspaces/custom-config", "replace_webapp_logo"),
    ] {
        assert_eq!(owner.post(path, json!({field: theirs})).await.code(400), "invalid_param");
        assert_eq!(owner.post(path, json!({field: "nonsense"})).await.code(400), "invalid_param");
        owner.post(path, json!({field: ours})).await.expect(200);
    }
}

#[tokio::test]
async fn a_workspace_is_changed_by_owner_and_admin_only() {
    let (app, owner) = TestServer::set_up().await;
    let admin = app.member(&owner, "admin", "admin@example.com").await;
    admin.post("/console/api/workspaces/info", json!({"name": "Ours"})).await.expect(200);
    for role in ["editor", "normal", "dataset_operator"] {
        let member = app.member(&owner, role, &format!("{role}@example.com")).await;
        for (path, body) in [
            ("/console/api/workspaces/info", json!({"name": "Mine"})),
            ("/console/api/workspaces/custom-config", json!({"remove_webapp_brand": true})),
        ] {
            assert_eq!(member.post(path, body).await.code(403), "forbidden", "{role}");
        }
    }
}

#[tokio::test]
async fn members_of_another_workspace_are_out_of_reach() {
    let (app, owner) = TestServer::set_up().await;
    let stranger = app.stranger("stranger@example.com").await;
    let profile = owner.get("/console/api/account/profile").await.expect(200);
    let id = profile["id"].as_str().unwrap();
    let path = format!("/console/api/workspaces/current/members/{id}");
    assert_eq!(stranger.delete(&path).await.code(404), "member-not-found");
    let update = format!("{path}/update-role");
    assert_eq!(stranger.put(&update, json!({"role": "normal"})).await.code(400), "invalid_param");
    let tenant = owner.post("/console/api/workspaces/current", json!({})).await.expect(200);
    let body = json!({"tenant_id": tenant["id"]});
    let answer = stranger.post("/console/api/workspaces/switch", body).await;
    assert_eq!(answer.code(403), "account_not_link_tenant");
}
