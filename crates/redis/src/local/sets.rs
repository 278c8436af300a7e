//! Sets.

use deadpool_redis::redis::Value;
use indexmap::IndexSet;

use super::data::{Data, arg, bulk, count, flag};
use super::store::{ITEM_OVERHEAD, Store};
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;
type Members = IndexSet<Vec<u8>>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"SADD" => add(store, args),
        b"SREM" => remove(store, args),
        b"SPOP" => pop(store, args),
        b"SCARD" => read(store, args, |set| Ok(count(set.len()))),
        b"SISMEMBER" => read(store, args, |set| Ok(flag(set.contains(arg(args, 1)?)))),
        b"SMEMBERS" => read(store, args, |set| {
            Ok(Value::Array(set.iter().map(|member| bulk(member.clone())).collect()))
        }),
        _ => return None,
    })
}

fn read(store: &mut Store, args: &[&[u8]], answer: impl FnOnce(&Members) -> Reply) -> Reply {
    match store.get(arg(args, 0)?) {
        None => answer(&Members::new()),
        Some(Data::Set(set)) => answer(set),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn cost(member: &[u8]) -> isize {
    isize::try_from(member.len() + ITEM_OVERHEAD).unwrap_or(isize::MAX)
}

fn add(store: &mut Store, args: &[&[u8]]) -> Reply {
    let added = store.change(
        arg(args, 0)?,
        || Data::Set(Members::new()),
        |data| {
            let Data::Set(set) = data else { return Err(RedisError::wrong_type()) };
            let (mut added, mut growth) = (0, 0);
            for member in args.get(1..).unwrap_or_default() {
                if set.insert(member.to_vec()) {
                    added += 1;
                    growth += cost(member);
                }
            }
            Ok((added, growth))
        },
    )?;
    Ok(count(added))
}

fn remove(store: &mut Store, args: &[&[u8]]) -> Reply {
    let removed = store.change_existing(arg(args, 0)?, |data| {
        let Data::Set(set) = data else { return Err(RedisError::wrong_type()) };
        let (mut removed, mut freed) = (0_usize, 0);
        for member in args.get(1..).unwrap_or_default() {
            if set.swap_remove(*member) {
                removed += 1;
                freed += cost(member);
            }
        }
        Ok((removed, -freed))
    })?;
    Ok(count(removed))
}

fn pop(store: &mut Store, args: &[&[u8]]) -> Reply {
    let member = store.change_existing(arg(args, 0)?, |data| {
        let Data::Set(set) = data else { return Err(RedisError::wrong_type()) };
        let member = set.pop();
        let freed = member.as_ref().map_or(0, |member| cost(member));
        Ok((member, -freed))
    })?;
    Ok(member.map_or(Value::Nil, bulk))
}
