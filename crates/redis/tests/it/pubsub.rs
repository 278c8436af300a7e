use std::time::Duration;

use futures::StreamExt;
use redis::{EventBus, EventBusMode, Redis};

use crate::support::both;

#[tokio::test]
async fn subscribers_hear_what_follows() {
    for r in both() {
        assert_eq!(r.publish("c", "nobody").await.unwrap(), 0);
        let mut first = r.subscribe("c").await.unwrap();
        let mut second = r.subscribe("c").await.unwrap();
        let mut other = r.subscribe("d").await.unwrap();
        r.publish("c", "1").await.unwrap();
        r.publish("d", "2").await.unwrap();
        r.publish("c", "3").await.unwrap();
        for subscription in [&mut first, &mut second] {
            assert_eq!(subscription.next().await.unwrap(), "1");
            assert_eq!(subscription.next().await.unwrap(), "3");
        }
        assert_eq!(other.next().await.unwrap(), "2");
        drop((first, second));
        r.publish("c", "nobody").await.unwrap();
        let mut again = r.subscribe("c").await.unwrap();
        r.publish("c", "4").await.unwrap();
        assert_eq!(again.next().await.unwrap(), "4");
    }
}

async fn check_bus(redis: &Redis, mode: EventBusMode) {
    let bus = EventBus::new(redis.clone(), mode, Duration::from_secs(600));
    let topic = format!("channel:{mode:?}");
    bus.publish(&topic, "before").await.unwrap();
    let mut events = bus.subscribe(&topic).await.unwrap();
    for n in 0..3 {
        bus.publish(&topic, n.to_string()).await.unwrap();
    }
    if mode == EventBusMode::Streams {
        assert_eq!(events.next().await.unwrap(), "before");
    }
    for n in 0..3 {
        assert_eq!(events.next().await.unwrap(), n.to_string().as_bytes());
    }
}

#[tokio::test]
async fn the_bus_works_in_every_mode() {
    for r in both() {
        for mode in [EventBusMode::PubSub, EventBusMode::Sharded, EventBusMode::Streams] {
            check_bus(&r, mode).await;
        }
    }
}
