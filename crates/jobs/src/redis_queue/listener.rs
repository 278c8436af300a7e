//! Hears of jobs that other processes enqueue.

use std::sync::OnceLock;
use std::time::Duration;

use redis::Redis;
use tokio::sync::watch;
use tokio::time::sleep;

/// Pause before listening again after trouble.
const PAUSE: Duration = Duration::from_secs(5);

/// Started by the first worker; producers need none.
#[derive(Debug, Default)]
pub(super) struct Listener(OnceLock<()>);

impl Listener {
    pub fn start(&self, redis: &Redis, changes: &watch::Sender<u64>, channel: &'static str) {
        if redis.is_in_process() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        self.0.get_or_init(|| {
            tokio::spawn(listen(redis.clone(), changes.clone(), channel));
        });
    }
}

async fn listen(redis: Redis, changes: watch::Sender<u64>, channel: &'static str) {
    // Ends when no worker is interested any more.
    while changes.receiver_count() > 0 {
        match redis.subscribe(channel).await {
            Ok(mut messages) => loop {
                tokio::select! {
                    message = messages.next_message() => match message {
                        Some(_) => changes.send_modify(|n| *n += 1),
                        None => break,
                    },
                    () = changes.closed() => return,
                }
            },
            Err(err) => {
                tracing::debug!(error = %err, "could not listen for jobs");
                sleep(PAUSE).await;
            }
        }
    }
}
