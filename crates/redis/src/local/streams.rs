//! Streams. `XREAD` with `BLOCK` answers nil when it would block; [`super::Local::run_blocking`] does the waiting.

use std::time::{SystemTime, UNIX_EPOCH};

use deadpool_redis::redis::Value;

use super::data::{Data, EntryId, Fields, Stream, arg, bulk, count, integer};
use super::store::{ITEM_OVERHEAD, Store};
use crate::error::RedisError;

type Reply = Result<Value, RedisError>;

pub(super) fn run(store: &mut Store, name: &[u8], args: &[&[u8]]) -> Option<Reply> {
    Some(match name {
        b"XADD" => add(store, args),
        b"XLEN" => find(store, arg(args, 0).unwrap_or_default())
            .map(|stream| count(stream.map_or(0, |stream| stream.entries.len()))),
        b"XRANGE" => range(store, args),
        b"XREAD" => read(store, args),
        b"XDEL" => delete(store, args),
        _ => return None,
    })
}

fn find<'a>(store: &'a mut Store, key: &[u8]) -> Result<Option<&'a Stream>, RedisError> {
    match store.get(key) {
        None => Ok(None),
        Some(Data::Stream(stream)) => Ok(Some(stream)),
        Some(_) => Err(RedisError::wrong_type()),
    }
}

fn cost(fields: &Fields) -> isize {
    let bytes: usize = fields.iter().map(|(k, v)| k.len() + v.len() + ITEM_OVERHEAD).sum();
    isize::try_from(bytes + ITEM_OVERHEAD).unwrap_or(isize::MAX)
}

fn add(store: &mut Store, args: &[&[u8]]) -> Reply {
    let key = arg(args, 0)?;
    let mut rest = args.get(1..).unwrap_or_default();
    let mut max = None;
    if let [word, tail @ ..] = rest
        && word.eq_ignore_ascii_case(b"MAXLEN")
    {
        // Exact trimming is within the contract of the approximate one.
        let tail = match tail {
            [b"~" | b"=", tail @ ..] => tail,
            tail => tail,
        };
        max = Some(usize::try_from(integer(arg(tail, 0)?)?).unwrap_or(0));
        rest = tail.get(1..).unwrap_or_default();
    }
    let wanted = arg(rest, 0)?;
    let pairs = rest.get(1..).unwrap_or_default();
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(RedisError::syntax());
    }
    let fields: Fields = pairs
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()?.to_vec(), pair.get(1)?.to_vec())))
        .collect();
    let id = store.change(
        key,
        || Data::Stream(Stream::default()),
        |data| {
            let Data::Stream(stream) = data else { return Err(RedisError::wrong_type()) };
            let id = next_id(wanted, stream.last)?;
            let mut growth = cost(&fields);
            stream.entries.insert(id, fields);
            stream.last = id;
            while max.is_some_and(|max| stream.entries.len() > max) {
                let Some((_, old)) = stream.entries.pop_first() else { break };
                growth -= cost(&old);
            }
            Ok((id, growth))
        },
    )?;
    store.grown = true;
    Ok(bulk(print(id)))
}

fn next_id(wanted: &[u8], last: EntryId) -> Result<EntryId, RedisError> {
    let id = if wanted == b"*" {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        if now > last.0 { (now, 0) } else { (last.0, last.1 + 1) }
    } else {
        parse(wanted, 0)?
    };
    if id <= last {
        let message =
            "ERR The ID specified in XADD is equal or smaller than the target stream top item";
        return Err(RedisError::Refused(message.to_owned()));
    }
    Ok(id)
}

fn print((ms, seq): EntryId) -> String {
    format!("{ms}-{seq}")
}

/// An id; without its second half it means the first or the last of that millisecond.
fn parse(word: &[u8], missing: u64) -> Result<EntryId, RedisError> {
    let text = std::str::from_utf8(word).unwrap_or_default();
    let (ms, seq) = match text.split_once('-') {
        Some((ms, seq)) => (ms.parse(), seq.parse()),
        None => (text.parse(), Ok(missing)),
    };
    match (ms, seq) {
        (Ok(ms), Ok(seq)) => Ok((ms, seq)),
        _ => Err(RedisError::Refused(
            "ERR Invalid stream ID specified as stream command argument".to_owned(),
        )),
    }
}

fn entry(id: EntryId, fields: &Fields) -> Value {
    let words = fields.iter().flat_map(|(k, v)| [bulk(k.clone()), bulk(v.clone())]).collect();
    Value::Array(vec![bulk(print(id)), Value::Array(words)])
}

fn range(store: &mut Store, args: &[&[u8]]) -> Reply {
    let from = match arg(args, 1)? {
        b"-" => (0, 0),
        word => parse(word, 0)?,
    };
    let to = match arg(args, 2)? {
        b"+" => (u64::MAX, u64::MAX),
        word => parse(word, u64::MAX)?,
    };
    let most = match args.get(3..) {
        Some([word, most, ..]) if word.eq_ignore_ascii_case(b"COUNT") => {
            usize::try_from(integer(most)?).unwrap_or(0)
        }
        _ => usize::MAX,
    };
    let Some(stream) = find(store, arg(args, 0)?)? else { return Ok(Value::Array(Vec::new())) };
    if from > to {
        return Ok(Value::Array(Vec::new()));
    }
    let found = stream.entries.range(from..=to).take(most);
    Ok(Value::Array(found.map(|(id, fields)| entry(*id, fields)).collect()))
}

fn read(store: &mut Store, args: &[&[u8]]) -> Reply {
    let mut most = usize::MAX;
    let mut rest = args;
    loop {
        match rest {
            [word, value, tail @ ..] if word.eq_ignore_ascii_case(b"COUNT") => {
                most = usize::try_from(integer(value)?).unwrap_or(0);
                rest = tail;
            }
            [word, _, tail @ ..] if word.eq_ignore_ascii_case(b"BLOCK") => rest = tail,
            [word, tail @ ..] if word.eq_ignore_ascii_case(b"STREAMS") => {
                rest = tail;
                break;
            }
            _ => return Err(RedisError::syntax()),
        }
    }
    if !rest.len().is_multiple_of(2) {
        return Err(RedisError::syntax());
    }
    let (keys, ids) = rest.split_at(rest.len() / 2);
    let mut answer = Vec::new();
    for (key, id) in keys.iter().zip(ids) {
        let after = parse(id, 0)?;
        let Some(stream) = find(store, key)? else { continue };
        let newer =
            stream.entries.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        let found: Vec<Value> = newer.take(most).map(|(id, f)| entry(*id, f)).collect();
        if !found.is_empty() {
            answer.push(Value::Array(vec![bulk(*key), Value::Array(found)]));
        }
    }
    Ok(if answer.is_empty() { Value::Nil } else { Value::Array(answer) })
}

fn delete(store: &mut Store, args: &[&[u8]]) -> Reply {
    let mut ids = Vec::new();
    for word in args.get(1..).unwrap_or_default() {
        ids.push(parse(word, 0)?);
    }
    let removed = store.change_existing(arg(args, 0)?, |data| {
        let Data::Stream(stream) = data else { return Err(RedisError::wrong_type()) };
        let gone: Vec<Fields> = ids.iter().filter_map(|id| stream.entries.remove(id)).collect();
        let freed: isize = gone.iter().map(cost).sum();
        Ok((gone.len(), -freed))
    })?;
    Ok(count(removed))
}
