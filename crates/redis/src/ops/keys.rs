//! Strings, counters, expiry and whole keys.

use boxed::boxed;
use std::time::Duration;

use deadpool_redis::redis::{Cmd, Value, cmd};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Backend, Redis};
use crate::error::RedisError;
use crate::script::{Script, reply};

/// How long a key will live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// There is no such key.
    Missing,
    /// It has no expiry.
    Forever,
    /// It expires after this, to the millisecond.
    Left(Duration),
}

static INCR_EX: Script = Script::new(
    r"
    local n = redis.call('INCR', KEYS[1])
    if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return n
    ",
    |tx, keys, args| {
        let [key] = keys else { return Err(RedisError::syntax()) };
        let [life] = args else { return Err(RedisError::syntax()) };
        let n: i64 = reply(tx.call(&[b"INCR", key.as_bytes()])?)?;
        if n == 1 {
            tx.call(&[b"PEXPIRE", key.as_bytes(), life])?;
        }
        Ok(Value::Int(n))
    },
);

static DELETE_IF: Script = Script::new(
    r"
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])
    ",
    |tx, keys, args| {
        let [key] = keys else { return Err(RedisError::syntax()) };
        let [value] = args else { return Err(RedisError::syntax()) };
        let found: Option<Vec<u8>> = reply(tx.call(&[b"GET", key.as_bytes()])?)?;
        if found.as_deref() != Some(*value) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"DEL", key.as_bytes()])
    },
);

static EXPIRE_IF: Script = Script::new(
    r"
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
    ",
    |tx, keys, args| {
        let [key] = keys else { return Err(RedisError::syntax()) };
        let [value, life] = args else { return Err(RedisError::syntax()) };
        let found: Option<Vec<u8>> = reply(tx.call(&[b"GET", key.as_bytes()])?)?;
        if found.as_deref() != Some(*value) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"PEXPIRE", key.as_bytes(), life])
    },
);

static TAKE_OR_POOL: Script = Script::new(
    r"
    local value = redis.call('GET', KEYS[1])
    if value then
        redis.call('DEL', KEYS[1])
        return value
    end
    redis.call('SADD', KEYS[2], ARGV[1])
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    return false
    ",
    |tx, keys, args| {
        let [inbox, pool] = keys else { return Err(RedisError::syntax()) };
        let [member, life] = args else { return Err(RedisError::syntax()) };
        let value = tx.call(&[b"GETDEL", inbox.as_bytes()])?;
        if value != Value::Nil {
            return Ok(value);
        }
        tx.call(&[b"SADD", pool.as_bytes(), member])?;
        tx.call(&[b"PEXPIRE", pool.as_bytes(), life])?;
        Ok(Value::Nil)
    },
);

pub(crate) fn millis(life: Duration) -> u64 {
    // Zero would be refused, or delete at once; the shortest life is a millisecond.
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn set(redis: &Redis, key: &str, value: &[u8]) -> Cmd {
    let mut command = redis.on("SET", key);
    command.arg(value);
    command
}

impl Redis {
    /// The value of a string.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    #[boxed]
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(&self.on("GET", key)).await
    }

    /// The value of a string that holds text; bytes that are not UTF-8 are replaced.
    #[boxed]
    pub async fn get_string(&self, key: &str) -> Result<Option<String>, RedisError> {
        let bytes = self.get(key).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The value of a string that holds JSON; `None` too if it does not parse as `T`, as for a cache of an older
    /// release.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, RedisError> {
        let bytes = self.get(key).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// The values of several strings, in order.
    #[boxed]
    pub async fn mget(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = cmd("MGET");
        for key in keys {
            command.arg(self.key(key));
        }
        self.ask(&command).await
    }

    /// Sets a string without expiry.
    pub async fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), RedisError> {
        self.ask(&set(self, key, value.as_ref())).await
    }

    /// Sets a string for a time.
    pub async fn set_ex(
        &self,
        key: &str,
        value: impl AsRef<[u8]>,
        life: Duration,
    ) -> Result<(), RedisError> {
        self.ask(set(self, key, value.as_ref()).arg("PX").arg(millis(life))).await
    }

    /// Sets a string to JSON for a time.
    pub async fn set_json_ex<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        life: Duration,
    ) -> Result<(), RedisError> {
        let bytes =
            serde_json::to_vec(value).map_err(|err| RedisError::Refused(err.to_string()))?;
        self.set_ex(key, bytes, life).await
    }

    /// Sets a string unless the key exists; true if it was set.
    pub async fn set_nx(&self, key: &str, value: impl AsRef<[u8]>) -> Result<bool, RedisError> {
        let answer: Option<String> = self.ask(set(self, key, value.as_ref()).arg("NX")).await?;
        Ok(answer.is_some())
    }

    /// Sets a string for a time unless the key exists; true if it was set.
    pub async fn set_nx_ex(
        &self,
        key: &str,
        value: impl AsRef<[u8]>,
        life: Duration,
    ) -> Result<bool, RedisError> {
        let mut command = set(self, key, value.as_ref());
        command.arg("NX").arg("PX").arg(millis(life));
        let answer: Option<String> = self.ask(&command).await?;
        Ok(answer.is_some())
    }

    /// Takes a string away and returns it; of several callers one gets it.
    #[boxed]
    pub async fn getdel(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(&self.on("GETDEL", key)).await
    }

    /// Deletes keys; how many there were.
    #[boxed]
    pub async fn del(&self, keys: &[&str]) -> Result<u64, RedisError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let mut command = cmd("DEL");
        for key in keys {
            command.arg(self.key(key));
        }
        self.ask(&command).await
    }

    /// Deletes the key if it holds exactly `value`.
    pub async fn del_if(&self, key: &str, value: impl AsRef<[u8]>) -> Result<bool, RedisError> {
        let deleted: u64 = self.eval(&DELETE_IF, &[key], &[value.as_ref()]).await?;
        Ok(deleted > 0)
    }

    /// Sets the expiry of the key if it holds exactly `value`.
    pub async fn expire_if(
        &self,
        key: &str,
        value: impl AsRef<[u8]>,
        life: Duration,
    ) -> Result<bool, RedisError> {
        let life = millis(life).to_string();
        let set: u64 = self.eval(&EXPIRE_IF, &[key], &[value.as_ref(), life.as_bytes()]).await?;
        Ok(set > 0)
    }

    /// True if the key exists.
    #[boxed]
    pub async fn exists(&self, key: &str) -> Result<bool, RedisError> {
        self.ask(&self.on("EXISTS", key)).await
    }

    /// Adds one to a counter that starts at zero; the sum.
    #[boxed]
    pub async fn incr(&self, key: &str) -> Result<i64, RedisError> {
        self.ask(&self.on("INCR", key)).await
    }

    /// Adds to a counter; the sum.
    #[boxed]
    pub async fn incr_by(&self, key: &str, by: i64) -> Result<i64, RedisError> {
        self.ask(self.on("INCRBY", key).arg(by)).await
    }

    /// Takes one from a counter; the difference.
    #[boxed]
    pub async fn decr(&self, key: &str) -> Result<i64, RedisError> {
        self.ask(&self.on("DECR", key)).await
    }

    /// Adds one to a counter that lives `life` from its first increment, as one step.
    #[boxed]
    pub async fn incr_ex(&self, key: &str, life: Duration) -> Result<i64, RedisError> {
        let life = millis(life).to_string();
        self.eval(&INCR_EX, &[key], &[life.as_bytes()]).await
    }

    /// Sets the expiry; false if there is no such key.
    #[boxed]
    pub async fn expire(&self, key: &str, life: Duration) -> Result<bool, RedisError> {
        self.ask(self.on("PEXPIRE", key).arg(millis(life))).await
    }

    /// Removes the expiry; true if there was one.
    #[boxed]
    pub async fn persist(&self, key: &str) -> Result<bool, RedisError> {
        self.ask(&self.on("PERSIST", key)).await
    }

    /// How long the key will live.
    #[boxed]
    pub async fn ttl(&self, key: &str) -> Result<Ttl, RedisError> {
        let left: i64 = self.ask(&self.on("PTTL", key)).await?;
        Ok(match u64::try_from(left) {
            Ok(left) => Ttl::Left(Duration::from_millis(left)),
            Err(_) if left == -1 => Ttl::Forever,
            Err(_) => Ttl::Missing,
        })
    }

    /// Takes `inbox` if it exists, else adds `member` to the set `pool` for `life`: nobody can put something into the
    /// inbox and look into the pool in between. For debug listeners; both keys must share a slot (`{tag}`).
    pub async fn take_or_pool(
        &self,
        inbox: &str,
        pool: &str,
        member: impl AsRef<[u8]>,
        life: Duration,
    ) -> Result<Option<Vec<u8>>, RedisError> {
        let life = millis(life).to_string();
        let args: [&[u8]; 2] = [member.as_ref(), life.as_bytes()];
        self.eval(&TAKE_OR_POOL, &[inbox, pool], &args).await
    }

    /// Keys matching a pattern (`*`, `?`, `[…]`), at most `limit`. Reads the whole key space in steps: for
    /// maintenance only.
    #[boxed]
    pub async fn scan(&self, pattern: &str, limit: usize) -> Result<Vec<String>, RedisError> {
        let prefix = escape(&self.inner.prefix);
        let pattern = format!("{prefix}{pattern}");
        let mut keys: Vec<Vec<u8>> = Vec::new();
        match &self.inner.backend {
            Backend::Local(local) => keys = local.scan(pattern.as_bytes(), limit),
            // Cursors belong to nodes; the driver asks every master and joins the answers.
            Backend::Remote(remote) if remote.is_cluster() => {
                let mut command = cmd("KEYS");
                command.arg(&pattern);
                keys = self.ask(&command).await?;
            }
            Backend::Remote(_) => {
                let mut cursor = 0_u64;
                loop {
                    let mut command = cmd("SCAN");
                    command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
                    let (next, found): (u64, Vec<Vec<u8>>) = self.ask(&command).await?;
                    keys.extend(found);
                    cursor = next;
                    if cursor == 0 || keys.len() >= limit {
                        break;
                    }
                }
            }
        }
        keys.sort();
        keys.dedup();
        keys.truncate(limit);
        let strip = |key: Vec<u8>| {
            let key = String::from_utf8_lossy(&key).into_owned();
            key.strip_prefix(self.inner.prefix.as_str()).map(str::to_owned).unwrap_or(key)
        };
        Ok(keys.into_iter().map(strip).collect())
    }
}

/// The prefix as a pattern that matches just itself.
fn escape(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len());
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
