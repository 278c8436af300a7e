//! The in-process twin: a small Redis behind one mutex, speaking the same commands.
//!
//! Every operation is short and synchronous, so a plain mutex is right. Expiry is lazy, plus one timer task that
//! sleeps until the next key is due and ends when nothing is.

use boxed::boxed;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use deadpool_redis::redis::Value;
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, timeout_at};

use crate::error::RedisError;
use crate::script::Script;

mod data;
mod glob;
mod hashes;
mod lists;
mod sets;
mod sorted;
mod store;
mod strings;

use store::Store;

/// Messages a slow subscriber may be behind before the oldest are dropped.
pub(crate) const SUBSCRIBER_BUFFER: usize = 1024;

#[derive(Clone)]
pub(crate) struct Local(Arc<Shared>);

struct Shared {
    store: Mutex<Store>,
    /// Told when a list or a stream grows.
    grown: Notify,
    /// Told when an earlier expiry appears.
    due: Notify,
    channels: Mutex<HashMap<String, broadcast::Sender<Bytes>>>,
}

/// The store as a script sees it: nobody else touches it meanwhile.
pub struct Tx<'a> {
    store: &'a mut Store,
}

impl Tx<'_> {
    /// Runs a command, as `redis.call` does in Lua.
    ///
    /// # Errors
    /// [`RedisError::Refused`] as Redis would.
    pub fn call(&mut self, words: &[&[u8]]) -> Result<Value, RedisError> {
        dispatch(self.store, words)
    }
}

impl Local {
    pub fn new(max_bytes: usize) -> Self {
        Self(Arc::new(Shared {
            store: Mutex::new(Store::new(max_bytes)),
            grown: Notify::new(),
            due: Notify::new(),
            channels: Mutex::default(),
        }))
    }

    pub fn advance(&self, by: Duration) {
        self.store().advance(by);
    }

    pub fn run(&self, words: &[&[u8]]) -> Result<Value, RedisError> {
        let mut store = self.store();
        let reply = dispatch(&mut store, words);
        self.after(store);
        reply
    }

    pub fn run_all(&self, commands: &[Vec<&[u8]>]) -> Result<Vec<Value>, RedisError> {
        let mut store = self.store();
        // Redis runs the commands after a refused one too; so do we, and report the first refusal.
        let replies: Vec<_> = commands.iter().map(|words| dispatch(&mut store, words)).collect();
        self.after(store);
        replies.into_iter().collect()
    }

    pub fn script(
        &self,
        script: &Script,
        keys: &[String],
        args: &[&[u8]],
    ) -> Result<Value, RedisError> {
        let mut store = self.store();
        let reply = script.native()(&mut Tx { store: &mut store }, keys, args);
        self.after(store);
        reply
    }

    /// BRPOP: tries, waits for growth, tries again.
    #[boxed]
    pub async fn run_blocking(&self, words: &[&[u8]], wait: Duration) -> Result<Value, RedisError> {
        let deadline = Instant::now() + wait;
        loop {
            // Registered before trying, so growth between the two is not missed.
            let grown = self.0.grown.notified();
            let mut grown = std::pin::pin!(grown);
            grown.as_mut().enable();
            let reply = self.run(words)?;
            if reply != Value::Nil {
                return Ok(reply);
            }
            if timeout_at(deadline, grown).await.is_err() {
                return self.run(words);
            }
        }
    }

    pub fn publish(&self, channel: &str, message: &Bytes) -> usize {
        let mut channels = self.channels();
        let Some(sender) = channels.get(channel) else { return 0 };
        let heard = sender.send(message.clone()).unwrap_or(0);
        if heard == 0 {
            channels.remove(channel);
        }
        heard
    }

    pub fn subscribe(&self, channel: &str) -> broadcast::Receiver<Bytes> {
        let mut channels = self.channels();
        channels
            .entry(channel.to_owned())
            .or_insert_with(|| broadcast::channel(SUBSCRIBER_BUFFER).0)
            .subscribe()
    }

    /// Forgets a channel nobody listens to any more.
    pub fn release(&self, channel: &str) {
        let mut channels = self.channels();
        if channels.get(channel).is_some_and(|sender| sender.receiver_count() == 0) {
            channels.remove(channel);
        }
    }

    /// Keys matching `pattern`, at most `limit`.
    pub fn scan(&self, pattern: &[u8], limit: usize) -> Vec<Vec<u8>> {
        self.store().scan(pattern, limit)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Bytes>>> {
        self.0.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for what a command just did.
    fn after(&self, mut store: MutexGuard<'_, Store>) {
        let grown = std::mem::take(&mut store.grown);
        let start_timer = store.next_expiry().is_some() && !store.timer_running;
        let earlier = std::mem::take(&mut store.expiry_changed);
        if start_timer && tokio::runtime::Handle::try_current().is_ok() {
            store.timer_running = true;
            tokio::spawn(expire(Arc::downgrade(&self.0)));
        }
        drop(store);
        if grown {
            self.0.grown.notify_waiters();
        }
        if earlier {
            self.0.due.notify_one();
        }
    }
}

/// Drops keys when they are due, until none has an expiry.
async fn expire(shared: std::sync::Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let next = {
            let mut store = shared.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.drop_expired();
            match store.next_expiry() {
                Some(next) => next,
                None => {
                    store.timer_running = false;
                    return;
                }
            }
        };
        // The store must be able to go away while this sleeps, hence at most a minute at a time.
        let until = next.min(Instant::now() + Duration::from_secs(60));
        let _ = timeout_at(until, shared.due.notified()).await;
    }
}

/// Runs one command.
fn dispatch(store: &mut Store, words: &[&[u8]]) -> Result<Value, RedisError> {
    let Some((name, args)) = words.split_first() else { return Err(RedisError::syntax()) };
    let name = name.to_ascii_uppercase();
    let reply = strings::run(store, &name, args)
        .or_else(|| hashes::run(store, &name, args))
        .or_else(|| lists::run(store, &name, args))
        .or_else(|| sets::run(store, &name, args))
        .or_else(|| sorted::run(store, &name, args));
    reply.unwrap_or_else(|| {
        let name = String::from_utf8_lossy(&name).into_owned();
        Err(RedisError::Refused(format!("ERR unknown command '{name}'")))
    })
}
