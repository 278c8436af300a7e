//! A participant's own conversations.

use boxed::boxed;
use db::conversation_list::{ConversationRow, Filter, Participant, Sort};
use jobs::{Job, tasks};
use services_core::{Ctx, Fault};
use types::ConversationId;
use uuid::Uuid;

use super::{App, Part, TalkError};

/// Which part of the list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Conversations begun through `service-api`, `web-app` or `explore`.
    pub invoke_from: &'a str,
    /// Only pinned ones, or only others.
    pub pinned: Option<bool>,
    /// The order.
    pub sort: Sort,
    /// What follows this conversation.
    pub after: Option<ConversationId>,
    /// How many.
    pub limit: i64,
}

/// A participant's conversations.
///
/// # Errors
/// [`TalkError::NoLastConversation`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    wish: Wish<'_>,
) -> Result<Part<ConversationRow>, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let pinned: Vec<Uuid> = if wish.pinned.is_some() {
        let pinned = db::pinned_conversation::list(&mut conn, who.keeper(app.id)).await?;
        pinned.into_iter().map(|id| id.0).collect()
    } else {
        Vec::new()
    };
    let filter = Filter {
        invoke_from: wish.invoke_from,
        only: (wish.pinned == Some(true)).then_some(&pinned),
        without: (wish.pinned == Some(false)).then_some(&pinned),
        sort: wish.sort,
    };
    let after = match wish.after {
        None => None,
        Some(id) => {
            let found =
                db::conversation_list::find_in_list(&mut conn, app.id, who, filter, id).await?;
            Some(found.ok_or(TalkError::NoLastConversation)?)
        }
    };
    let limit = wish.limit + 1;
    let rows =
        db::conversation_list::list(&mut conn, app.id, who, filter, after.as_ref(), limit).await?;
    Ok(Part::of(wish.limit, rows))
}

/// The participant's conversation.
///
/// # Errors
/// [`TalkError::NoConversation`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: ConversationId,
) -> Result<ConversationRow, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let found = db::conversation_list::find(&mut conn, app.id, who, id).await?;
    found.ok_or(TalkError::NoConversation)
}

/// Gives the participant's conversation another title.
///
/// # Errors
/// [`TalkError::NoConversation`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn rename(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: ConversationId,
    name: &str,
) -> Result<ConversationRow, TalkError> {
    let mut tx = ctx.db.begin().await?;
    db::conversation_list::find(&mut tx, app.id, who, id)
        .await?
        .ok_or(TalkError::NoConversation)?;
    let now = ctx.now_naive();
    // The column holds 255 characters; the reference fails on more.
    let name: String = name.chars().take(255).collect();
    let renamed = db::conversation_list::rename(&mut tx, app.id, id, &name, now).await?;
    tx.commit().await?;
    renamed.ok_or(TalkError::NoConversation)
}

/// The question the participant's conversation began with, from which a title can be found.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoMessage`].
#[boxed]
pub async fn first_query(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: ConversationId,
) -> Result<String, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    db::conversation_list::find(&mut conn, app.id, who, id)
        .await?
        .ok_or(TalkError::NoConversation)?;
    let query = db::conversation_list::first_query(&mut conn, app.id, id).await?;
    query.ok_or(TalkError::NoMessage)
}

/// Pins the participant's conversation, or unpins it.
///
/// # Errors
/// [`TalkError::NoConversation`] when pinning what is not there.
#[boxed]
pub async fn set_pinned(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: ConversationId,
    pinned: bool,
) -> Result<(), TalkError> {
    let mut tx = ctx.db.begin().await?;
    let keeper = who.keeper(app.id);
    if pinned {
        db::conversation_list::find(&mut tx, app.id, who, id)
            .await?
            .ok_or(TalkError::NoConversation)?;
        db::pinned_conversation::insert(&mut tx, keeper, id).await?;
    } else {
        db::pinned_conversation::delete(&mut tx, keeper, id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Deletes the participant's conversation; its messages follow by a job.
///
/// # Errors
/// [`TalkError::NoConversation`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn delete(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: ConversationId,
) -> Result<(), TalkError> {
    let mut tx = ctx.db.begin().await?;
    db::conversation_list::find(&mut tx, app.id, who, id)
        .await?
        .ok_or(TalkError::NoConversation)?;
    db::conversation_list::delete(&mut tx, app.id, id).await?;
    tx.commit().await?;
    let job = Job::new(tasks::DELETE_CONVERSATION_RELATED_DATA).set("conversation_id", id);
    if let Err(err) = ctx.jobs.enqueue(job).await {
        // The conversation is gone for everybody who talks; what is left of it needs nobody's attention now.
        tracing::error!(conversation.id = %id, error = %err, "could not queue the purge of a conversation");
    }
    Ok(())
}

/// Deletes what belonged to a conversation that is gone, and answers how many rows. Safe to repeat.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn purge(ctx: &Ctx, id: ConversationId) -> Result<u64, Fault> {
    let mut tx = ctx.db.begin().await?;
    let rows = db::conversation_log::purge(&mut tx, id).await?;
    tx.commit().await?;
    Ok(rows)
}
