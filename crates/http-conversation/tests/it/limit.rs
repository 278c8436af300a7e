//! As many runs at once as an app may have.

use serde_json::json;

use crate::support::{World, text};

#[tokio::test]
async fn a_stream_takes_a_place_until_it_is_over() {
    let world = World::new(&[("APP_MAX_ACTIVE_REQUESTS", "1")]).await;
    let app = world.app("chat", json!({})).await;
    let mut events = app.stream("long [[tokens:400]] [[delay_ms:10]]", &[]).await;
    let first = events.next().await.unwrap().data;
    let refused = app.ask("me too").await;
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.headers["ratelimit-limit"], "1");
    assert!(text(&refused.expect(400), "message").contains("maximum concurrent requests"));
    let other = world.app("chat", json!({})).await;
    assert_eq!(text(&other.ask("[[reply:free]]").await.expect(200), "answer"), "free");
    app.stop(text(&first, "task_id")).await;
    events.rest().await;
    assert_eq!(text(&app.ask("now [[reply:yes]]").await.expect(200), "answer"), "yes");
}
