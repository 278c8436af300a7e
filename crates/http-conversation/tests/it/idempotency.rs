//! `Idempotency-Key`: asked twice, answered twice, done once.

use serde_json::json;

use crate::support::{World, answer, question, text};

#[tokio::test]
async fn the_same_question_gets_the_same_answer() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let key = [("Idempotency-Key", "order-1")];
    let body = question("hello [[reply:Once]]", "blocking");
    let first = app.send(&body, &key).await;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = app.send(&body, &key).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.expect(200), again.expect(200));
    assert_eq!(world.count("SELECT count(*) FROM messages").await, 1);

    let other = app.send(&question("something else", "blocking"), &key).await;
    assert_eq!(other.code(422), "idempotency_key_reused");
    let another = app.send(&body, &[("Idempotency-Key", "order-2")]).await.expect(200);
    assert_eq!(text(&another, "answer"), "Once");
    assert_eq!(world.count("SELECT count(*) FROM messages").await, 2);
    assert_eq!(app.send(&body, &[("Idempotency-Key", " ")]).await.code(400), "invalid_param");
}

#[tokio::test]
async fn who_streams_again_joins_the_run_or_gets_its_answer() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let query = "tell [[tokens:40]] [[delay_ms:5]]";
    let key = [("Idempotency-Key", "stream-1")];
    let mut first = app.stream(query, &key).await;
    let begun = first.next().await.unwrap();
    // While it runs.
    let second = app.stream(query, &key).await;
    assert!(second.replayed);
    let (mut all, second) = (vec![begun], second.rest().await);
    all.extend(first.rest().await);
    assert_eq!(answer(&all), answer(&second));
    // And when it is over.
    let third = app.stream(query, &key).await;
    assert!(third.replayed);
    let third = third.rest().await;
    assert_eq!(answer(&third), answer(&all));
    assert_eq!(text(&third[0].data, "message_id"), text(&all[0].data, "message_id"));
    assert_eq!(text(&third.last().unwrap().data, "event"), "message_end");
    assert_eq!(world.asked("chat").await.len(), 1);
}

#[tokio::test]
async fn a_failure_frees_the_key() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let key = [("Idempotency-Key", "k")];
    let body = question("x [[error:500 no]]", "blocking");
    assert_eq!(app.send(&body, &key).await.code(400), "completion_request_error");
    assert_eq!(app.send(&body, &key).await.code(400), "completion_request_error");
    assert_eq!(world.asked("chat").await.len(), 2);
    let mut refused = question("x", "blocking");
    refused["conversation_id"] = "00000000-0000-0000-0000-000000000001".into();
    assert_eq!(app.send(&refused, &[("Idempotency-Key", "r")]).await.code(404), "not_found");
    let now =
        app.send(&question("fine [[reply:ok]]", "blocking"), &[("Idempotency-Key", "r")]).await;
    assert_eq!(text(&now.expect(200), "answer"), "ok");
}

#[tokio::test]
async fn a_question_nobody_waits_for_is_asked_once() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let key = [("Idempotency-Key", "later-1")];
    let body = question("hello [[reply:Once]]", "async");
    let (first, second) = tokio::join!(app.send(&body, &key), app.send(&body, &key));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses[0] == 202 && [202, 409].contains(&statuses[1]), "{statuses:?}");
    let first = if first.status == 202 { first } else { second };
    let again = app.send(&body, &key).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.expect(202), again.expect(202));
    assert_eq!(world.count("SELECT count(*) FROM messages").await, 1);
    // To wait for the answer is another request.
    let waits = app.send(&question("hello [[reply:Once]]", "blocking"), &key).await;
    assert_eq!(waits.code(422), "idempotency_key_reused");
    let mut refused = question("x", "async");
    refused["conversation_id"] = "00000000-0000-0000-0000-000000000001".into();
    for _ in 0..2 {
        let refused = app.send(&refused, &[("Idempotency-Key", "r")]).await;
        assert_eq!(refused.code(404), "not_found");
    }
}

#[tokio::test]
async fn a_run_that_vanished_frees_its_key() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let key = [("Idempotency-Key", "k")];
    let query = "long [[tokens:400]] [[delay_ms:10]]";
    let mut events = app.stream(query, &key).await;
    let first = events.next().await.unwrap().data;
    app.stop(text(&first, "task_id")).await;
    events.rest().await;
    // As if its process had died: nobody told the key, and a reaper ended the message.
    let name = "dify_rs:idempotency:*";
    let entries = world.server.ctx().redis.scan(name, 10).await.unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let mut kept: serde_json::Value =
        world.server.ctx().redis.get_json(entry).await.unwrap().unwrap();
    kept["begun"] = json!({"task": uuid::Uuid::new_v4(), "row": first["message_id"]});
    kept["kept"] = serde_json::Value::Null;
    world.server.ctx().redis.set(entry, kept.to_string()).await.unwrap();
    let body = question(query, "streaming");
    assert_eq!(app.send(&body, &key).await.code(409), "idempotency_key_in_progress");
    world.server.db().execute("UPDATE messages SET status = 'error'").await;
    let mut again = app.stream(query, &key).await;
    assert!(!again.replayed);
    let again = again.next().await.unwrap().data;
    assert_ne!(first["message_id"], again["message_id"]);
    app.stop(text(&again, "task_id")).await;
}
