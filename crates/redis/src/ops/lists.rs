//! Lists: queues from left (`lpush`) to right (`rpop`).

use boxed::boxed;
use std::time::Duration;

use deadpool_redis::redis::cmd;

use crate::client::Redis;
use crate::error::RedisError;

impl Redis {
    /// Puts items at the left end, one after the other; the new length.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    #[boxed]
    pub async fn lpush(&self, key: &str, items: &[&[u8]]) -> Result<u64, RedisError> {
        self.push("LPUSH", key, items).await
    }

    /// Puts items at the right end; the new length.
    #[boxed]
    pub async fn rpush(&self, key: &str, items: &[&[u8]]) -> Result<u64, RedisError> {
        self.push("RPUSH", key, items).await
    }

    /// Takes the leftmost item.
    #[boxed]
    pub async fn lpop(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(&self.on("LPOP", key)).await
    }

    /// Takes the rightmost item.
    #[boxed]
    pub async fn rpop(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(&self.on("RPOP", key)).await
    }

    /// Takes the rightmost item of the first list that has one, waiting for at most `wait`; the key and the item.
    /// If the future is dropped while the server answers, that item is lost: lease what must not be.
    #[boxed]
    pub async fn brpop(
        &self,
        keys: &[&str],
        wait: Duration,
    ) -> Result<Option<(String, Vec<u8>)>, RedisError> {
        let mut command = cmd("BRPOP");
        for key in keys {
            command.arg(self.key(key));
        }
        command.arg(wait.as_secs_f64().max(0.001));
        let found: Option<(String, Vec<u8>)> = self.ask_blocking(&command, wait).await?;
        Ok(found.map(|(key, item)| {
            let key = key.strip_prefix(self.inner.prefix.as_str()).unwrap_or(&key).to_owned();
            (key, item)
        }))
    }

    /// Moves the rightmost item of one list to the left end of another, and returns it.
    #[boxed]
    pub async fn rpoplpush(&self, from: &str, to: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(self.on("RPOPLPUSH", from).arg(self.key(to))).await
    }

    /// Items `start..=stop` from the left, negative numbers from the right.
    #[boxed]
    pub async fn lrange(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<Vec<u8>>, RedisError> {
        self.ask(self.on("LRANGE", key).arg(start).arg(stop)).await
    }

    /// The item at an index.
    #[boxed]
    pub async fn lindex(&self, key: &str, index: i64) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(self.on("LINDEX", key).arg(index)).await
    }

    /// How many items there are.
    #[boxed]
    pub async fn llen(&self, key: &str) -> Result<u64, RedisError> {
        self.ask(&self.on("LLEN", key)).await
    }

    /// Removes items equal to `item`: `count` from the left, `-count` from the right, all for 0.
    pub async fn lrem(
        &self,
        key: &str,
        count: i64,
        item: impl AsRef<[u8]>,
    ) -> Result<u64, RedisError> {
        self.ask(self.on("LREM", key).arg(count).arg(item.as_ref())).await
    }

    /// Keeps items `start..=stop`.
    #[boxed]
    pub async fn ltrim(&self, key: &str, start: i64, stop: i64) -> Result<(), RedisError> {
        self.ask(self.on("LTRIM", key).arg(start).arg(stop)).await
    }

    async fn push(&self, name: &str, key: &str, items: &[&[u8]]) -> Result<u64, RedisError> {
        if items.is_empty() {
            return self.llen(key).await;
        }
        let mut command = self.on(name, key);
        for item in items {
            command.arg(*item);
        }
        self.ask(&command).await
    }
}
