//! Sorted sets.

use std::ops::Bound;

use deadpool_redis::redis::Value;

use super::data::{
    Data, Ordered, SortedSet, arg, bulk, count, float, integer, print_score, score, span,
};
use super::store::{ITEM_OVERHEAD, Store};
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"ZADD" => add(store, args),
        b"ZINCRBY" => increase(store, args),
        b"ZREM" => remove(store, args),
        b"ZCARD" => read(store, args, |set| Ok(count(set.scores.len()))),
        b"ZSCORE" => read(store, args, |set| {
            Ok(set.scores.get(arg(args, 1)?).map_or(Value::Nil, |number| score(*number)))
        }),
        b"ZCOUNT" => read(store, args, |set| Ok(count(between(set, args)?.len()))),
        b"ZRANGE" => read(store, args, |set| range(set, args)),
        b"ZRANGEBYSCORE" => read(store, args, |set| range_by_score(set, args)),
        b"ZREMRANGEBYSCORE" => remove_between(store, args, |set| between(set, args)),
        b"ZREMRANGEBYRANK" => remove_between(store, args, |set| {
            let (start, end) =
                span(integer(arg(args, 1)?)?, integer(arg(args, 2)?)?, set.order.len());
            let found = set.order.iter().skip(start).take(end - start);
            Ok(found.map(|(number, member)| (number.0, member.clone())).collect())
        }),
        _ => return None,
    })
}

type Scored = Vec<(f64, Vec<u8>)>;

fn read(store: &mut Store, args: &[&[u8]], answer: impl FnOnce(&SortedSet) -> Reply) -> Reply {
    match store.get(arg(args, 0)?) {
        None => answer(&SortedSet::default()),
        Some(Data::Sorted(set)) => answer(set),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn cost(member: &[u8]) -> isize {
    isize::try_from(2 * (member.len() + ITEM_OVERHEAD)).unwrap_or(isize::MAX)
}

fn add(store: &mut Store, args: &[&[u8]]) -> Reply {
    let mut rest = args.get(1..).unwrap_or_default();
    let (mut only_new, mut only_old) = (false, false);
    while let Some((word, tail)) = rest.split_first() {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => only_new = true,
            b"XX" => only_old = true,
            _ => break,
        }
        rest = tail;
    }
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return Err(RedisError::syntax());
    }
    let mut pairs = Vec::new();
    for pair in rest.chunks_exact(2) {
        pairs.push((float(arg(pair, 0)?)?, arg(pair, 1)?));
    }
    let added = store.change(
        arg(args, 0)?,
        || Data::Sorted(SortedSet::default()),
        |data| {
            let Data::Sorted(set) = data else { return Err(RedisError::wrong_type()) };
            let (mut added, mut growth) = (0, 0);
            for (number, member) in pairs {
                let exists = set.scores.contains_key(member);
                if (only_new && exists) || (only_old && !exists) {
                    continue;
                }
                if set.insert(member, number) {
                    added += 1;
                    growth += cost(member);
                }
            }
            Ok((added, growth))
        },
    )?;
    Ok(count(added))
}

fn increase(store: &mut Store, args: &[&[u8]]) -> Reply {
    let (by, member) = (float(arg(args, 1)?)?, arg(args, 2)?);
    let sum = store.change(
        arg(args, 0)?,
        || Data::Sorted(SortedSet::default()),
        |data| {
            let Data::Sorted(set) = data else { return Err(RedisError::wrong_type()) };
            let sum = set.scores.get(member).copied().unwrap_or(0.0) + by;
            if sum.is_nan() {
                return Err(RedisError::Refused(
                    "ERR resulting score is not a number (NaN)".to_owned(),
                ));
            }
            let new = set.insert(member, sum);
            Ok((sum, if new { cost(member) } else { 0 }))
        },
    )?;
    Ok(score(sum))
}

fn remove(store: &mut Store, args: &[&[u8]]) -> Reply {
    let removed = store.change_existing(arg(args, 0)?, |data| {
        let Data::Sorted(set) = data else { return Err(RedisError::wrong_type()) };
        let (mut removed, mut freed) = (0_usize, 0);
        for member in args.get(1..).unwrap_or_default() {
            if set.remove(member) {
                removed += 1;
                freed += cost(member);
            }
        }
        Ok((removed, -freed))
    })?;
    Ok(count(removed))
}

fn remove_between(
    store: &mut Store,
    args: &[&[u8]],
    select: impl FnOnce(&SortedSet) -> Result<Scored, RedisError>,
) -> Reply {
    let removed = store.change_existing(arg(args, 0)?, |data| {
        let Data::Sorted(set) = data else { return Err(RedisError::wrong_type()) };
        let found = select(set)?;
        let freed: isize = found.iter().map(|(_, member)| cost(member)).sum();
        for (_, member) in &found {
            set.remove(member);
        }
        Ok((found.len(), -freed))
    })?;
    Ok(count(removed))
}

fn range(set: &SortedSet, args: &[&[u8]]) -> Reply {
    let (start, end) = span(integer(arg(args, 1)?)?, integer(arg(args, 2)?)?, set.order.len());
    let options = args.get(3..).unwrap_or_default();
    let has = |name: &[u8]| options.iter().any(|word| word.eq_ignore_ascii_case(name));
    let take = end - start;
    let found: Scored = if has(b"REV") {
        set.order.iter().rev().skip(start).take(take).map(owned).collect()
    } else {
        set.order.iter().skip(start).take(take).map(owned).collect()
    };
    Ok(list(found, has(b"WITHSCORES")))
}

fn owned((number, member): &(Ordered, Vec<u8>)) -> (f64, Vec<u8>) {
    (number.0, member.clone())
}

fn range_by_score(set: &SortedSet, args: &[&[u8]]) -> Reply {
    let mut found = between(set, args)?;
    let mut with_scores = false;
    let mut options = args.get(3..).unwrap_or_default().iter();
    while let Some(option) = options.next() {
        match option.to_ascii_uppercase().as_slice() {
            b"WITHSCORES" => with_scores = true,
            b"LIMIT" => {
                let skip = integer(options.next().ok_or_else(RedisError::syntax)?)?;
                let take = integer(options.next().ok_or_else(RedisError::syntax)?)?;
                let take = usize::try_from(take).unwrap_or(usize::MAX);
                found.drain(..usize::try_from(skip).unwrap_or(0).min(found.len()));
                found.truncate(take);
            }
            _ => return Err(RedisError::syntax()),
        }
    }
    Ok(list(found, with_scores))
}

fn list(found: Scored, with_scores: bool) -> Value {
    let mut items = Vec::new();
    for (number, member) in found {
        items.push(bulk(member));
        if with_scores {
            items.push(bulk(print_score(number)));
        }
    }
    Value::Array(items)
}

/// Members with a score between the second and the third argument.
fn between(set: &SortedSet, args: &[&[u8]]) -> Result<Scored, RedisError> {
    let (low, high) = (limit(arg(args, 1)?)?, limit(arg(args, 2)?)?);
    let from = match low {
        Bound::Included(number) | Bound::Excluded(number) => number,
        Bound::Unbounded => f64::NEG_INFINITY,
    };
    let above = |number: f64| match low {
        Bound::Excluded(low) => number > low,
        _ => true,
    };
    let below = |number: f64| match high {
        Bound::Included(high) => number <= high,
        Bound::Excluded(high) => number < high,
        Bound::Unbounded => true,
    };
    let found = set
        .order
        .range((Ordered(from), Vec::new())..)
        .take_while(|(number, _)| below(number.0))
        .filter(|(number, _)| above(number.0));
    Ok(found.map(owned).collect())
}

fn limit(word: &[u8]) -> Result<Bound<f64>, RedisError> {
    match word {
        [b'(', rest @ ..] => Ok(Bound::Excluded(zero(float(rest)?))),
        word => Ok(Bound::Included(zero(float(word)?))),
    }
}

/// Minus zero equals zero in Redis, but not in a total order.
fn zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}
