//! What a participant keeps: pinned chats and saved answers.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn what_is_kept_twice_at_once_is_kept_once() {
    let world = World::new(&[]).await;
    let post = async |path: &str, body: Value| world.owner.post(path, body).await;
    for (mode, path) in [("chat", "chat-messages"), ("completion", "completion-messages")] {
        let app = world.app(mode, json!({})).await;
        let installed = format!("/console/api/installed-apps?app_id={}", app.id);
        let installed = world.owner.get(&installed).await.expect(200);
        let installed = installed["installed_apps"][0]["id"].as_str().unwrap().to_owned();
        let base = format!("/console/api/installed-apps/{installed}");
        let question = json!({"inputs": {}, "query": "hi", "response_mode": "blocking"});
        let answer = post(&format!("{base}/{path}"), question).await.with(200);
        if mode == "chat" {
            // It is streamed whatever is asked for.
            let text = String::from_utf8(answer.bytes).unwrap();
            let first = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
            let first: Value = serde_json::from_str(first).unwrap();
            let chat = first["conversation_id"].as_str().unwrap();
            let pin = format!("{base}/conversations/{chat}/pin");
            let pin = || world.owner.patch(&pin, json!({}));
            for reply in join_all((0..8).map(|_| pin())).await {
                reply.expect(200);
            }
        } else {
            let answer = answer.expect(200);
            let saved = format!("{base}/saved-messages");
            let message = json!({"message_id": answer["message_id"]});
            for reply in join_all((0..8).map(|_| post(&saved, message.clone()))).await {
                reply.expect(200);
            }
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM pinned_conversations").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM saved_messages").await, 1);
}
