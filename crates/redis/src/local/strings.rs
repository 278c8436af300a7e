//! Strings, counters, expiry and whole-key commands.

use std::time::Duration;

use deadpool_redis::redis::Value;

use super::data::{Data, arg, bulk, bulk_or_nil, count, flag, integer};
use super::store::Store;
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"PING" => Ok(Value::SimpleString("PONG".to_owned())),
        b"FLUSHDB" => {
            store.clear();
            Ok(Value::Okay)
        }
        b"GET" => get(store, args),
        b"MGET" => Ok(Value::Array(args.iter().map(|key| text_or_nil(store, key)).collect())),
        b"SET" => set(store, args),
        b"GETDEL" => get_and_delete(store, args),
        b"DEL" | b"UNLINK" => {
            Ok(count(args.iter().filter(|key| exists_then_remove(store, key)).count()))
        }
        b"EXISTS" => Ok(count(args.iter().filter(|key| store.contains(key)).count())),
        b"TYPE" => arg(args, 0).map(|key| {
            let name = store.get(key).map_or("none", Data::type_name);
            Value::SimpleString(name.to_owned())
        }),
        b"INCR" => add(store, args, 1),
        b"DECR" => add(store, args, -1),
        b"INCRBY" => arg(args, 1).and_then(integer).and_then(|by| add(store, args, by)),
        b"EXPIRE" => expire(store, args, Duration::from_secs(1)),
        b"PEXPIRE" => expire(store, args, Duration::from_millis(1)),
        b"PERSIST" => persist(store, args),
        b"TTL" => time_left(store, args, 1000),
        b"PTTL" => time_left(store, args, 1),
        _ => return None,
    })
}

fn get(store: &mut Store, args: &[&[u8]]) -> Reply {
    match store.get(arg(args, 0)?) {
        None => Ok(Value::Nil),
        Some(Data::Text(text)) => Ok(bulk(text.clone())),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn text_or_nil(store: &mut Store, key: &[u8]) -> Value {
    match store.get(key) {
        Some(Data::Text(text)) => bulk(text.clone()),
        _ => Value::Nil,
    }
}

fn set(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (key, value) = (arg(args, 0)?, arg(args, 1)?);
    let mut life = None;
    let (mut only_new, mut only_old, mut keep, mut want_old) = (false, false, false, false);
    let mut options = args.get(2..).unwrap_or_default().iter();
    while let Some(option) = options.next() {
        match option.to_ascii_uppercase().as_slice() {
            b"NX" => only_new = true,
            b"XX" => only_old = true,
            b"KEEPTTL" => keep = true,
            b"GET" => want_old = true,
            b"EX" => life = Some(duration(options.next(), Duration::from_secs(1))?),
            b"PX" => life = Some(duration(options.next(), Duration::from_millis(1))?),
            _ => return Err(RedisError::syntax()),
        }
    }
    let old = match store.get(key) {
        Some(Data::Text(old)) if want_old => Some(old.clone()),
        Some(_) if want_old => return Err(RedisError::wrong_type()),
        _ => None,
    };
    let exists = store.contains(key);
    let answer = if want_old { bulk_or_nil(old.as_ref()) } else { Value::Okay };
    if (only_new && exists) || (only_old && !exists) {
        return Ok(if want_old { answer } else { Value::Nil });
    }
    let kept = if keep { store.expiry(key).flatten() } else { None };
    store.replace(key, Data::Text(value.to_vec()), value.len())?;
    let expires = life.map(|life| store.now() + life).or(kept);
    if expires.is_some() {
        store.expire_at(key, expires);
    }
    Ok(answer)
}

fn duration(word: Option<&&[u8]>, unit: Duration) -> Result<Duration, RedisError> {
    let amount = integer(word.ok_or_else(RedisError::syntax)?)?;
    match u32::try_from(amount) {
        Ok(amount) if amount > 0 => Ok(unit * amount),
        // Longer than u32 milliseconds is 49 days; whole seconds then lose nothing that matters.
        Err(_) if amount > 0 => {
            let millis = u64::try_from(amount).unwrap_or(u64::MAX);
            Ok(Duration::from_millis(millis.saturating_mul(unit.as_millis() as u64)))
        }
        _ => Err(RedisError::Refused("ERR invalid expire time in 'set' command".to_owned())),
    }
}

fn get_and_delete(store: &mut Store, args: &[&[u8]]) -> Reply {
    let value = get(store, args)?;
    store.remove(arg(args, 0)?);
    Ok(value)
}

fn exists_then_remove(store: &mut Store, key: &[u8]) -> bool {
    store.contains(key) && store.remove(key).is_some()
}

fn add(store: &mut Store, args: &[&[u8]], by: i64) -> Reply {
    let sum = store.change(
        arg(args, 0)?,
        || Data::Text(b"0".to_vec()),
        |data| {
            let Data::Text(text) = data else { return Err(RedisError::wrong_type()) };
            let sum = integer(text)?.checked_add(by).ok_or_else(|| {
                RedisError::Refused("ERR increment or decrement would overflow".to_owned())
            })?;
            *text = sum.to_string().into_bytes();
            Ok((sum, 0))
        },
    )?;
    Ok(Value::Int(sum))
}

fn expire(store: &mut Store, args: &[&[u8]], unit: Duration) -> Reply {
    let (key, amount) = (arg(args, 0)?, integer(arg(args, 1)?)?);
    let millis = u64::try_from(amount).unwrap_or(0).saturating_mul(unit.as_millis() as u64);
    // A century is forever, and does not overflow an instant.
    let life = Duration::from_millis(millis.min(100 * 365 * 86_400_000));
    let at = store.now() + life;
    Ok(flag(store.expire_at(key, Some(at))))
}

fn persist(store: &mut Store, args: &[&[u8]]) -> Reply {
    let key = arg(args, 0)?;
    let had = matches!(store.expiry(key), Some(Some(_)));
    if had {
        store.expire_at(key, None);
    }
    Ok(flag(had))
}

fn time_left(store: &mut Store, args: &[&[u8]], unit: u128) -> Reply {
    let now = store.now();
    let left = match store.expiry(arg(args, 0)?) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => {
            let millis = at.saturating_duration_since(now).as_millis();
            // Redis rounds to the nearest second.
            i64::try_from((millis + unit / 2) / unit).unwrap_or(i64::MAX)
        }
    };
    Ok(Value::Int(left))
}
