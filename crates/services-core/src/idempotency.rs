//! `Idempotency-Key`: a client that did not hear the answer asks again and gets the same one.
//!
//! Opt-in. The first request under a key is done; the same request again within a day finds what it led to or what was
//! kept of its answer; another request under the same key is refused. What came to nothing frees its key.

use boxed::boxed;
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{Ctx, Fault};

/// How long an answer is kept for its key.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a request may take until it leads to something. Who claims a key and vanishes blocks it no longer.
const BEGINNING: Duration = Duration::from_secs(60);

/// Longest key, in bytes.
const LONGEST: usize = 255;

/// A key and the request it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    fingerprint: String,
}

/// What is known of a key; `T` is what is kept for it.
#[derive(Debug, PartialEq)]
pub enum Claim<T> {
    /// Nothing: the request is the caller's to do now.
    New,
    /// It led to this, which goes on.
    Running(Begun),
    /// Its answer.
    Done(Box<T>),
    /// It was claimed a moment ago and led to nothing yet.
    Busy,
    /// It stands for another request.
    Other,
}

/// What a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The task.
    pub task: Uuid,
    /// The row: a message, or a run of a workflow.
    pub row: Uuid,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    begun: Option<Begun>,
    kept: Option<Value>,
}

impl Key {
    /// The key a client gave its request; `None` for one that is empty or too long. `scope` says for whom it counts.
    #[must_use]
    pub fn new(scope: &str, key: &str, request: &Value) -> Option<Self> {
        let key = key.trim();
        if key.is_empty() || LONGEST < key.len() {
            return None;
        }
        let digest = crypto::hash::sha256_hex(key.as_bytes());
        Some(Self {
            name: format!("dify_rs:idempotency:{scope}:{digest}"),
            fingerprint: crypto::hash::sha256_hex(request.to_string().as_bytes()),
        })
    }

    fn entry(&self) -> Entry {
        Entry { fingerprint: self.fingerprint.clone(), begun: None, kept: None }
    }
}

/// Claims a key, or says what it stands for.
///
/// # Errors
/// Redis's: without it nobody knows, and doing it twice is what the client wants to avoid.
pub async fn claim<T: DeserializeOwned>(ctx: &Ctx, key: &Key) -> Result<Claim<T>, Fault> {
    if ctx.redis.set_nx_ex(&key.name, text(&key.entry()), BEGINNING).await? {
        return Ok(Claim::New);
    }
    let Some(found) = ctx.redis.get_json::<Entry>(&key.name).await? else { return Ok(Claim::Busy) };
    Ok(match found {
        Entry { fingerprint, .. } if fingerprint != key.fingerprint => Claim::Other,
        Entry { kept: Some(kept), .. } => {
            let kept = serde_json::from_value(kept)
                .map_err(|err| Fault::caused("a kept answer is unreadable", err))?;
            Claim::Done(Box::new(kept))
        }
        Entry { begun: Some(begun), .. } => Claim::Running(begun),
        Entry { .. } => Claim::Busy,
    })
}

/// Notes what a key led to.
#[boxed]
pub async fn begun(ctx: &Ctx, key: &Key, begun: Begun) {
    put(ctx, key, &Entry { begun: Some(begun), ..key.entry() }).await;
}

/// Keeps the answer of a key.
pub async fn done<T: Serialize>(ctx: &Ctx, key: &Key, kept: &T) {
    match serde_json::to_value(kept) {
        Ok(kept) => put(ctx, key, &Entry { kept: Some(kept), ..key.entry() }).await,
        Err(err) => tracing::error!(error = %err, "an answer does not serialise"),
    }
}

/// Frees a key whose request came to nothing.
#[boxed]
pub async fn free(ctx: &Ctx, key: &Key) {
    if let Err(err) = ctx.redis.del(&[&key.name]).await {
        tracing::warn!(error = %err, "an idempotency key stays taken");
    }
}

async fn put(ctx: &Ctx, key: &Key, entry: &Entry) {
    if let Err(err) = ctx.redis.set_ex(&key.name, text(entry), LIFE).await {
        tracing::warn!(error = %err, "an answer is not kept for its idempotency key");
    }
}

fn text(entry: &Entry) -> String {
    serde_json::to_value(entry).map(|value| value.to_string()).unwrap_or_default()
}
