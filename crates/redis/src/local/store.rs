//! Keys with expiry under a memory bound.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::data::Data;
use super::glob;
use crate::error::RedisError;

/// What a key costs besides its bytes.
const KEY_OVERHEAD: usize = 96;
/// What an element of a container costs besides its bytes.
pub(super) const ITEM_OVERHEAD: usize = 48;

pub(super) struct Store {
    keys: HashMap<Vec<u8>, Entry>,
    expiries: BTreeSet<(Instant, Vec<u8>)>,
    bytes: usize,
    max_bytes: usize,
    /// How far tests moved the clock.
    ahead: Duration,
    /// A list or a stream got longer since the last look.
    pub grown: bool,
    /// The next expiry may be earlier than the timer knows.
    pub expiry_changed: bool,
    pub timer_running: bool,
}

struct Entry {
    data: Data,
    expires: Option<Instant>,
    bytes: usize,
}

impl Store {
    pub fn new(max_bytes: usize) -> Self {
        Self {
            keys: HashMap::new(),
            expiries: BTreeSet::new(),
            bytes: 0,
            max_bytes,
            ahead: Duration::ZERO,
            grown: false,
            expiry_changed: false,
            timer_running: false,
        }
    }

    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    pub fn advance(&mut self, by: Duration) {
        self.ahead += by;
        self.drop_expired();
    }

    /// The value, unless expired.
    pub fn get(&mut self, key: &[u8]) -> Option<&Data> {
        self.drop_if_expired(key);
        self.keys.get(key).map(|entry| &entry.data)
    }

    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// Changes the value of a key, made by `empty` if missing. `change` returns its answer and by how many bytes the
    /// value grew. Nothing is left of an emptied container.
    pub fn change<T>(
        &mut self,
        key: &[u8],
        empty: impl FnOnce() -> Data,
        change: impl FnOnce(&mut Data) -> Result<(T, isize), RedisError>,
    ) -> Result<T, RedisError> {
        self.drop_if_expired(key);
        self.make_room()?;
        let overhead = KEY_OVERHEAD + key.len();
        let entry = self.keys.entry(key.to_vec()).or_insert_with(|| {
            self.bytes += overhead;
            Entry { data: empty(), expires: None, bytes: overhead }
        });
        let answer = change(&mut entry.data);
        let growth = answer.as_ref().map_or(0, |(_, growth)| *growth);
        entry.bytes = entry.bytes.saturating_add_signed(growth);
        self.bytes = self.bytes.saturating_add_signed(growth);
        if entry.data.is_empty() {
            self.remove(key);
        }
        answer.map(|(value, _)| value)
    }

    /// Changes the value of a key if it exists.
    pub fn change_existing<T: Default>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Data) -> Result<(T, isize), RedisError>,
    ) -> Result<T, RedisError> {
        self.drop_if_expired(key);
        let Some(entry) = self.keys.get_mut(key) else { return Ok(T::default()) };
        let (value, growth) = change(&mut entry.data)?;
        entry.bytes = entry.bytes.saturating_add_signed(growth);
        self.bytes = self.bytes.saturating_add_signed(growth);
        if entry.data.is_empty() {
            self.remove(key);
        }
        Ok(value)
    }

    /// Puts a value in place of whatever was there, its expiry included.
    pub fn replace(&mut self, key: &[u8], data: Data, bytes: usize) -> Result<(), RedisError> {
        self.remove(key);
        self.make_room()?;
        let bytes = bytes + KEY_OVERHEAD + key.len();
        self.bytes += bytes;
        self.keys.insert(key.to_vec(), Entry { data, expires: None, bytes });
        Ok(())
    }

    pub fn remove(&mut self, key: &[u8]) -> Option<Data> {
        let entry = self.keys.remove(key)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        if let Some(at) = entry.expires {
            self.expiries.remove(&(at, key.to_vec()));
        }
        Some(entry.data)
    }

    pub fn clear(&mut self) {
        self.keys.clear();
        self.expiries.clear();
        self.bytes = 0;
    }

    /// Sets or removes the expiry; false if there is no such key.
    pub fn expire_at(&mut self, key: &[u8], at: Option<Instant>) -> bool {
        self.drop_if_expired(key);
        let Some(entry) = self.keys.get_mut(key) else { return false };
        if let Some(old) = std::mem::replace(&mut entry.expires, at) {
            self.expiries.remove(&(old, key.to_vec()));
        }
        if let Some(at) = at {
            self.expiries.insert((at, key.to_vec()));
            self.expiry_changed = true;
        }
        self.drop_if_expired(key);
        true
    }

    /// When the key expires; outer `None` if there is no such key.
    pub fn expiry(&mut self, key: &[u8]) -> Option<Option<Instant>> {
        self.drop_if_expired(key);
        self.keys.get(key).map(|entry| entry.expires)
    }

    /// The real time at which the next key is due.
    pub fn next_expiry(&self) -> Option<Instant> {
        let (at, _) = self.expiries.first()?;
        Some(at.checked_sub(self.ahead).unwrap_or(*at))
    }

    pub fn drop_expired(&mut self) {
        let now = self.now();
        while let Some((at, key)) = self.expiries.first().cloned() {
            if at > now {
                return;
            }
            self.remove(&key);
        }
    }

    pub fn scan(&mut self, pattern: &[u8], limit: usize) -> Vec<Vec<u8>> {
        self.drop_expired();
        let matching = self.keys.keys().filter(|key| glob::matches(pattern, key));
        matching.take(limit).cloned().collect()
    }

    fn drop_if_expired(&mut self, key: &[u8]) {
        let now = self.now();
        let due = self.keys.get(key).and_then(|entry| entry.expires).is_some_and(|at| at <= now);
        if due {
            self.remove(key);
        }
    }

    /// Evicts keys with an expiry, nearest first, then refuses: what has none must not vanish.
    fn make_room(&mut self) -> Result<(), RedisError> {
        if self.bytes < self.max_bytes {
            return Ok(());
        }
        self.drop_expired();
        let before = self.keys.len();
        while self.bytes >= self.max_bytes {
            let Some((_, key)) = self.expiries.first().cloned() else {
                let message = "OOM the in-process store is full; configure REDIS_HOST";
                return Err(RedisError::Refused(message.to_owned()));
            };
            self.remove(&key);
        }
        let evicted = before.saturating_sub(self.keys.len());
        if evicted > 0 {
            tracing::warn!(redis.evicted = evicted, "the in-process store is full, dropped keys");
        }
        Ok(())
    }
}
