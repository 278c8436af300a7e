//! The event bus of runs: topics over pub/sub, sharded pub/sub or streams, as the Python side does it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;

use crate::client::Redis;
use crate::error::RedisError;

/// Events kept per topic in streams mode.
const MAX_LEN: u64 = 5000;
/// How long one read waits on the server.
const BLOCK: Duration = Duration::from_secs(1);
/// Pause after a failed read.
const PAUSE: Duration = Duration::from_millis(500);

/// `EVENT_BUS_REDIS_CHANNEL_TYPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventBusMode {
    /// `pubsub`: who is not listening misses it.
    #[default]
    PubSub,
    /// `sharded`: pub/sub that scales in a cluster; Redis 7.
    Sharded,
    /// `streams`: whoever comes within the retention reads from the beginning.
    Streams,
}

impl std::str::FromStr for EventBusMode {
    type Err = RedisError;

    fn from_str(text: &str) -> Result<Self, RedisError> {
        match text {
            "pubsub" => Ok(Self::PubSub),
            "sharded" => Ok(Self::Sharded),
            "streams" => Ok(Self::Streams),
            other => Err(RedisError::Config(format!("unknown channel type {other}"))),
        }
    }
}

/// Topics between processes. Clones are cheap.
#[derive(Debug, Clone)]
pub struct EventBus {
    redis: Redis,
    mode: EventBusMode,
    retention: Duration,
}

/// Events of a topic; ends only with the process.
pub struct EventStream(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl Stream for EventStream {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}

impl EventBus {
    /// A bus; `retention` (`EVENT_BUS_STREAMS_RETENTION_SECONDS`) is how long a stream outlives its last event, zero
    /// meaning forever.
    #[must_use]
    pub fn new(redis: Redis, mode: EventBusMode, retention: Duration) -> Self {
        Self { redis, mode, retention }
    }

    /// The mode in force.
    #[must_use]
    pub fn mode(&self) -> EventBusMode {
        self.mode
    }

    /// Sends an event.
    ///
    /// # Errors
    /// See [`RedisError`].
    pub async fn publish(&self, topic: &str, event: impl AsRef<[u8]>) -> Result<(), RedisError> {
        let event = event.as_ref();
        match self.mode {
            EventBusMode::PubSub => {
                self.redis.publish_as("PUBLISH", topic, event).await?;
            }
            EventBusMode::Sharded => {
                self.redis.publish_as("SPUBLISH", topic, event).await?;
            }
            EventBusMode::Streams => {
                let key = stream_key(topic);
                self.redis.xadd(&key, Some(MAX_LEN), &[("data", event)]).await?;
                if !self.retention.is_zero() {
                    self.redis.expire(&key, self.retention).await?;
                }
            }
        }
        Ok(())
    }

    /// Listens. In streams mode the events kept so far come first. Nothing sent after this returns is missed, unless
    /// the connection breaks in one of the pub/sub modes.
    ///
    /// # Errors
    /// See [`RedisError`].
    pub async fn subscribe(&self, topic: &str) -> Result<EventStream, RedisError> {
        let stream: Pin<Box<dyn Stream<Item = Bytes> + Send>> = match self.mode {
            EventBusMode::PubSub => Box::pin(self.redis.listen(topic, false).await?),
            EventBusMode::Sharded => Box::pin(self.redis.listen(topic, true).await?),
            EventBusMode::Streams => Box::pin(follow(self.redis.clone(), stream_key(topic))),
        };
        Ok(EventStream(stream))
    }
}

fn stream_key(topic: &str) -> String {
    format!("stream:{topic}")
}

/// Reads a stream from its beginning and on. A position survives trouble with the connection, so nothing is lost.
fn follow(redis: Redis, key: String) -> impl Stream<Item = Bytes> + Send {
    async_stream::stream! {
        let mut position = "0-0".to_owned();
        loop {
            let read = redis.xread(&[(key.as_str(), position.as_str())], 100, Some(BLOCK)).await;
            let found = match read {
                Ok(found) => found,
                Err(err) => {
                    tracing::warn!(redis.key = key, error = %err, "could not read a stream");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            for (_, entries) in found {
                for mut entry in entries {
                    position = entry.id;
                    if let Some(event) = entry.fields.remove("data") {
                        yield Bytes::from(event);
                    }
                }
            }
        }
    }
}
