//! The messages of a participant's conversations.

use boxed::boxed;
use db::message_list::{self, MessageRow};
use services_core::Ctx;
use types::{ConversationId, MessageId};

use super::{App, Part, Participant, TalkError};
use crate::shown::{self, Shown};

/// Which messages of a conversation are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The conversation.
    pub conversation: ConversationId,
    /// Those before this one; without, the newest.
    pub before: Option<MessageId>,
    /// How many.
    pub limit: i64,
    /// Newest first, instead of in the order they were asked.
    pub newest_first: bool,
}

/// Messages of the participant's conversation.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoFirstMessage`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    wish: Wish,
) -> Result<Part<Shown>, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    db::conversation_list::find(&mut conn, app.id, who, wish.conversation)
        .await?
        .ok_or(TalkError::NoConversation)?;
    let before = match wish.before {
        None => None,
        Some(id) => {
            let found = message_list::find(&mut conn, app.id, id).await?;
            let found = found.filter(|row| row.conversation_id == wish.conversation);
            Some(found.ok_or(TalkError::NoFirstMessage)?)
        }
    };
    let limit = wish.limit + 1;
    let rows =
        message_list::page(&mut conn, app.id, wish.conversation, before.as_ref(), limit).await?;
    let mut part = Part::of(wish.limit, rows);
    if !wish.newest_first {
        part.data.reverse();
    }
    let data = shown::of(ctx, &mut conn, app, part.data).await?;
    Ok(Part { limit: part.limit, has_more: part.has_more, data })
}

/// The participant's own message.
///
/// # Errors
/// [`TalkError::NoMessage`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: MessageId,
) -> Result<MessageRow, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let found = message_list::find_own(&mut conn, app.id, who, id).await?;
    found.ok_or(TalkError::NoMessage)
}
