//! Hashes.

use boxed::boxed;
use std::collections::HashMap;

use crate::client::Redis;
use crate::error::RedisError;

impl Redis {
    /// Sets a field; true if it is new.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    pub async fn hset(
        &self,
        key: &str,
        field: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<bool, RedisError> {
        self.ask(self.on("HSET", key).arg(field).arg(value.as_ref())).await
    }

    /// Sets several fields; how many are new.
    #[boxed]
    pub async fn hset_all(&self, key: &str, fields: &[(&str, &[u8])]) -> Result<u64, RedisError> {
        if fields.is_empty() {
            return Ok(0);
        }
        let mut command = self.on("HSET", key);
        for (field, value) in fields {
            command.arg(*field).arg(*value);
        }
        self.ask(&command).await
    }

    /// Sets a field unless it exists; true if it was set.
    pub async fn hset_nx(
        &self,
        key: &str,
        field: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<bool, RedisError> {
        self.ask(self.on("HSETNX", key).arg(field).arg(value.as_ref())).await
    }

    /// The value of a field.
    #[boxed]
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(self.on("HGET", key).arg(field)).await
    }

    /// The values of several fields, in order.
    #[boxed]
    pub async fn hmget(
        &self,
        key: &str,
        fields: &[&str],
    ) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.on("HMGET", key);
        for field in fields {
            command.arg(*field);
        }
        self.ask(&command).await
    }

    /// All fields.
    #[boxed]
    pub async fn hgetall(&self, key: &str) -> Result<HashMap<String, Vec<u8>>, RedisError> {
        self.ask(&self.on("HGETALL", key)).await
    }

    /// Deletes fields; how many there were.
    #[boxed]
    pub async fn hdel(&self, key: &str, fields: &[&str]) -> Result<u64, RedisError> {
        if fields.is_empty() {
            return Ok(0);
        }
        let mut command = self.on("HDEL", key);
        for field in fields {
            command.arg(*field);
        }
        self.ask(&command).await
    }

    /// How many fields there are.
    #[boxed]
    pub async fn hlen(&self, key: &str) -> Result<u64, RedisError> {
        self.ask(&self.on("HLEN", key)).await
    }

    /// True if the field exists.
    #[boxed]
    pub async fn hexists(&self, key: &str, field: &str) -> Result<bool, RedisError> {
        self.ask(self.on("HEXISTS", key).arg(field)).await
    }

    /// Adds to a field; the sum.
    #[boxed]
    pub async fn hincr_by(&self, key: &str, field: &str, by: i64) -> Result<i64, RedisError> {
        self.ask(self.on("HINCRBY", key).arg(field).arg(by)).await
    }
}
