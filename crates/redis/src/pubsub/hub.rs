//! The task behind a process's subscriptions to a server.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use deadpool_redis::redis::aio::{ConnectionLike, PubSubSink, PubSubStream};
use deadpool_redis::redis::{self as driver, PushInfo, PushKind, Value, cmd, from_redis_value};
use futures::StreamExt;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::{Backend, Inner, Redis};
use crate::error::RedisError;
use crate::local::SUBSCRIBER_BUFFER;
use crate::remote::Remote;
use crate::remote::connector::Connection;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

type Listener = oneshot::Sender<Result<broadcast::Receiver<Bytes>, RedisError>>;

pub(super) enum Ask {
    Subscribe { channel: String, reply: Listener },
    Release { channel: String },
}

/// Starts the task; it ends when the [`Redis`] is dropped.
pub(super) fn start(redis: &Redis, sharded: bool) -> mpsc::UnboundedSender<Ask> {
    let (sender, asks) = mpsc::unbounded_channel();
    let hub = Task {
        redis: Arc::downgrade(&redis.inner),
        sharded,
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
    sharded: bool,
    channels: HashMap<String, broadcast::Sender<Bytes>>,
    session: Option<Session>,
    failures: u32,
    retry_at: Instant,
}

enum Session {
    Plain { sink: PubSubSink, stream: PubSubStream },
    Sharded { connection: Connection, pushes: mpsc::UnboundedReceiver<PushInfo> },
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
        self.channels.insert(channel.to_owned(), sender);
        Ok(receiver)
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
        let mut session = if self.sharded {
            let (sender, pushes) = mpsc::unbounded_channel();
            let connection = remote.connector.connect_pushing(sender).await?;
            Session::Sharded { connection, pushes }
        } else {
            let (sink, stream) = remote.connector.connect_pubsub().await?.split();
            Session::Plain { sink, stream }
        };
        for channel in self.channels.keys() {
            session.subscribe(channel).await?;
        }
        Ok(session)
    }
}

/// The next message; `None` when the connection broke; never without a session.
async fn next(session: &mut Option<Session>) -> Option<(String, Bytes)> {
    match session {
        None => std::future::pending().await,
        Some(Session::Plain { stream, .. }) => {
            let message = stream.next().await?;
            let channel = message.get_channel_name().to_owned();
            Some((channel, Bytes::copy_from_slice(message.get_payload_bytes())))
        }
        Some(Session::Sharded { connection, pushes }) => loop {
            let push = pushes.recv().await?;
            match push.kind {
                PushKind::SMessage | PushKind::Message => {
                    let Ok((channel, message)) =
                        from_redis_value::<(String, Vec<u8>)>(Value::Array(push.data))
                    else {
                        continue;
                    };
                    return Some((channel, message.into()));
                }
                // A cluster client reconnects to the node by itself and subscribes again.
                PushKind::Disconnection if matches!(connection, Connection::Single(_)) => {
                    return None;
                }
                _ => {}
            }
        },
    }
}

impl Session {
    async fn subscribe(&mut self, channel: &str) -> Result<(), RedisError> {
        match self {
            Self::Plain { sink, .. } => in_time(sink.subscribe(channel)).await,
            Self::Sharded { connection, .. } => sharded(connection, "SSUBSCRIBE", channel).await,
        }
    }

    async fn unsubscribe(&mut self, channel: &str) -> Result<(), RedisError> {
        match self {
            Self::Plain { sink, .. } => in_time(sink.unsubscribe(channel)).await,
            Self::Sharded { connection, .. } => sharded(connection, "SUNSUBSCRIBE", channel).await,
        }
    }
}

async fn sharded(connection: &mut Connection, name: &str, channel: &str) -> Result<(), RedisError> {
    match connection {
        Connection::Cluster(cluster) if name == "SSUBSCRIBE" => {
            in_time(cluster.ssubscribe(channel)).await
        }
        Connection::Cluster(cluster) => in_time(cluster.sunsubscribe(channel)).await,
        Connection::Single(single) => {
            let mut command = cmd(name);
            command.arg(channel);
            in_time(async { single.req_packed_command(&command).await?.extract_error() }).await?;
            Ok(())
        }
    }
}

async fn in_time<T>(work: impl Future<Output = driver::RedisResult<T>>) -> Result<T, RedisError> {
    match timeout(Duration::from_secs(5), work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(RedisError::Unavailable("no answer to a subscription".to_owned())),
    }
}
