//! The task behind a process's subscriptions to a server.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use deadpool_redis::redis as driver;
use deadpool_redis::redis::aio::{PubSubSink, PubSubStream};
use futures::{FutureExt, StreamExt};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::{Backend, Inner, Redis};
use crate::error::RedisError;
use crate::local::SUBSCRIBER_BUFFER;
use crate::remote::Remote;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

type Listener = oneshot::Sender<Result<broadcast::Receiver<Bytes>, RedisError>>;

pub(super) enum Ask {
    Subscribe { channel: String, reply: Listener },
    Release { channel: String },
}

/// Starts the task; it ends when the [`Redis`] is dropped.
pub(super) fn start(redis: &Redis) -> mpsc::UnboundedSender<Ask> {
    let (sender, asks) = mpsc::unbounded_channel();
    let hub = Task {
        redis: Arc::downgrade(&redis.inner),
        channels: HashMap::new(),
        session: None,
        failures: 0,
        retry_at: Instant::now(),
    };
    tokio::spawn(hub.run(asks));
    sender
}

pub(super) async fn subscribe(
    asks: &mpsc::UnboundedSender<Ask>,
    channel: &str,
) -> Result<broadcast::Receiver<Bytes>, RedisError> {
    let gone = || RedisError::Unavailable("the subscription task has ended".to_owned());
    let (reply, answer) = oneshot::channel();
    let ask = Ask::Subscribe { channel: channel.to_owned(), reply };
    asks.send(ask).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

struct Task {
    redis: Weak<Inner>,
    channels: HashMap<String, broadcast::Sender<Bytes>>,
    session: Option<Session>,
    failures: u32,
    retry_at: Instant,
}

/// The connection everything was subscribed on.
struct Session {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl Task {
    async fn run(mut self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        loop {
            let waiting = self.session.is_none() && !self.channels.is_empty();
            let retry_at = self.retry_at;
            tokio::select! {
                ask = asks.recv() => match ask {
                    None => return,
                    Some(ask) => self.answer(ask).await,
                },
                message = next(&mut self.session) => match message {
                    Some((channel, message)) => self.deliver(&channel, message),
                    None => self.lost(),
                },
                () = sleep_until(retry_at), if waiting => {
                    // The result is in the session; who waits are subscribers from before.
                    let _ = self.ensure_session().await;
                }
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Subscribe { channel, reply } => {
                let answer = self.join(&channel).await;
                // If nobody waits any more the receiver drops with the reply; tidy up.
                if reply.send(answer).is_err() {
                    self.leave(&channel).await;
                }
            }
            Ask::Release { channel } => self.leave(&channel).await,
        }
    }

    async fn join(&mut self, channel: &str) -> Result<broadcast::Receiver<Bytes>, RedisError> {
        self.ensure_session().await?;
        if let Some(sender) = self.channels.get(channel) {
            return Ok(sender.subscribe());
        }
        let (sender, receiver) = broadcast::channel(SUBSCRIBER_BUFFER);
        let subscribed = match &mut self.session {
            Some(session) => session.subscribe(channel).await,
            None => Err(RedisError::Unavailable("not connected".to_owned())),
        };
        if let Err(err) = subscribed {
            self.lost();
            return Err(err);
        }
        // What listeners from before did not wait for is not for this one.
        self.deliver_arrived();
        self.channels.insert(channel.to_owned(), sender);
        Ok(receiver)
    }

    /// Delivers what the server sent before its last answer.
    fn deliver_arrived(&mut self) {
        while let Some(Some((channel, message))) = next(&mut self.session).now_or_never() {
            self.deliver(&channel, message);
        }
    }

    async fn leave(&mut self, channel: &str) {
        if self.channels.get(channel).is_none_or(|sender| sender.receiver_count() > 0) {
            return;
        }
        self.channels.remove(channel);
        if let Some(session) = &mut self.session
            && session.unsubscribe(channel).await.is_err()
        {
            self.lost();
        }
    }

    fn deliver(&mut self, channel: &str, message: Bytes) {
        if let Some(sender) = self.channels.get(channel) {
            // Nobody listening is fine: a release is on its way.
            let _ = sender.send(message);
        }
    }

    fn lost(&mut self) {
        self.session = None;
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Instant::now() + pause.min(LONGEST_PAUSE);
    }

    /// Connects, and subscribes to everything that was subscribed before.
    async fn ensure_session(&mut self) -> Result<(), RedisError> {
        if self.session.is_some() {
            return Ok(());
        }
        if Instant::now() < self.retry_at {
            return Err(RedisError::Unavailable("the connection was lost just now".to_owned()));
        }
        let Some(inner) = self.redis.upgrade() else {
            return Err(RedisError::Unavailable("closed".to_owned()));
        };
        let Backend::Remote(remote) = &inner.backend else {
            return Err(RedisError::Config("in-process".to_owned()));
        };
        match self.connect(remote).await {
            Ok(session) => {
                if self.failures > 0 {
                    tracing::info!(redis.channels = self.channels.len(), "subscribed again");
                }
                self.failures = 0;
                self.session = Some(session);
                Ok(())
            }
            Err(err) => {
                if self.failures == 0 {
                    tracing::warn!(error = %err, "could not subscribe");
                }
                self.lost();
                Err(err)
            }
        }
    }

    async fn connect(&self, remote: &Remote) -> Result<Session, RedisError> {
        let (sink, stream) = remote.connector.connect_pubsub().await?.split();
        let mut session = Session { sink, stream };
        for channel in self.channels.keys() {
            session.subscribe(channel).await?;
        }
        Ok(session)
    }
}

/// The next message; `None` when the connection broke; never without a session.
async fn next(session: &mut Option<Session>) -> Option<(String, Bytes)> {
    let Some(session) = session else { return std::future::pending().await };
    let message = session.stream.next().await?;
    let channel = message.get_channel_name().to_owned();
    Some((channel, Bytes::copy_from_slice(message.get_payload_bytes())))
}

impl Session {
    async fn subscribe(&mut self, channel: &str) -> Result<(), RedisError> {
        in_time(self.sink.subscribe(channel)).await
    }

    async fn unsubscribe(&mut self, channel: &str) -> Result<(), RedisError> {
        in_time(self.sink.unsubscribe(channel)).await
    }
}

async fn in_time<T>(work: impl Future<Output = driver::RedisResult<T>>) -> Result<T, RedisError> {
    match timeout(Duration::from_secs(5), work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(RedisError::Unavailable("no answer to a subscription".to_owned())),
    }
}
