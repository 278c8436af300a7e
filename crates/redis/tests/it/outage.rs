//! Redis behind a door that can be shut.

use std::time::{Duration, Instant};

use futures::StreamExt;
use redis::{Endpoint, Redis, RedisOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::support::server_options;

/// Forwards one port to the test server until shut.
struct Door {
    port: u16,
    task: Option<JoinHandle<()>>,
    target: (String, u16),
}

impl Door {
    async fn open(port: u16, target: (String, u16)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = target.clone();
        let task = tokio::spawn(async move {
            let mut pipes = JoinSet::new();
            loop {
                let (mut inside, _) = listener.accept().await.unwrap();
                let to = to.clone();
                pipes.spawn(async move {
                    let mut outside = TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
                });
            }
        });
        Self { port, task: Some(task), target }
    }

    async fn shut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    async fn reopen(&mut self) {
        *self = Self::open(self.port, self.target.clone()).await;
    }
}

async fn behind_a_door() -> Option<(Redis, Door)> {
    let mut options: RedisOptions = server_options()?;
    let Endpoint::Standalone { host, port } = options.endpoint else { return None };
    let door = Door::open(0, (host, port)).await;
    options.endpoint = Endpoint::Standalone { host: "127.0.0.1".into(), port: door.port };
    Some((Redis::new(options).unwrap(), door))
}

#[tokio::test]
async fn calls_fail_fast_while_redis_is_away_and_recover() {
    let Some((r, mut door)) = behind_a_door().await else { return };
    r.set("k", "v").await.unwrap();
    door.shut().await;
    let started = Instant::now();
    for _ in 0..50 {
        let err = r.get("k").await.unwrap_err();
        assert!(err.is_unavailable(), "{err}");
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(r.brpop(&["l"], Duration::from_secs(9)).await.unwrap_err().is_unavailable());
    assert!(r.subscribe("c").await.unwrap_err().is_unavailable());

    door.reopen().await;
    let recovered = async {
        while r.get("k").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), recovered).await.unwrap();
    assert_eq!(r.get("k").await.unwrap().unwrap(), b"v");
    assert_eq!(r.incr("n").await.unwrap(), 1);
}

#[tokio::test]
async fn a_cut_connection_costs_readers_nothing() {
    let Some((r, mut door)) = behind_a_door().await else { return };
    r.set("k", "v").await.unwrap();
    door.shut().await;
    door.reopen().await;
    assert_eq!(r.get("k").await.unwrap().unwrap(), b"v");
}

#[tokio::test]
async fn subscriptions_come_back() {
    let Some((r, mut door)) = behind_a_door().await else { return };
    let mut messages = r.subscribe("c").await.unwrap();
    door.shut().await;
    door.reopen().await;
    let heard = async {
        // Until somebody listens, as the resubscription happens behind our back.
        while r.publish("c", "hello").await.unwrap_or(0) == 0 {
            tokio::task::yield_now().await;
        }
        messages.next().await.unwrap()
    };
    let heard = tokio::time::timeout(Duration::from_secs(60), heard).await.unwrap();
    assert_eq!(heard, "hello");
}

#[tokio::test]
async fn a_server_that_never_was_is_unavailable() {
    let mut options = RedisOptions::standalone("127.0.0.1", 1);
    options.connect_timeout = Duration::from_millis(200);
    let r = Redis::new(options).unwrap();
    assert!(r.ping().await.unwrap_err().is_unavailable());
}
