//! `Idempotency-Key`: a client that did not hear the answer asks again and gets the same one.
//!
//! Opt-in. The first question under a key is asked; the same question again within a day joins its run or gets what was
//! kept of it; another question under the same key is refused. A run that failed frees its key.

use std::time::Duration;

use app_engine::{basic::Mode, wire::Prefix};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use services_core::{Ctx, Fault};
use types::{ConversationId, MessageId};
use uuid::Uuid;

use crate::generate::{Answered, Ask};

/// How long an answer is kept for its key.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long a question may take until its run begins. Who claims a key and vanishes blocks it no longer.
const BEGINNING: Duration = Duration::from_secs(60);

/// How much longer than a run may take its key is kept for it. A server that dies blocks it no longer.
const RUNNING: Duration = Duration::from_secs(60);

/// Longest key, in bytes.
const LONGEST: usize = 255;

/// A key and the question it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    fingerprint: String,
}

/// What is known of a key.
#[derive(Debug)]
pub enum Claim {
    /// Nothing: the question is the caller's to ask now.
    New,
    /// Its run goes on.
    Running(Uuid),
    /// Its answer.
    Done(Box<Kept>),
    /// It was claimed a moment ago and has no run yet.
    Busy,
    /// It stands for another question.
    Other,
}

/// An answer that is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The task.
    pub task: Uuid,
    /// The message.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Whether it is a chat.
    pub is_chat: bool,
    /// The app's mode.
    pub mode: String,
    /// Unix seconds.
    pub created_at: i64,
    /// The answer.
    pub answered: Answered,
}

impl Kept {
    /// What every event of the run begins with.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        let (message_id, created_at) = (self.message.to_string(), self.created_at);
        if self.is_chat {
            let conversation_id = self.conversation.to_string();
            return Prefix::Chat { conversation_id, message_id, created_at };
        }
        Prefix::Completion { message_id, created_at }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    task: Option<Uuid>,
    kept: Option<Kept>,
}

impl Key {
    /// The key a client gave its question; `None` for one that is empty or too long.
    #[must_use]
    pub fn new(ask: &Ask, key: &str) -> Option<Self> {
        let key = key.trim();
        if key.is_empty() || LONGEST < key.len() {
            return None;
        }
        let question = json!([
            ask.invoke_from.as_str(),
            ask.inputs,
            ask.query,
            ask.files,
            ask.conversation,
            ask.parent,
            ask.stream,
            ask.debug_config,
            ask.version
        ]);
        let digest = crypto::hash::sha256_hex(key.as_bytes());
        Some(Self {
            name: format!("dify_rs:idempotency:{}:{}:{digest}", ask.app.id, ask.caller.id()),
            fingerprint: crypto::hash::sha256_hex(question.to_string().as_bytes()),
        })
    }
}

/// Claims a key, or says what it stands for.
///
/// # Errors
/// Redis's: without it nobody knows, and asking twice is what the client wants to avoid.
pub async fn claim(ctx: &Ctx, key: &Key) -> Result<Claim, Fault> {
    let entry = Entry { fingerprint: key.fingerprint.clone(), task: None, kept: None };
    if ctx.redis.set_nx_ex(&key.name, text(&entry), BEGINNING).await? {
        return Ok(Claim::New);
    }
    let Some(found) = ctx.redis.get_json::<Entry>(&key.name).await? else { return Ok(Claim::Busy) };
    Ok(match found {
        Entry { fingerprint, .. } if fingerprint != key.fingerprint => Claim::Other,
        Entry { kept: Some(kept), .. } => Claim::Done(Box::new(kept)),
        Entry { task: Some(task), .. } => Claim::Running(task),
        Entry { .. } => Claim::Busy,
    })
}

/// Notes the run of a key.
pub async fn begun(ctx: &Ctx, key: &Key, task: Uuid) {
    let longest = u64::try_from(ctx.config.feature.app_max_execution_time).unwrap_or(1200);
    let entry = Entry { fingerprint: key.fingerprint.clone(), task: Some(task), kept: None };
    put(ctx, key, &entry, Duration::from_secs(longest) + RUNNING).await;
}

/// Keeps the answer of a key.
pub async fn done(ctx: &Ctx, key: &Key, kept: Kept) {
    let entry =
        Entry { fingerprint: key.fingerprint.clone(), task: Some(kept.task), kept: Some(kept) };
    put(ctx, key, &entry, LIFE).await;
}

/// Frees a key whose question came to nothing.
pub async fn free(ctx: &Ctx, key: &Key) {
    if let Err(err) = ctx.redis.del(&[&key.name]).await {
        tracing::warn!(error = %err, "an idempotency key stays taken");
    }
}

async fn put(ctx: &Ctx, key: &Key, entry: &Entry, life: Duration) {
    if let Err(err) = ctx.redis.set_ex(&key.name, text(entry), life).await {
        tracing::warn!(error = %err, "an answer is not kept for its idempotency key");
    }
}

fn text(entry: &Entry) -> String {
    serde_json::to_value(entry).map(|value: Value| value.to_string()).unwrap_or_default()
}

/// The kept form of an answer.
pub fn kept(task: Uuid, row: &db::message::Begun, mode: Mode, answered: Answered) -> Kept {
    Kept {
        task,
        message: row.id,
        conversation: row.conversation_id,
        is_chat: mode != Mode::Completion,
        mode: mode.as_str().to_owned(),
        created_at: row.created_at.and_utc().timestamp(),
        answered,
    }
}
