//! Messages with all that hangs on them, links signed anew.

use boxed::boxed;
use std::collections::HashMap;

use db::{
    PgConnection,
    app::App,
    message_list::{self, FeedbackRow, MessageRow, NoteRow},
};
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};
use types::MessageId;
use uuid::Uuid;

mod file;
mod form;
mod link;

pub use file::ShownFile;
pub use link::sign_again;

/// A message and all that hangs on it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The message; links in its answer were signed anew.
    pub row: MessageRow,
    /// What was sent with it, and what the answer brought.
    pub files: Vec<ShownFile>,
    /// What an agent did on the way.
    pub thoughts: Vec<Thought>,
    /// What was thought of the answer.
    pub feedbacks: Vec<FeedbackRow>,
    /// The annotation made of it.
    pub annotation: Option<NoteRow>,
    /// The annotation that answered it.
    pub annotation_hit: Option<NoteRow>,
    /// Usage, sources, annotation reply.
    pub metadata: Map<String, Value>,
    /// Forms a run waits for, or waited for.
    pub extra: Vec<Value>,
}

impl Shown {
    /// What those who talk think of the answer.
    #[must_use]
    pub fn user_rating(&self) -> Option<&str> {
        self.rating("user")
    }

    fn rating(&self, source: &str) -> Option<&str> {
        let found = self.feedbacks.iter().find(|feedback| feedback.from_source == source);
        found.map(|feedback| feedback.rating.as_str())
    }

    /// The sources of the answer.
    #[must_use]
    pub fn sources(&self) -> &[Value] {
        self.metadata
            .get("retriever_resources")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// One thing an agent did.
#[derive(Debug, Clone)]
pub struct Thought {
    /// The row.
    pub id: Uuid,
    /// The message.
    pub message_id: MessageId,
    /// Its place, from 1.
    pub position: i32,
    /// What the model said.
    pub thought: Option<String>,
    /// Names of tools, joined by `;`.
    pub tool: Option<String>,
    /// By name of tool: names for people.
    pub tool_labels: Value,
    /// JSON by name of tool.
    pub tool_input: Option<String>,
    /// JSON by name of tool.
    pub observation: Option<String>,
    /// Ids of message files.
    pub files: Vec<String>,
    /// Unix seconds.
    pub created_at: i64,
}

/// Messages of `app` with all that hangs on them, in their order. Seven statements however many messages.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of(
    ctx: &Ctx,
    conn: &mut PgConnection,
    app: &App,
    rows: Vec<MessageRow>,
) -> Result<Vec<Shown>, Fault> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let mut thoughts: HashMap<MessageId, Vec<Thought>> = HashMap::new();
    for row in message_list::thoughts(conn, &ids).await? {
        thoughts.entry(row.message_id).or_default().push(thought(row));
    }
    let mut files: HashMap<MessageId, Vec<ShownFile>> = HashMap::new();
    for row in message_list::files(conn, app.tenant_id, &ids).await? {
        files.entry(row.message_id).or_default().push(file::of(ctx, row));
    }
    let mut feedbacks: HashMap<MessageId, Vec<FeedbackRow>> = HashMap::new();
    for row in message_list::feedbacks(conn, app.id, &ids).await? {
        feedbacks.entry(row.message_id).or_default().push(row);
    }
    let mut notes = by_message(message_list::annotations(conn, app.id, &ids).await?);
    let mut hits = by_message(message_list::annotation_hits(conn, app.id, &ids).await?);
    let mut extra = form::of(conn, app.id, &ids).await?;
    let shown = rows.into_iter().map(|mut row| {
        let id = row.id;
        row.answer = sign_again(ctx, &row.answer);
        row.inputs = file::sign_inputs(ctx, row.inputs);
        let metadata = row.message_metadata.as_deref().map(serde_json::from_str);
        Shown {
            metadata: metadata.and_then(Result::ok).unwrap_or_default(),
            files: files.remove(&id).unwrap_or_default(),
            thoughts: thoughts.remove(&id).unwrap_or_default(),
            feedbacks: feedbacks.remove(&id).unwrap_or_default(),
            annotation: notes.remove(&id),
            annotation_hit: hits.remove(&id),
            extra: extra.remove(&id).unwrap_or_default(),
            row,
        }
    });
    Ok(shown.collect())
}

fn by_message(rows: Vec<NoteRow>) -> HashMap<MessageId, NoteRow> {
    rows.into_iter().map(|row| (row.message_id, row)).collect()
}

fn thought(row: message_list::ThoughtRow) -> Thought {
    let files = row.message_files.as_deref().map(serde_json::from_str::<Vec<String>>);
    Thought {
        id: row.id,
        message_id: row.message_id,
        position: row.position,
        thought: row.thought,
        tool: row.tool,
        tool_labels: serde_json::from_str(&row.tool_labels_str)
            .unwrap_or_else(|_| Value::Object(Map::new())),
        tool_input: row.tool_input,
        observation: row.observation,
        files: files.and_then(Result::ok).unwrap_or_default(),
        created_at: row.created_at.and_utc().timestamp(),
    }
}
