//! What is kept of a question's answer for its `Idempotency-Key`: see [`services_core::idempotency`].

use app_engine::{basic::Mode, wire::Prefix};
use boxed::boxed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use services_core::{Ctx, Fault, idempotency};
use types::{ConversationId, MessageId};
use uuid::Uuid;

pub use services_core::idempotency::{Begun, Key, free};

use crate::generate::{Answered, Ask};

/// What is known of a question's key.
pub type Claim = idempotency::Claim<Kept>;

/// What is kept of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one a request, and for a moment only")]
pub enum Kept {
    /// The whole of it.
    Answer(Answer),
    /// That the question was accepted, in these words.
    Accepted(Value),
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
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

impl Answer {
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

/// What has to be the same in a question that is asked again. `waits` says whether the client waits for the answer.
#[must_use]
pub fn question(ask: &Ask, waits: bool) -> Value {
    json!([
        ask.invoke_from.as_str(),
        ask.inputs,
        ask.query,
        ask.files,
        ask.conversation,
        ask.parent,
        ask.stream,
        waits,
        ask.debug_config,
        ask.version,
        ask.webhook.as_ref().map(|hook| &hook.url),
    ])
}

/// Claims the key of a question, or says what it stands for. A run that ended without an answer, because its process
/// died, frees the key.
///
/// # Errors
/// Redis's and the database's: without them nobody knows.
#[boxed]
pub async fn claim(ctx: &Ctx, key: &Key) -> Result<Claim, Fault> {
    let found = idempotency::claim(ctx, key).await?;
    let Claim::Running(begun) = found else { return Ok(found) };
    let mut conn = ctx.db.acquire().await?;
    let failed = db::message::has_failed(&mut conn, MessageId(begun.row)).await?;
    drop(conn);
    if !failed {
        return Ok(found);
    }
    free(ctx, key).await;
    idempotency::claim(ctx, key).await
}

/// Notes the run of a key.
#[boxed]
pub async fn begun(ctx: &Ctx, key: &Key, task: Uuid, message: MessageId) {
    idempotency::begun(ctx, key, Begun { task, row: message.0 }).await;
}

/// Keeps the answer of a key.
#[boxed]
pub async fn answered(
    ctx: &Ctx,
    key: &Key,
    task: Uuid,
    row: &db::message::Begun,
    mode: Mode,
    answered: Answered,
) {
    let answer = Answer {
        task,
        message: row.id,
        conversation: row.conversation_id,
        is_chat: mode != Mode::Completion,
        mode: mode.as_str().to_owned(),
        created_at: row.created_at.and_utc().timestamp(),
        answered,
    };
    idempotency::done(ctx, key, &Kept::Answer(answer)).await;
}

/// Keeps the words a question of a key was accepted with.
#[boxed]
pub async fn accepted(ctx: &Ctx, key: &Key, words: Value) {
    idempotency::done(ctx, key, &Kept::Accepted(words)).await;
}
