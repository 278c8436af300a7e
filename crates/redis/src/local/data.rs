//! Values of the in-process store, and helpers to read arguments and write replies.

use std::collections::{BTreeSet, HashMap, VecDeque};

use deadpool_redis::redis::Value;
use indexmap::{IndexMap, IndexSet};

use crate::error::RedisError;

/// What a key holds.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Text(Vec<u8>),
    Hash(IndexMap<Vec<u8>, Vec<u8>>),
    List(VecDeque<Vec<u8>>),
    Set(IndexSet<Vec<u8>>),
    Sorted(SortedSet),
}

impl Data {
    /// Empty containers do not exist.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Hash(hash) => hash.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Sorted(sorted) => sorted.scores.is_empty(),
        }
    }

    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Sorted(_) => "zset",
        }
    }
}

/// A score that can be ordered; never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ordered(pub f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Members by score, then by bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct SortedSet {
    pub scores: HashMap<Vec<u8>, f64>,
    pub order: BTreeSet<(Ordered, Vec<u8>)>,
}

impl SortedSet {
    /// True when the member is new.
    pub fn insert(&mut self, member: &[u8], score: f64) -> bool {
        // Minus zero would sort before zero, which Redis does not do.
        let score = if score == 0.0 { 0.0 } else { score };
        let old = self.scores.insert(member.to_vec(), score);
        if let Some(old) = old {
            self.order.remove(&(Ordered(old), member.to_vec()));
        }
        self.order.insert((Ordered(score), member.to_vec()));
        old.is_none()
    }

    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.scores.remove(member) {
            Some(score) => self.order.remove(&(Ordered(score), member.to_vec())),
            None => false,
        }
    }
}

/// The argument at `index`.
pub(super) fn arg<'a>(args: &[&'a [u8]], index: usize) -> Result<&'a [u8], RedisError> {
    args.get(index)
        .copied()
        .ok_or_else(|| RedisError::Refused("ERR wrong number of arguments".to_owned()))
}

pub(super) fn integer(word: &[u8]) -> Result<i64, RedisError> {
    std::str::from_utf8(word).ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        RedisError::Refused("ERR value is not an integer or out of range".to_owned())
    })
}

pub(super) fn float(word: &[u8]) -> Result<f64, RedisError> {
    let text = std::str::from_utf8(word).unwrap_or_default();
    let number = match text.to_ascii_lowercase().as_str() {
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        other => other.parse().ok().filter(|number: &f64| !number.is_nan()),
    };
    number.ok_or_else(|| RedisError::Refused("ERR value is not a valid float".to_owned()))
}

/// A list index, negative from the end, as an offset that may lie outside.
pub(super) fn offset(index: i64, len: usize) -> i64 {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    if index < 0 { index.saturating_add(len) } else { index }
}

/// `start..end` (exclusive) for an inclusive range of indexes.
pub(super) fn span(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let start = usize::try_from(offset(start, len)).unwrap_or(0);
    let end = usize::try_from(offset(stop, len).saturating_add(1)).unwrap_or(0).min(len);
    (start.min(end), end)
}

pub(super) fn bulk(bytes: impl Into<Vec<u8>>) -> Value {
    Value::BulkString(bytes.into())
}

pub(super) fn bulk_or_nil(bytes: Option<&Vec<u8>>) -> Value {
    bytes.map_or(Value::Nil, |bytes| bulk(bytes.clone()))
}

pub(super) fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

pub(super) fn flag(yes: bool) -> Value {
    Value::Int(i64::from(yes))
}

/// A score as Redis prints it.
pub(super) fn score(number: f64) -> Value {
    bulk(print_score(number))
}

pub(super) fn print_score(number: f64) -> String {
    if number == f64::INFINITY {
        "inf".to_owned()
    } else if number == f64::NEG_INFINITY {
        "-inf".to_owned()
    } else {
        number.to_string()
    }
}
