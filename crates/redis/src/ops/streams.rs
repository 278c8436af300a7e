//! Streams: logs with ids, read by position.

use std::collections::HashMap;
use std::time::Duration;

use deadpool_redis::redis::{FromRedisValue, Value, cmd, from_redis_value};

use crate::client::Redis;
use crate::error::RedisError;

/// The id of an entry, `<milliseconds>-<number>`; `0-0` is before all.
pub type StreamId = String;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: StreamId,
    /// Its fields.
    pub fields: HashMap<String, Vec<u8>>,
}

impl Redis {
    /// Appends an entry, keeping about `max_len` of them; its id.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    pub async fn xadd(
        &self,
        key: &str,
        max_len: Option<u64>,
        fields: &[(&str, &[u8])],
    ) -> Result<StreamId, RedisError> {
        let mut command = self.on("XADD", key);
        if let Some(max_len) = max_len {
            command.arg("MAXLEN").arg("~").arg(max_len);
        }
        command.arg("*");
        for (field, value) in fields {
            command.arg(*field).arg(*value);
        }
        self.ask(&command).await
    }

    /// Entries after the given id of each stream, at most `most` per stream. With `wait`, waits that long for the
    /// first. Streams without news are left out.
    pub async fn xread(
        &self,
        streams: &[(&str, &str)],
        most: usize,
        wait: Option<Duration>,
    ) -> Result<Vec<(String, Vec<Entry>)>, RedisError> {
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(most);
        if let Some(wait) = wait {
            command.arg("BLOCK").arg(wait.as_millis().max(1) as u64);
        }
        command.arg("STREAMS");
        for (key, _) in streams {
            command.arg(self.key(key));
        }
        for (_, id) in streams {
            command.arg(*id);
        }
        let reply: Value = match wait {
            None => self.ask(&command).await?,
            Some(wait) => self.ask_blocking(&command, wait).await?,
        };
        let mut found = Vec::new();
        let Some(pairs) = pairs(reply) else { return Ok(found) };
        for (key, list) in pairs {
            let key: String = from_redis_value(key)?;
            let key = key.strip_prefix(self.inner.prefix.as_str()).unwrap_or(&key).to_owned();
            found.push((key, entries(list)?));
        }
        Ok(found)
    }

    /// Entries from one id to another (`-` and `+` are the ends), at most `most`.
    pub async fn xrange(
        &self,
        key: &str,
        from: &str,
        to: &str,
        most: usize,
    ) -> Result<Vec<Entry>, RedisError> {
        let mut command = self.on("XRANGE", key);
        command.arg(from).arg(to).arg("COUNT").arg(most);
        entries(self.ask(&command).await?)
    }

    /// How many entries there are.
    pub async fn xlen(&self, key: &str) -> Result<u64, RedisError> {
        self.ask(&self.on("XLEN", key)).await
    }

    /// Deletes entries; how many there were.
    pub async fn xdel(&self, key: &str, ids: &[&str]) -> Result<u64, RedisError> {
        let mut command = self.on("XDEL", key);
        for id in ids {
            command.arg(*id);
        }
        self.ask(&command).await
    }
}

/// Pairs of a map (RESP3) or of an array of arrays (RESP2); `None` for nil.
fn pairs(reply: Value) -> Option<Vec<(Value, Value)>> {
    match reply {
        Value::Map(pairs) => Some(pairs),
        Value::Array(items) => {
            let pair = |item| match item {
                Value::Array(pair) => <[Value; 2]>::try_from(pair).ok().map(|[a, b]| (a, b)),
                _ => None,
            };
            Some(items.into_iter().filter_map(pair).collect())
        }
        _ => None,
    }
}

fn entries(list: Value) -> Result<Vec<Entry>, RedisError> {
    let Value::Array(items) = list else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for item in items {
        let (id, fields) = FromRedisValue::from_redis_value(item)?;
        entries.push(Entry { id, fields });
    }
    Ok(entries)
}
