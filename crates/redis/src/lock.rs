//! Locks as redis-py makes them: `SET key token NX PX`, released by comparing the token.

use boxed::boxed;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::client::Redis;
use crate::error::RedisError;

/// Pause between attempts, as in redis-py.
const RETRY: Duration = Duration::from_millis(100);

/// A lock that may be taken; see [`Redis::lock`].
#[derive(Debug, Clone)]
pub struct Lock {
    redis: Redis,
    key: String,
    life: Duration,
}

/// A lock that is held. Dropping it releases it in the background; [`LockGuard::release`] waits for that.
///
/// It is a lease: after `life` somebody else may hold it, unless extended. What it protects must be safe then too.
#[derive(Debug)]
#[must_use = "dropping the guard releases the lock"]
pub struct LockGuard {
    lock: Lock,
    token: String,
    renewal: Option<JoinHandle<()>>,
    released: bool,
}

impl Redis {
    /// A lock on `key` that frees itself after `life`. Compatible with locks of the Python side.
    #[must_use]
    pub fn lock(&self, key: &str, life: Duration) -> Lock {
        Lock { redis: self.clone(), key: key.to_owned(), life }
    }
}

impl Lock {
    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// See [`RedisError`].
    #[boxed]
    pub async fn try_acquire(&self) -> Result<Option<LockGuard>, RedisError> {
        let token = Uuid::new_v4().simple().to_string();
        let taken = self.redis.set_nx_ex(&self.key, &token, self.life).await?;
        let guard = || LockGuard { lock: self.clone(), token, renewal: None, released: false };
        Ok(taken.then(guard))
    }

    /// Takes the lock, waiting for at most `wait`; `None` if it was not free in time.
    ///
    /// # Errors
    /// See [`RedisError`].
    #[boxed]
    pub async fn acquire(&self, wait: Duration) -> Result<Option<LockGuard>, RedisError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(guard) = self.try_acquire().await? {
                return Ok(Some(guard));
            }
            if Instant::now() + RETRY > deadline {
                return Ok(None);
            }
            sleep(RETRY).await;
        }
    }
}

impl LockGuard {
    /// Holds the lock for another `life` from now; false if it was lost.
    ///
    /// # Errors
    /// See [`RedisError`].
    #[boxed]
    pub async fn extend(&self, life: Duration) -> Result<bool, RedisError> {
        self.lock.redis.expire_if(&self.lock.key, &self.token, life).await
    }

    /// Extends the lock every third of its life until the guard goes.
    pub fn keep_alive(mut self) -> Self {
        let (lock, token) = (self.lock.clone(), self.token.clone());
        self.renewal.get_or_insert_with(|| {
            tokio::spawn(async move {
                loop {
                    sleep(lock.life / 3).await;
                    match lock.redis.expire_if(&lock.key, &token, lock.life).await {
                        Ok(true) => {}
                        Ok(false) => {
                            tracing::warn!(redis.key = lock.key, "lost a lock");
                            return;
                        }
                        Err(err) => {
                            tracing::warn!(redis.key = lock.key, error = %err, "could not extend a lock");
                        }
                    }
                }
            })
        });
        self
    }

    /// Releases the lock; false if it was lost before.
    ///
    /// # Errors
    /// See [`RedisError`]; the lock then frees itself after its life.
    #[boxed]
    pub async fn release(mut self) -> Result<bool, RedisError> {
        self.stop_renewal();
        self.released = true;
        self.lock.redis.del_if(&self.lock.key, &self.token).await
    }

    fn stop_renewal(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.stop_renewal();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.released {
            return;
        }
        let (lock, token) = (self.lock.clone(), std::mem::take(&mut self.token));
        runtime.spawn(async move {
            if let Err(err) = lock.redis.del_if(&lock.key, &token).await {
                tracing::warn!(redis.key = lock.key, error = %err, "could not release a lock");
            }
        });
    }
}
