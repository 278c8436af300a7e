use serde_json::{Value, json};
use test_support::TestServer;

const PROVIDER: &str = "/console/api/oauth/provider";
const BACK: &str = "https://client.example.com/back";

#[tokio::test]
async fn a_client_gets_tokens_for_the_account_that_let_it() {
    let (app, owner) = TestServer::set_up().await;
    app.db()
        .execute(&format!(
            "INSERT INTO oauth_provider_apps (id, app_icon, app_label, client_id, client_secret, redirect_uris, scope) \
             VALUES (gen_random_uuid(), 'icon', '{{\"en-US\": \"Client\"}}', 'client', 'secret', '[\"{BACK}\"]', 'read:name')"
        ))
        .await;
    let anybody = app.client();
    let wrong = json!({"client_id": "client", "redirect_uri": "https://evil.example.com"});
    assert_eq!(anybody.post(PROVIDER, wrong).await.code(400), "bad_request");
    let unknown = json!({"client_id": "nobody", "redirect_uri": BACK});
    assert_eq!(anybody.post(PROVIDER, unknown).await.code(404), "not_found");

    let authorize = format!("{PROVIDER}/authorize");
    anybody.post(&authorize, json!({"client_id": "client"})).await.expect(401);
    let code =
        owner.post(&authorize, json!({"client_id": "client"})).await.expect(200)["code"].clone();
    let token = format!("{PROVIDER}/token");
    let swap = |secret: &str| {
        json!({
            "client_id": "client", "grant_type": "authorization_code", "code": code,
            "client_secret": secret, "redirect_uri": BACK,
        })
    };
    assert_eq!(anybody.post(&token, swap("wrong")).await.code(400), "bad_request");
    let tokens = anybody.post(&token, swap("secret")).await.expect(200);
    assert_eq!(tokens["expires_in"], 43_200);
    assert_eq!(anybody.post(&token, swap("secret")).await.code(400), "bad_request");

    let refresh = json!({
        "client_id": "client", "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
    });
    let refreshed = anybody.post(&token, refresh).await.expect(200);
    assert_eq!(refreshed["refresh_token"], tokens["refresh_token"]);

    let account = |token: &Value| app.client().bearer(token.as_str().unwrap());
    let client = account(&refreshed["access_token"]);
    let who = client.post(&format!("{PROVIDER}/account"), json!({"client_id": "client"})).await;
    assert_eq!(who.expect(200)["email"], "owner@example.com");
    let refused = account(&json!("nonsense"))
        .post(&format!("{PROVIDER}/account"), json!({"client_id": "client"}))
        .await
        .with(401);
    assert_eq!(refused.json, json!({"error": "access_token or client_id is invalid"}));
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
}
