//! The requests received, newest last.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use http::HeaderMap;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// A remembered request and what became of it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub seq: u64,
    pub path: String,
    pub body: Arc<Value>,
    time: f64,
    method: String,
    headers: HeaderMap,
    pub status: AtomicU16,
    pub stream: AtomicBool,
    pub events_sent: AtomicUsize,
    pub aborted: AtomicBool,
    pub client_disconnected: AtomicBool,
}

impl Entry {
    /// As `/__log` shows it.
    pub fn json(&self) -> Value {
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), value.to_str().unwrap_or_default().into())
            })
            .collect();
        let mut out = json!({
            "seq": self.seq, "time": self.time, "method": self.method, "path": self.path, "headers": headers,
            "body": *self.body, "status": self.status.load(Relaxed),
        });
        if let Some(out) = out.as_object_mut() {
            if self.stream.load(Relaxed) {
                out.insert("stream".into(), true.into());
                out.insert("events_sent".into(), self.events_sent.load(Relaxed).into());
            }
            for (name, flag) in
                [("aborted", &self.aborted), ("client_disconnected", &self.client_disconnected)]
            {
                if flag.load(Relaxed) {
                    out.insert(name.into(), true.into());
                }
            }
        }
        out
    }
}

#[derive(Debug, Default)]
struct Inner {
    seq: u64,
    by_path: IndexMap<String, u64>,
    entries: VecDeque<Arc<Entry>>,
}

/// The log.
#[derive(Debug)]
pub(crate) struct Log {
    size: usize,
    inner: Mutex<Inner>,
}

impl Log {
    pub fn new(size: usize) -> Self {
        Self { size, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        body: Arc<Value>,
    ) -> Arc<Entry> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut inner = self.inner();
        inner.seq += 1;
        match inner.by_path.get_mut(path) {
            Some(count) => *count += 1,
            None => {
                inner.by_path.insert(path.to_owned(), 1);
            }
        }
        let entry = Arc::new(Entry {
            seq: inner.seq,
            path: path.to_owned(),
            body,
            time,
            method: method.to_owned(),
            headers: headers.clone(),
            status: AtomicU16::new(200),
            stream: AtomicBool::default(),
            events_sent: AtomicUsize::default(),
            aborted: AtomicBool::default(),
            client_disconnected: AtomicBool::default(),
        });
        if self.size != 0 {
            if inner.entries.len() == self.size {
                inner.entries.pop_front();
            }
            inner.entries.push_back(Arc::clone(&entry));
        }
        entry
    }

    /// How many were received, and the remembered ones.
    pub fn entries(&self) -> (u64, Vec<Arc<Entry>>) {
        let inner = self.inner();
        (inner.seq, inner.entries.iter().cloned().collect())
    }

    /// How many were received, in all and by path.
    pub fn counts(&self) -> (u64, IndexMap<String, u64>) {
        let inner = self.inner();
        (inner.seq, inner.by_path.clone())
    }

    pub fn reset(&self) {
        *self.inner() = Inner::default();
    }
}
