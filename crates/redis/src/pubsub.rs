//! Publish and subscribe. All subscriptions of a process share one connection, which reconnects and resubscribes.

use boxed::boxed;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use deadpool_redis::redis::cmd;
use futures::Stream;
use tokio::sync::{broadcast, mpsc};

use crate::client::{Backend, Redis};
use crate::error::RedisError;

mod hub;

use hub::Ask;

/// The task that owns the pub/sub connection, started by the first subscriber.
#[derive(Default)]
pub(crate) struct Hub(OnceLock<mpsc::UnboundedSender<Ask>>);

/// Messages of a channel from the moment of subscribing. One that reads slower than 1024 messages loses the oldest;
/// messages sent while the connection is away are lost, as pub/sub is.
pub struct Subscription {
    messages: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    // Dropped after the receiver above, so that the channel's listeners are counted right.
    _release: Release,
}

struct Release {
    redis: Redis,
    channel: String,
}

impl Subscription {
    /// The next message; never `None` while the process runs.
    #[boxed]
    pub async fn next_message(&mut self) -> Option<Bytes> {
        futures::StreamExt::next(self).await
    }
}

impl Stream for Subscription {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.messages.as_mut().poll_next(cx)
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("channel", &self._release.channel).finish()
    }
}

impl Redis {
    /// Sends to everyone listening now; how many that are (in a cluster: on the node asked).
    ///
    /// # Errors
    /// See [`RedisError`].
    pub async fn publish(
        &self,
        channel: &str,
        message: impl AsRef<[u8]>,
    ) -> Result<u64, RedisError> {
        let (channel, message) = (self.key(channel), message.as_ref());
        match &self.inner.backend {
            Backend::Local(local) => {
                Ok(local.publish(&channel, &Bytes::copy_from_slice(message)) as u64)
            }
            Backend::Remote(_) => self.ask(cmd("PUBLISH").arg(channel).arg(message)).await,
        }
    }

    /// Listens to a channel. Returns once the server has confirmed, so nothing sent afterwards is missed.
    ///
    /// # Errors
    /// See [`RedisError`].
    #[boxed]
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription, RedisError> {
        let channel = self.key(channel);
        let receiver = match &self.inner.backend {
            Backend::Local(local) => local.subscribe(&channel),
            Backend::Remote(remote) => {
                let asks = remote.hub.0.get_or_init(|| hub::start(self));
                hub::subscribe(asks, &channel).await?
            }
        };
        let release = Release { redis: self.clone(), channel: channel.clone() };
        Ok(Subscription { messages: Box::pin(messages(receiver, channel)), _release: release })
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        match &self.redis.inner.backend {
            Backend::Local(local) => local.release(&self.channel),
            Backend::Remote(remote) => {
                if let Some(asks) = remote.hub.0.get() {
                    let _ = asks.send(Ask::Release { channel: std::mem::take(&mut self.channel) });
                }
            }
        }
    }
}

fn messages(
    mut receiver: broadcast::Receiver<Bytes>,
    channel: String,
) -> impl Stream<Item = Bytes> + Send {
    async_stream::stream! {
        loop {
            match receiver.recv().await {
                Ok(message) => yield message,
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::warn!(redis.channel = channel, redis.lost = lost, "a subscriber was too slow");
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}
