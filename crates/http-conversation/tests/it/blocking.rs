//! Answers in one piece, and what is kept of them.

use serde_json::json;

use crate::support::{World, question, text};

#[tokio::test]
async fn a_chat_is_answered_and_kept() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let first = app.ask("hello [[reply:Hi there]]").await.expect(200);
    assert_eq!((text(&first, "event"), text(&first, "answer")), ("message", "Hi there"));
    assert_eq!(text(&first, "id"), text(&first, "message_id"));
    assert!(0 < first["metadata"]["usage"]["total_tokens"].as_i64().unwrap());

    let conversation = text(&first, "conversation_id");
    let mut next = question("and [[reply:Again]]", "blocking");
    next["conversation_id"] = conversation.into();
    let second = app.send(&next, &[]).await.expect(200);
    assert_eq!(second["conversation_id"], first["conversation_id"]);

    let kept = app.messages(conversation).await;
    let answers: Vec<&str> = kept.iter().map(|message| text(message, "answer")).collect();
    assert_eq!(answers, ["Hi there", "Again"]);
    let asked = world.asked("chat").await;
    let messages = asked[1]["body"]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 4, "{messages:?}");
    let copies = "SELECT count(*) FROM conversation_messages
                  WHERE metadata @> '{\"model\": \"gpt-4o-mini\"}' AND content IN ('Hi there', 'Again')
                        AND metadata @> '{\"status\": \"normal\"}'";
    assert_eq!(world.count(copies).await, 2);
}

#[tokio::test]
async fn a_completion_is_answered_and_answered_again_in_another_way() {
    let world = World::new(&[]).await;
    let form = json!([{"paragraph": {"label": "Q", "variable": "q", "required": true}}]);
    let config = json!({
        "pre_prompt": "Say {{q}}",
        "user_input_form": form,
        "more_like_this": {"enabled": true},
    });
    let app = world.app("completion", config).await;
    let body =
        json!({"inputs": {"q": "x [[reply:Done]]"}, "user": "alice", "response_mode": "blocking"});
    let first = app.send(&body, &[]).await.expect(200);
    assert_eq!(text(&first, "answer"), "Done");
    assert!(first["conversation_id"].is_null());
    let missing = json!({"inputs": {}, "user": "alice", "response_mode": "blocking"});
    assert_eq!(app.send(&missing, &[]).await.code(400), "invalid_param");

    let id = text(&first, "message_id");
    let installed =
        world.owner.get(&format!("/console/api/installed-apps?app_id={}", app.id)).await;
    let installed = text(&installed.expect(200)["installed_apps"][0], "id").to_owned();
    let base = format!("/console/api/installed-apps/{installed}");
    let body = json!({"inputs": {"q": "y [[reply:Mine]]"}, "response_mode": "blocking"});
    let mine = world.owner.post(&format!("{base}/completion-messages"), body).await.expect(200);
    let like = format!(
        "{base}/messages/{}/more-like-this?response_mode=blocking",
        text(&mine, "message_id")
    );
    assert_eq!(text(&world.owner.get(&like).await.expect(200), "answer"), "Mine");
    let of_somebody = format!("{base}/messages/{id}/more-like-this?response_mode=blocking");
    assert_eq!(world.owner.get(&of_somebody).await.code(404), "not_found");
}

#[tokio::test]
async fn a_failing_model_leaves_an_ended_message() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    assert_eq!(app.ask("please [[error:500 broken]]").await.code(400), "completion_request_error");
    let failed = "SELECT count(*) FROM messages WHERE status = 'error' AND error IS NOT NULL";
    assert_eq!(world.count(failed).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM dify_rs_running").await, 0);
    let copies =
        "SELECT count(*) FROM conversation_messages WHERE metadata @> '{\"status\": \"error\"}'";
    assert_eq!(world.count(copies).await, 1);
}

#[tokio::test]
async fn two_questions_at_once_do_not_spoil_a_conversation() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let first = app.ask("one [[reply:1]]").await.expect(200);
    let conversation = text(&first, "conversation_id");
    let ask = |query: &str| {
        let mut body = question(query, "blocking");
        body["conversation_id"] = conversation.into();
        body
    };
    let (two, three) =
        (ask("two [[reply:2]] [[ttft_ms:50]]"), ask("three [[reply:3]] [[ttft_ms:50]]"));
    let (two, three) = tokio::join!(app.send(&two, &[]), app.send(&three, &[]));
    assert_eq!((text(&two.expect(200), "answer"), text(&three.expect(200), "answer")), ("2", "3"));
    assert_eq!(text(&app.send(&ask("four [[reply:4]]"), &[]).await.expect(200), "answer"), "4");
    assert_eq!(app.messages(conversation).await.len(), 4);
}

#[tokio::test]
async fn several_first_questions_at_once_are_of_one_user() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let body = question("hello", "blocking");
    let asked = futures::future::join_all((0..8).map(|_| app.send(&body, &[]))).await;
    for answer in asked {
        answer.expect(200);
    }
    assert_eq!(world.count("SELECT count(*) FROM end_users").await, 1);
    assert_eq!(world.count("SELECT count(DISTINCT from_end_user_id) FROM messages").await, 1);
}
