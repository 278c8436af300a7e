//! Answers piece by piece: read to the end, stopped, left, come back to.

use serde_json::json;

use crate::support::{World, answer, text};

/// A model that takes its time.
const SLOW: &str = "long [[tokens:400]] [[delay_ms:10]]";

#[tokio::test]
async fn a_stream_ends_with_the_usage() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let events = app.stream("hello [[reply:Hi there, you]]", &[]).await;
    assert_eq!(events.status, 200);
    let events = events.rest().await;
    assert_eq!(answer(&events), "Hi there, you");
    let end = &events.last().unwrap().data;
    assert_eq!(text(end, "event"), "message_end");
    assert!(0 < end["metadata"]["usage"]["completion_tokens"].as_i64().unwrap());
    assert!(events.iter().all(|event| event.id.is_none()));
    let kept = app.messages(text(end, "conversation_id")).await;
    assert_eq!(text(&kept[0], "answer"), "Hi there, you");
}

#[tokio::test]
async fn a_stream_begins_with_data_or_says_that_it_waits() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let mut events = app.stream(SLOW, &[]).await;
    let first = events.frame().await.unwrap().data;
    assert_eq!(text(&first, "event"), "message");
    app.stop(text(&first, "task_id")).await;

    let mut events = app.stream("x [[ttft_ms:600000]]", &[]).await;
    assert!(events.frame().await.unwrap().data.is_null());
}

#[tokio::test]
async fn an_error_of_the_model_is_the_last_event() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let events = app.stream("x [[error:429 slow down]]", &[]).await.rest().await;
    let last = &events.last().unwrap().data;
    assert_eq!((text(last, "event"), text(last, "code")), ("error", "completion_request_error"));
    let cut = app.stream("x [[tokens:20]] [[abort_after:5]]", &[]).await.rest().await;
    assert_eq!(text(&cut.last().unwrap().data, "event"), "error");
    let ended = "SELECT count(*) FROM messages WHERE status = 'error'";
    assert_eq!(world.count(ended).await, 2);
}

#[tokio::test]
async fn stopping_ends_the_stream_and_the_call_to_the_model() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let mut events = app.stream(SLOW, &[]).await;
    let first = events.next().await.unwrap().data;
    app.stop(text(&first, "task_id")).await;
    let events = events.rest().await;
    let end = &events.last().unwrap().data;
    assert_eq!(text(end, "event"), "message_end");
    assert!(events.len() < 300, "{} events after the stop", events.len());
    let kept = app.messages(text(end, "conversation_id")).await;
    assert!(!text(&kept[0], "answer").is_empty());
    assert_eq!(text(&kept[0], "status"), "normal");
    let copies =
        "SELECT count(*) FROM conversation_messages WHERE metadata @> '{\"status\": \"stopped\"}'";
    assert_eq!(world.count(copies).await, 1);
    // Somebody else cannot stop it, and is not told so.
    app.client.post("/v1/chat-messages/nothing/stop", json!({"user": "eve"})).await.expect(200);
}

#[tokio::test]
async fn a_run_goes_on_without_its_client() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let query = "tell [[tokens:60]] [[delay_ms:5]]";
    let mut events = app.stream(query, &[]).await;
    let first = events.next().await.unwrap().data;
    drop(events);
    let rest = app.come_back(text(&first, "task_id"), &[]).await.rest().await;
    let whole = answer(&rest);
    assert_eq!(text(&rest.last().unwrap().data, "event"), "message_end");
    let kept = app.messages(text(&first, "conversation_id")).await;
    assert_eq!(text(&kept[0], "answer"), whole.trim());
}

#[tokio::test]
async fn a_run_ends_with_its_client_where_that_is_wanted() {
    let world = World::new(&[("DISCONNECTED_RUN_POLICY", "cancel")]).await;
    let app = world.app("chat", json!({})).await;
    let mut events = app.stream(SLOW, &[("X-Event-Ids", "1")]).await;
    let first = events.next().await.unwrap().data;
    drop(events);
    let rest = app.come_back(text(&first, "task_id"), &[]).await.rest().await;
    assert!(rest.len() < 300, "{} events after the client left", rest.len());
    assert_eq!(text(&rest.last().unwrap().data, "event"), "message_end");
}

#[tokio::test]
async fn a_client_comes_back_behind_the_last_event_it_saw() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let mut events = app.stream("tell [[tokens:40]] [[delay_ms:5]]", &[("X-Event-Ids", "1")]).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(events.next().await.unwrap());
    }
    drop(events);
    let last = seen[4].id.unwrap();
    let task = text(&seen[0].data, "task_id").to_owned();
    let header = [("Last-Event-ID", last.to_string())];
    let header: Vec<(&str, &str)> = header.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let rest = app.come_back(&task, &header).await.rest().await;
    // Pieces that were ready together have one number.
    assert!(Some(last) < rest[0].id);
    let kept = app.messages(text(&seen[0].data, "conversation_id")).await;
    let whole = answer(&seen) + &answer(&rest);
    assert_eq!(text(&kept[0], "answer"), whole.trim());

    let other = world.app("chat", json!({})).await;
    assert_eq!(other.come_back(&task, &[]).await.status, 404);
}
