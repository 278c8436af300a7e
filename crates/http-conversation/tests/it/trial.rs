//! Apps of the catalogue that are tried.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

#[tokio::test]
async fn an_app_is_tried_as_often_as_it_may_be() {
    let world = World::new(&[("ENABLE_TRIAL_APP", "true")]).await;
    let config = json!({"suggested_questions_after_answer": {"enabled": true}});
    let app = world.app("chat", config).await;
    let base = format!("/console/api/trial-apps/{}", app.id);
    let ask = async |query: &str| {
        let body = json!({"inputs": {}, "query": query, "response_mode": "streaming"});
        world.owner.post(&format!("{base}/chat-messages"), body).await
    };
    let follow = async |message: &str| {
        world.owner.get(&format!("{base}/messages/{message}/suggested-questions")).await
    };
    let nobody = Uuid::new_v4().to_string();
    assert_eq!(ask("hi").await.code(403), "trial_app_not_allowed");
    assert_eq!(follow(&nobody).await.code(403), "trial_app_not_allowed");

    let allow = "WITH made AS (INSERT INTO trial_apps (id, app_id, tenant_id, trial_limit)
                 SELECT gen_random_uuid(), id, tenant_id, 2 FROM apps RETURNING 1) SELECT count(*) FROM made";
    assert_eq!(world.count(allow).await, 1);
    let answer = ask("hi").await.with(200);
    let text = String::from_utf8(answer.bytes).unwrap();
    let first = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let first: Value = serde_json::from_str(first).unwrap();
    let message = first["message_id"].as_str().unwrap();
    let questions = follow(message).await.expect(200);
    assert_eq!(questions["data"].as_array().unwrap().len(), 3, "{questions}");
    assert_eq!(follow(&nobody).await.code(404), "not_found");

    assert_eq!(ask("again").await.status, 200);
    assert_eq!(ask("once too often").await.code(403), "trial_app_limit_exceeded");
}
