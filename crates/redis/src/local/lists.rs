//! Lists. `BRPOP` answers nil when it would block; [`super::Local::run_blocking`] does the waiting.

use std::collections::VecDeque;

use deadpool_redis::redis::Value;

use super::data::{Data, arg, bulk, bulk_or_nil, count, integer, offset, span};
use super::store::{ITEM_OVERHEAD, Store};
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;
type Items = VecDeque<Vec<u8>>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"LPUSH" => push(store, args, true),
        b"RPUSH" => push(store, args, false),
        b"LPOP" => pop(store, args, true),
        b"RPOP" => pop(store, args, false),
        b"BRPOP" => blocking_pop(store, args),
        b"RPOPLPUSH" => rotate(store, args),
        b"LLEN" => read(store, args, |list| Ok(count(list.len()))),
        b"LRANGE" => read(store, args, |list| {
            let (start, end) = bounds(args, list.len())?;
            let items = list.iter().skip(start).take(end - start);
            Ok(Value::Array(items.map(|item| bulk(item.clone())).collect()))
        }),
        b"LINDEX" => read(store, args, |list| {
            let at = offset(integer(arg(args, 1)?)?, list.len());
            Ok(bulk_or_nil(usize::try_from(at).ok().and_then(|at| list.get(at))))
        }),
        b"LREM" => remove(store, args),
        b"LTRIM" => trim(store, args),
        _ => return None,
    })
}

fn read(store: &mut Store, args: &[&[u8]], answer: impl FnOnce(&Items) -> Reply) -> Reply {
    match store.get(arg(args, 0)?) {
        None => answer(&Items::new()),
        Some(Data::List(list)) => answer(list),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn bounds(args: &[&[u8]], len: usize) -> Result<(usize, usize), RedisError> {
    Ok(span(integer(arg(args, 1)?)?, integer(arg(args, 2)?)?, len))
}

fn cost(item: &[u8]) -> isize {
    isize::try_from(item.len() + ITEM_OVERHEAD).unwrap_or(isize::MAX)
}

fn push(store: &mut Store, args: &[&[u8]], front: bool) -> Reply {
    let items = args.get(1..).unwrap_or_default();
    if items.is_empty() {
        return Err(RedisError::syntax());
    }
    let len = store.change(
        arg(args, 0)?,
        || Data::List(Items::new()),
        |data| {
            let Data::List(list) = data else { return Err(RedisError::wrong_type()) };
            for item in items {
                if front {
                    list.push_front(item.to_vec());
                } else {
                    list.push_back(item.to_vec());
                }
            }
            Ok((list.len(), items.iter().map(|item| cost(item)).sum()))
        },
    )?;
    store.grown = true;
    Ok(count(len))
}

fn take(store: &mut Store, key: &[u8], front: bool) -> Result<Option<Vec<u8>>, RedisError> {
    store.change_existing(key, |data| {
        let Data::List(list) = data else { return Err(RedisError::wrong_type()) };
        let item = if front { list.pop_front() } else { list.pop_back() };
        let freed = item.as_ref().map_or(0, |item| cost(item));
        Ok((item, -freed))
    })
}

fn pop(store: &mut Store, args: &[&[u8]], front: bool) -> Reply {
    let key = arg(args, 0)?;
    let Some(word) = args.get(1) else {
        return Ok(take(store, key, front)?.map_or(Value::Nil, bulk));
    };
    let wanted = usize::try_from(integer(word)?).unwrap_or(0);
    let mut items = Vec::new();
    while items.len() < wanted
        && let Some(item) = take(store, key, front)?
    {
        items.push(bulk(item));
    }
    Ok(if items.is_empty() { Value::Nil } else { Value::Array(items) })
}

fn blocking_pop(store: &mut Store, args: &[&[u8]]) -> Reply {
    let Some((_timeout, keys)) = args.split_last() else { return Err(RedisError::syntax()) };
    for key in keys {
        if let Some(item) = take(store, key, false)? {
            return Ok(Value::Array(vec![bulk(*key), bulk(item)]));
        }
    }
    Ok(Value::Nil)
}

fn rotate(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (from, to) = (arg(args, 0)?, arg(args, 1)?);
    let Some(item) = take(store, from, false)? else { return Ok(Value::Nil) };
    push(store, &[to, &item], true)?;
    Ok(bulk(item))
}

fn remove(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (key, wanted, item) = (arg(args, 0)?, integer(arg(args, 1)?)?, arg(args, 2)?);
    let most = if wanted == 0 { usize::MAX } else { wanted.unsigned_abs() as usize };
    let removed = store.change_existing(key, |data| {
        let Data::List(list) = data else { return Err(RedisError::wrong_type()) };
        let mut removed = 0_usize;
        let mut keep = |candidate: &Vec<u8>| {
            let hit = removed < most && candidate == item;
            removed += usize::from(hit);
            !hit
        };
        if wanted < 0 {
            let kept: Items = list.drain(..).rev().filter(|c| keep(c)).collect();
            list.extend(kept.into_iter().rev());
        } else {
            list.retain(&mut keep);
        }
        let freed = cost(item).saturating_mul(isize::try_from(removed).unwrap_or(isize::MAX));
        Ok((removed, -freed))
    })?;
    Ok(count(removed))
}

fn trim(store: &mut Store, args: &[&[u8]]) -> Reply {
    store.change_existing(arg(args, 0)?, |data| {
        let Data::List(list) = data else { return Err(RedisError::wrong_type()) };
        let before: isize = list.iter().map(|item| cost(item)).sum();
        let (start, end) = bounds(args, list.len())?;
        list.truncate(end);
        list.drain(..start.min(list.len()));
        let after: isize = list.iter().map(|item| cost(item)).sum();
        Ok(((), after - before))
    })?;
    Ok(Value::Okay)
}
