//! The atomic steps of the queue.

use redis::{Redis, RedisError, Script, Value, reply};

use super::{INDEX, UNACKED};

type Result<T> = std::result::Result<T, RedisError>;

fn wrong() -> RedisError {
    RedisError::Refused("ERR wrong number of arguments".to_owned())
}

/// The value kombu keeps in `unacked`: `[message, exchange, routing key]`.
pub(super) fn entry(message: &[u8], queue: &str) -> Vec<u8> {
    let mut entry = Vec::with_capacity(message.len() + queue.len() + 8);
    entry.push(b'[');
    entry.extend_from_slice(message);
    entry.extend_from_slice(b",\"\",\"");
    entry.extend_from_slice(queue.as_bytes());
    entry.extend_from_slice(b"\"]");
    entry
}

/// Message and queue of an entry, ours or kombu's.
pub(super) fn parse_entry(entry: &[u8]) -> Option<(Vec<u8>, String)> {
    let (message, _exchange, queue): (serde_json::Value, Option<String>, String) =
        serde_json::from_slice(entry).ok()?;
    Some((message.to_string().into_bytes(), queue))
}

/// KEYS: unacked, index, queue… ARGV: score, tag prefix, then name and number wanted of each queue.
static TAKE: Script = Script::new(
    r#"
    local found, n = {}, 0
    for i = 3, #KEYS do
        local name, most = ARGV[2 * i - 3], tonumber(ARGV[2 * i - 2])
        for _ = 1, most do
            local message = redis.call('RPOP', KEYS[i])
            if not message then break end
            n = n + 1
            local tag = ARGV[2] .. '.' .. n
            redis.call('HSET', KEYS[1], tag, '[' .. message .. ',"","' .. name .. '"]')
            redis.call('ZADD', KEYS[2], ARGV[1], tag)
            found[#found + 1] = tag
            found[#found + 1] = name
            found[#found + 1] = message
        end
    end
    return found
    "#,
    |tx, keys, args| {
        let [unacked, index, queues @ ..] = keys else { return Err(wrong()) };
        let [score, prefix, wanted @ ..] = args else { return Err(wrong()) };
        let mut found = Vec::new();
        let mut n = 0;
        for (queue, pair) in queues.iter().zip(wanted.chunks_exact(2)) {
            let [name, most] = pair else { return Err(wrong()) };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let most: usize = text(most).parse().unwrap_or(0);
            for _ in 0..most {
                let message: Option<Vec<u8>> = reply(tx.call(&[b"RPOP", queue.as_bytes()])?)?;
                let Some(message) = message else { break };
                n += 1;
                let tag = format!("{}.{n}", text(prefix));
                let value = entry(&message, &text(name));
                tx.call(&[b"HSET", unacked.as_bytes(), tag.as_bytes(), &value])?;
                tx.call(&[b"ZADD", index.as_bytes(), score, tag.as_bytes()])?;
                found.push(Value::BulkString(tag.into_bytes()));
                found.push(Value::BulkString(name.to_vec()));
                found.push(Value::BulkString(message));
            }
        }
        Ok(Value::Array(found))
    },
);

/// Takes leases; tag, queue and message of each.
pub(super) async fn take(
    redis: &Redis,
    score: f64,
    prefix: &str,
    wanted: &[(&str, usize)],
) -> Result<Vec<(String, String, Vec<u8>)>> {
    let mut keys = vec![UNACKED, INDEX];
    keys.extend(wanted.iter().map(|(queue, _)| *queue));
    let mut args = vec![score.to_string(), prefix.to_owned()];
    for (queue, most) in wanted {
        args.extend([(*queue).to_owned(), most.to_string()]);
    }
    let args: Vec<&[u8]> = args.iter().map(String::as_bytes).collect();
    let found: Vec<Vec<u8>> = redis.eval(&TAKE, &keys, &args).await?;
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut taken = Vec::new();
    for three in found.chunks_exact(3) {
        if let [tag, queue, message] = three {
            taken.push((text(tag), text(queue), message.clone()));
        }
    }
    Ok(taken)
}

/// KEYS: unacked, index. ARGV: tag.
static FINISH: Script = Script::new(
    r"
    redis.call('ZREM', KEYS[2], ARGV[1])
    return redis.call('HDEL', KEYS[1], ARGV[1])
    ",
    |tx, keys, args| {
        let ([unacked, index], [tag]) = (keys, args) else { return Err(wrong()) };
        tx.call(&[b"ZREM", index.as_bytes(), tag])?;
        tx.call(&[b"HDEL", unacked.as_bytes(), tag])
    },
);

/// Ends a lease; false if it was lost.
pub(super) async fn finish(redis: &Redis, tag: &str) -> Result<bool> {
    let gone: u64 = redis.eval(&FINISH, &[UNACKED, INDEX], &[tag.as_bytes()]).await?;
    Ok(gone > 0)
}

/// KEYS: index. ARGV: score, tag…
static EXTEND: Script = Script::new(
    r"
    local kept = {}
    for i = 2, #ARGV do
        if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
            redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
            kept[#kept + 1] = ARGV[i]
        end
    end
    return kept
    ",
    |tx, keys, args| {
        let ([index], [score, tags @ ..]) = (keys, args) else { return Err(wrong()) };
        let mut kept = Vec::new();
        for tag in tags {
            if tx.call(&[b"ZSCORE", index.as_bytes(), tag])? != Value::Nil {
                tx.call(&[b"ZADD", index.as_bytes(), score, tag])?;
                kept.push(Value::BulkString(tag.to_vec()));
            }
        }
        Ok(Value::Array(kept))
    },
);

/// Moves the ends of leases; those that still exist.
pub(super) async fn extend(redis: &Redis, score: f64, tags: &[&str]) -> Result<Vec<String>> {
    let score = score.to_string();
    let mut args = vec![score.as_bytes()];
    args.extend(tags.iter().map(|tag| tag.as_bytes()));
    redis.eval(&EXTEND, &[INDEX], &args).await
}

/// KEYS: unacked, index. ARGV: tag, new tag, entry, score.
static REPLACE: Script = Script::new(
    r"
    redis.call('ZREM', KEYS[2], ARGV[1])
    if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
    redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
    return 1
    ",
    |tx, keys, args| {
        let ([unacked, index], [tag, new_tag, entry, score]) = (keys, args) else {
            return Err(wrong());
        };
        let (unacked, index) = (unacked.as_bytes(), index.as_bytes());
        tx.call(&[b"ZREM", index, tag])?;
        if tx.call(&[b"HDEL", unacked, tag])? == Value::Int(0) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"HSET", unacked, new_tag, entry])?;
        tx.call(&[b"ZADD", index, score, new_tag])?;
        Ok(Value::Int(1))
    },
);

/// Ends a lease and keeps a changed message until `score`; false if the lease was lost.
pub(super) async fn replace(
    redis: &Redis,
    tag: &str,
    new_tag: &str,
    entry: &[u8],
    score: f64,
) -> Result<bool> {
    let score = score.to_string();
    let args = [tag.as_bytes(), new_tag.as_bytes(), entry, score.as_bytes()];
    redis.eval(&REPLACE, &[UNACKED, INDEX], &args).await
}

/// KEYS: unacked, index, queue. ARGV: tag, message, score the lease must have or empty.
static PUT_BACK: Script = Script::new(
    r"
    if ARGV[3] ~= '' then
        local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
        if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 0 end
    end
    redis.call('ZREM', KEYS[2], ARGV[1])
    if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
    redis.call('RPUSH', KEYS[3], ARGV[2])
    return 1
    ",
    |tx, keys, args| {
        let ([unacked, index, queue], [tag, message, expected]) = (keys, args) else {
            return Err(wrong());
        };
        let (unacked, index) = (unacked.as_bytes(), index.as_bytes());
        if !expected.is_empty() {
            let score: Option<f64> = reply(tx.call(&[b"ZSCORE", index, tag])?)?;
            let expected = String::from_utf8_lossy(expected).parse::<f64>().ok();
            if score.is_none() || score != expected {
                return Ok(Value::Int(0));
            }
        }
        tx.call(&[b"ZREM", index, tag])?;
        if tx.call(&[b"HDEL", unacked, tag])? == Value::Int(0) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"RPUSH", queue.as_bytes(), message])?;
        Ok(Value::Int(1))
    },
);

/// Ends a lease and makes the message the next of its queue; false if the lease was lost or extended.
pub(super) async fn put_back(
    redis: &Redis,
    tag: &str,
    score: Option<f64>,
    queue: &str,
    message: &str,
) -> Result<bool> {
    let score = score.map(|score| score.to_string()).unwrap_or_default();
    let args = [tag.as_bytes(), message.as_bytes(), score.as_bytes()];
    redis.eval(&PUT_BACK, &[UNACKED, INDEX, queue], &args).await
}

/// KEYS: unacked, index, dead. ARGV: tag, letter, last index kept.
static BURY: Script = Script::new(
    r"
    redis.call('ZREM', KEYS[2], ARGV[1])
    if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
    redis.call('LPUSH', KEYS[3], ARGV[2])
    redis.call('LTRIM', KEYS[3], 0, ARGV[3])
    return 1
    ",
    |tx, keys, args| {
        let ([unacked, index, dead], [tag, letter, last]) = (keys, args) else {
            return Err(wrong());
        };
        tx.call(&[b"ZREM", index.as_bytes(), tag])?;
        if tx.call(&[b"HDEL", unacked.as_bytes(), tag])? == Value::Int(0) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"LPUSH", dead.as_bytes(), letter])?;
        tx.call(&[b"LTRIM", dead.as_bytes(), b"0", last])?;
        Ok(Value::Int(1))
    },
);

/// Ends a lease and keeps a letter about it; false if the lease was lost.
pub(super) async fn bury(
    redis: &Redis,
    tag: &str,
    dead: &str,
    letter: &[u8],
    most: usize,
) -> Result<bool> {
    let last = most.saturating_sub(1).to_string();
    let args = [tag.as_bytes(), letter, last.as_bytes()];
    redis.eval(&BURY, &[UNACKED, INDEX, dead], &args).await
}

/// KEYS: dead, queue. ARGV: letter, message.
static REVIVE: Script = Script::new(
    r"
    if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
    redis.call('LPUSH', KEYS[2], ARGV[2])
    return 1
    ",
    |tx, keys, args| {
        let ([dead, queue], [letter, message]) = (keys, args) else { return Err(wrong()) };
        if tx.call(&[b"LREM", dead.as_bytes(), b"1", letter])? == Value::Int(0) {
            return Ok(Value::Int(0));
        }
        tx.call(&[b"LPUSH", queue.as_bytes(), message])?;
        Ok(Value::Int(1))
    },
);

/// Moves a letter's message into a queue; false if somebody else did.
pub(super) async fn revive(
    redis: &Redis,
    dead: &str,
    letter: &[u8],
    queue: &str,
    message: &str,
) -> Result<bool> {
    redis.eval(&REVIVE, &[dead, queue], &[letter, message.as_bytes()]).await
}
