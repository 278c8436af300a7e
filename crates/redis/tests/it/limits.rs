use std::time::Duration;

use redis::Window;

use crate::support::both;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_window_lets_so_many_through() {
    for r in both() {
        let window = Window::seconds(2, MINUTE);
        let at = |seconds: u64| Duration::from_secs(1_700_000_000 + seconds);
        assert!(r.window_take("w", &window, at(0)).await.unwrap());
        assert_eq!(r.window_count("w", &window, at(30)).await.unwrap(), 1);
        assert!(r.window_take("w", &window, at(30)).await.unwrap());
        assert!(!r.window_take("w", &window, at(59)).await.unwrap());
        assert!(r.window_take("w", &window, at(60)).await.unwrap(), "the first has left");
        assert!(!r.window_take("w", &window, at(60)).await.unwrap());
        let members = r.zrange("w", 0, 0).await.unwrap();
        assert!(members[0].starts_with(b"1700000030:"), "as the Python side writes them");
    }
}

#[tokio::test]
async fn racing_callers_do_not_slip_past() {
    for r in both() {
        let window = Window::millis(5, MINUTE);
        let now = Duration::from_secs(1_700_000_000);
        let calls = (0..20).map(|_| r.window_take("w", &window, now));
        let let_in = futures::future::join_all(calls).await;
        assert_eq!(let_in.into_iter().filter(|one| *one.as_ref().unwrap()).count(), 5);
    }
}

#[tokio::test]
async fn slots_are_taken_left_and_forgotten() {
    for r in both() {
        let at = |seconds: u64| Duration::from_secs(1_700_000_000 + seconds);
        let stale = Duration::from_secs(600);
        assert!(r.slot_take("s", "a", 2, at(0), stale).await.unwrap());
        assert!(r.slot_take("s", "b", 2, at(1), stale).await.unwrap());
        assert!(!r.slot_take("s", "c", 2, at(2), stale).await.unwrap());
        r.hdel("s", &["b"]).await.unwrap();
        assert!(r.slot_take("s", "c", 2, at(3), stale).await.unwrap());
        assert!(r.slot_take("s", "d", 2, at(601), stale).await.unwrap(), "a is stale");
    }
}

#[tokio::test]
async fn an_inbox_is_taken_or_waited_for() {
    for r in both() {
        let take = || r.take_or_pool("in:{t}", "pool:{t}", "me", MINUTE);
        assert_eq!(take().await.unwrap(), None);
        assert!(r.sismember("pool:{t}", b"me").await.unwrap());
        r.set("in:{t}", "event").await.unwrap();
        assert_eq!(take().await.unwrap().unwrap(), b"event");
        assert!(!r.exists("in:{t}").await.unwrap());
    }
}
