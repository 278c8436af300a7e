//! Which earlier messages a question belongs to.

use graph::file::File;
use model_runtime::{ContentPart, ImageDetail, PromptMessage};
use types::{MessageId, TenantId};
use uuid::Uuid;

use super::agent::PastThought;
use crate::{event::RunError, ports::FileStore};

/// Most messages of a conversation that are looked at.
pub const MOST: usize = 500;

/// An earlier message.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// The message.
    pub id: Uuid,
    /// The message it follows; nil: whichever was before, none: it begins a thread.
    pub parent: Option<Uuid>,
    /// The question.
    pub query: String,
    /// The answer.
    pub answer: String,
    /// Whether it is being answered at this moment: it has nothing to tell yet.
    pub running: bool,
    /// Files of the question.
    pub user_files: Vec<File>,
    /// Files of the answer.
    pub assistant_files: Vec<File>,
    /// What an agent thought on the way to the answer.
    pub thoughts: Vec<PastThought>,
}

/// The turns that lead to a new message with parent `parent`, oldest first. `turns` comes newest first.
///
/// Clients that regenerate answers make a conversation a tree; the parents of a message are its thread. The service
/// API knows no parents: its messages follow whichever came before.
#[must_use]
pub fn thread(parent: Option<MessageId>, turns: Vec<Turn>) -> Vec<Turn> {
    let Some(mut wanted) = parent.map(|parent| parent.0) else { return Vec::new() };
    let mut thread = Vec::new();
    for turn in turns {
        // A message that begins a thread ends the walk, whoever's thread it is.
        let begins = turn.parent.is_none();
        if !begins && wanted != turn.id && !wanted.is_nil() {
            continue;
        }
        let next = turn.parent;
        // One that is still being answered would be an empty answer in the prompt, which some providers refuse.
        if !turn.running {
            thread.push(turn);
        }
        match next {
            Some(parent) if !begins => wanted = parent,
            _ => break,
        }
    }
    thread.reverse();
    thread
}

/// Turns as messages, pictures and documents included.
///
/// # Errors
/// When a file cannot be handed out.
pub async fn messages(
    tenant: TenantId,
    files: &dyn FileStore,
    turns: Vec<Turn>,
    detail: ImageDetail,
) -> Result<Vec<PromptMessage>, RunError> {
    let mut messages = Vec::with_capacity(turns.len() * 2);
    for turn in turns {
        messages.push(if turn.user_files.is_empty() {
            PromptMessage::user(turn.query)
        } else {
            let parts = with_text(tenant, files, &turn.user_files, turn.query, detail).await?;
            PromptMessage::user(parts)
        });
        messages.push(if turn.assistant_files.is_empty() {
            PromptMessage::assistant(turn.answer, Vec::new())
        } else {
            let parts =
                with_text(tenant, files, &turn.assistant_files, turn.answer, detail).await?;
            PromptMessage::assistant(parts, Vec::new())
        });
    }
    Ok(messages)
}

/// Files as parts of a prompt.
pub(super) async fn parts<'f>(
    tenant: TenantId,
    store: &dyn FileStore,
    files: impl Iterator<Item = &'f File>,
    detail: ImageDetail,
) -> Result<Vec<ContentPart>, RunError> {
    let mut parts = Vec::with_capacity(files.size_hint().0);
    for file in files {
        parts.push(store.part(tenant, file, detail).await?);
    }
    Ok(parts)
}

/// Files, then a text.
pub(super) async fn with_text(
    tenant: TenantId,
    store: &dyn FileStore,
    files: &[File],
    text: String,
    detail: ImageDetail,
) -> Result<Vec<ContentPart>, RunError> {
    let mut parts = parts(tenant, store, files.iter(), detail).await?;
    parts.push(ContentPart::text(text));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(id: u128, parent: Option<u128>) -> Turn {
        Turn {
            id: Uuid::from_u128(id),
            parent: parent.map(Uuid::from_u128),
            query: id.to_string(),
            ..Turn::default()
        }
    }

    fn thread_of(parent: Option<u128>, newest_first: Vec<Turn>) -> Vec<String> {
        let parent = parent.map(|parent| MessageId(Uuid::from_u128(parent)));
        thread(parent, newest_first).into_iter().map(|turn| turn.query).collect()
    }

    #[test]
    fn the_service_api_follows_whatever_came_before() {
        let turns = vec![turn(3, Some(0)), turn(2, Some(0)), turn(1, Some(0))];
        assert_eq!(thread_of(Some(0), turns), ["1", "2", "3"]);
    }

    #[test]
    fn a_regenerated_answer_is_its_own_branch() {
        let turns = vec![turn(4, Some(2)), turn(3, Some(1)), turn(2, Some(1)), turn(1, None)];
        assert_eq!(thread_of(Some(2), turns.clone()), ["1", "2"]);
        assert_eq!(thread_of(Some(3), turns.clone()), ["1", "3"]);
        assert!(thread_of(None, turns.clone()).is_empty());
        assert_eq!(thread_of(Some(99), turns), ["1"]);
    }

    #[test]
    fn a_message_that_is_being_answered_is_left_out() {
        let running = Turn { running: true, ..turn(2, Some(0)) };
        assert_eq!(
            thread_of(Some(0), vec![turn(3, Some(0)), running, turn(1, Some(0))]),
            ["1", "3"]
        );
    }
}
