//! Limiters that count in Redis, each one step so that concurrent callers cannot slip past.

use boxed::boxed;
use std::time::Duration;

use deadpool_redis::redis::Value;

use crate::client::Redis;
use crate::error::RedisError;
use crate::ops::keys::millis;
use crate::script::{Script, reply};

/// At most `limit` events in any `span`, as the reference keeps them: a sorted set whose scores are the events' times.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Events allowed.
    pub limit: u64,
    /// The time they are counted over.
    pub span: Duration,
    /// How long the key outlives its last event; the reference uses twice the span.
    pub life: Duration,
    /// True if scores are milliseconds, false if seconds.
    pub in_millis: bool,
}

impl Window {
    /// The reference's mail and form limiters: scores in seconds, twice the span to live.
    #[must_use]
    pub fn seconds(limit: u64, span: Duration) -> Self {
        Self { limit, span, life: span * 2, in_millis: false }
    }

    /// Scores in milliseconds, as the knowledge limiter has them.
    #[must_use]
    pub fn millis(limit: u64, span: Duration) -> Self {
        Self { limit, span, life: span * 2, in_millis: true }
    }

    fn units(&self, time: Duration) -> f64 {
        if self.in_millis { time.as_millis() as f64 } else { time.as_secs() as f64 }
    }
}

/// KEYS: set. ARGV: now, oldest that counts, limit, member, life in ms, whether to add.
/// Answers how many events there were before.
static WINDOW: Script = Script::new(
    r"
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
    local n = redis.call('ZCARD', KEYS[1])
    if ARGV[6] == '1' and n < tonumber(ARGV[3]) then
        redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
        redis.call('PEXPIRE', KEYS[1], ARGV[5])
    end
    return n
    ",
    |tx, keys, args| {
        let [key] = keys else { return Err(RedisError::syntax()) };
        let [now, oldest, limit, member, life, add] = args else {
            return Err(RedisError::syntax());
        };
        let key = key.as_bytes();
        tx.call(&[b"ZREMRANGEBYSCORE", key, b"-inf", oldest])?;
        let n: u64 = reply(tx.call(&[b"ZCARD", key])?)?;
        let limit: u64 = std::str::from_utf8(limit).ok().and_then(|l| l.parse().ok()).unwrap_or(0);
        if *add == b"1" && n < limit {
            tx.call(&[b"ZADD", key, now, member])?;
            tx.call(&[b"PEXPIRE", key, life])?;
        }
        Ok(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)))
    },
);

/// KEYS: hash. ARGV: id, now, oldest start that counts, limit, life in ms. Answers 1 if the slot was taken.
static ENTER: Script = Script::new(
    r"
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
        if (tonumber(all[i + 1]) or 0) <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
    end
    if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    return 1
    ",
    |tx, keys, args| {
        let [key] = keys else { return Err(RedisError::syntax()) };
        let [id, now, oldest, limit, life] = args else { return Err(RedisError::syntax()) };
        let key = key.as_bytes();
        let number = |word: &[u8]| -> f64 {
            std::str::from_utf8(word).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
        };
        let all: Vec<(Vec<u8>, Vec<u8>)> = reply(tx.call(&[b"HGETALL", key])?)?;
        for (field, start) in all {
            if number(&start) <= number(oldest) {
                tx.call(&[b"HDEL", key, &field])?;
            }
        }
        let taken: u64 = reply(tx.call(&[b"HLEN", key])?)?;
        if taken as f64 >= number(limit) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"HSET", key, id, now])?;
        tx.call(&[b"PEXPIRE", key, life])?;
        Ok(Value::Int(1))
    },
);

impl Redis {
    /// Counts an event if the window has room; true if it had. `now` is the time since 1970.
    ///
    /// # Errors
    /// See [`RedisError`]; limiters of the reference let everybody in when Redis is away.
    #[boxed]
    pub async fn window_take(
        &self,
        key: &str,
        window: &Window,
        now: Duration,
    ) -> Result<bool, RedisError> {
        Ok(self.window(key, window, now, true).await? < window.limit)
    }

    /// How many events the window holds, without counting one.
    ///
    /// # Errors
    /// As [`Redis::window_take`].
    #[boxed]
    pub async fn window_count(
        &self,
        key: &str,
        window: &Window,
        now: Duration,
    ) -> Result<u64, RedisError> {
        self.window(key, window, now, false).await
    }

    async fn window(
        &self,
        key: &str,
        window: &Window,
        now: Duration,
        add: bool,
    ) -> Result<u64, RedisError> {
        let score = window.units(now);
        let oldest = score - window.units(window.span);
        // `<time>:<random>` like the reference's members.
        let member = format!("{score}:{}", uuid::Uuid::new_v4().simple());
        let args = [
            score.to_string(),
            oldest.to_string(),
            window.limit.to_string(),
            member,
            millis(window.life).to_string(),
            u8::from(add).to_string(),
        ];
        let args: Vec<&[u8]> = args.iter().map(String::as_bytes).collect();
        self.eval(&WINDOW, &[key], &args).await
    }

    /// Takes one of `limit` slots for `id`, first forgetting holders older than `stale`; false if all are taken.
    /// The hash maps ids to start times in seconds, as `dify:rate_limit:<app>:active_requests` does. Leave with
    /// [`Redis::hdel`].
    ///
    /// # Errors
    /// See [`RedisError`].
    #[boxed]
    pub async fn slot_take(
        &self,
        key: &str,
        id: &str,
        limit: u64,
        now: Duration,
        stale: Duration,
    ) -> Result<bool, RedisError> {
        let oldest = now.saturating_sub(stale).as_secs_f64();
        let args = [
            id.to_owned(),
            now.as_secs_f64().to_string(),
            oldest.to_string(),
            limit.to_string(),
            "86400000".to_owned(),
        ];
        let args: Vec<&[u8]> = args.iter().map(String::as_bytes).collect();
        self.eval(&ENTER, &[key], &args).await
    }
}
