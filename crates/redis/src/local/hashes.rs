//! Hashes.

use deadpool_redis::redis::Value;
use indexmap::IndexMap;

use super::data::{Data, arg, bulk, bulk_or_nil, count, flag, integer};
use super::store::{ITEM_OVERHEAD, Store};
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;
type Fields = IndexMap<Vec<u8>, Vec<u8>>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"HSET" => set(store, args),
        b"HSETNX" => set_new(store, args),
        b"HGET" => read(store, args, |hash| Ok(bulk_or_nil(hash.get(arg(args, 1)?)))),
        b"HMGET" => read(store, args, |hash| {
            let wanted = args.get(1..).unwrap_or_default();
            Ok(Value::Array(wanted.iter().map(|field| bulk_or_nil(hash.get(*field))).collect()))
        }),
        b"HGETALL" => read(store, args, |hash| {
            let pairs = hash.iter().flat_map(|(k, v)| [bulk(k.clone()), bulk(v.clone())]);
            Ok(Value::Array(pairs.collect()))
        }),
        b"HLEN" => read(store, args, |hash| Ok(count(hash.len()))),
        b"HEXISTS" => read(store, args, |hash| Ok(flag(hash.contains_key(arg(args, 1)?)))),
        b"HDEL" => delete(store, args),
        b"HINCRBY" => add(store, args),
        _ => return None,
    })
}

fn read(store: &mut Store, args: &[&[u8]], answer: impl FnOnce(&Fields) -> Reply) -> Reply {
    match store.get(arg(args, 0)?) {
        None => answer(&Fields::new()),
        Some(Data::Hash(hash)) => answer(hash),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn write(
    store: &mut Store,
    key: &[u8],
    change: impl FnOnce(&mut Fields) -> Result<(Value, isize), RedisError>,
) -> Reply {
    store.change(
        key,
        || Data::Hash(Fields::new()),
        |data| match data {
            Data::Hash(hash) => change(hash),
            _ => Err(RedisError::wrong_type()),
        },
    )
}

/// Puts a field; its growth in bytes, and whether it is new.
fn put(hash: &mut Fields, field: &[u8], value: &[u8]) -> (isize, bool) {
    let old = hash.insert(field.to_vec(), value.to_vec());
    match &old {
        Some(old) => (signed(value.len()) - signed(old.len()), false),
        None => (signed(field.len() + value.len() + ITEM_OVERHEAD), true),
    }
}

fn signed(n: usize) -> isize {
    isize::try_from(n).unwrap_or(isize::MAX)
}

fn set(store: &mut Store, args: &[&[u8]]) -> Reply {
    let key = arg(args, 0)?;
    let pairs = args.get(1..).unwrap_or_default();
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(RedisError::syntax());
    }
    write(store, key, |hash| {
        let (mut growth, mut new) = (0, 0);
        for pair in pairs.chunks_exact(2) {
            let [field, value] = pair else { continue };
            let (more, is_new) = put(hash, field, value);
            growth += more;
            new += usize::from(is_new);
        }
        Ok((count(new), growth))
    })
}

fn set_new(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (key, field, value) = (arg(args, 0)?, arg(args, 1)?, arg(args, 2)?);
    write(store, key, |hash| {
        if hash.contains_key(field) {
            return Ok((flag(false), 0));
        }
        Ok((flag(true), put(hash, field, value).0))
    })
}

fn delete(store: &mut Store, args: &[&[u8]]) -> Reply {
    let removed = store.change_existing(arg(args, 0)?, |data| {
        let Data::Hash(hash) = data else { return Err(RedisError::wrong_type()) };
        let (mut removed, mut freed) = (0_usize, 0);
        for field in args.get(1..).unwrap_or_default() {
            if let Some(value) = hash.shift_remove(*field) {
                removed += 1;
                freed += signed(field.len() + value.len() + ITEM_OVERHEAD);
            }
        }
        Ok((removed, -freed))
    })?;
    Ok(count(removed))
}

fn add(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (key, field, by) = (arg(args, 0)?, arg(args, 1)?, integer(arg(args, 2)?)?);
    write(store, key, |hash| {
        let old = hash.get(field).map_or(Ok(0), |value| integer(value))?;
        let sum = old.checked_add(by).ok_or_else(|| {
            RedisError::Refused("ERR increment or decrement would overflow".to_owned())
        })?;
        let (growth, _) = put(hash, field, sum.to_string().as_bytes());
        Ok((Value::Int(sum), growth))
    })
}
