//! What participants and builders think of answers.

use boxed::boxed;
use db::message_list::{FeedbackRow, MessageRow};
use services_core::{Ctx, Fault};
use types::MessageId;

use super::{App, Participant, TalkError};

/// An opinion about an answer; no rating takes back the one there is.
#[derive(Debug, Clone, Copy)]
pub struct Opinion<'a> {
    /// `like` or `dislike`.
    pub rating: Option<&'a str>,
    /// In words.
    pub content: Option<&'a str>,
}

/// A participant's opinion about an answer to their own question.
///
/// # Errors
/// [`TalkError::NoMessage`], [`TalkError::NoFeedback`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn give(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: MessageId,
    opinion: Opinion<'_>,
) -> Result<(), TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let message = db::message_list::find_own(&mut conn, app.id, who, id).await?;
    drop(conn);
    store(ctx, app, who, &message.ok_or(TalkError::NoMessage)?, opinion).await
}

/// A builder's opinion about any answer of the app.
///
/// # Errors
/// [`TalkError::NoMessage`], [`TalkError::NoFeedback`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn judge(
    ctx: &Ctx,
    app: &App,
    builder: types::AccountId,
    id: MessageId,
    opinion: Opinion<'_>,
) -> Result<(), TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let message = db::message_list::find(&mut conn, app.id, id).await?;
    drop(conn);
    let message = message.ok_or(TalkError::NoMessage)?;
    store(ctx, app, Participant::Account(builder), &message, opinion).await
}

async fn store(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    message: &MessageRow,
    opinion: Opinion<'_>,
) -> Result<(), TalkError> {
    let mut tx = ctx.db.begin().await?;
    match opinion.rating {
        None => {
            if !db::message_feedback::delete(&mut tx, app.id, message.id, who).await? {
                return Err(TalkError::NoFeedback);
            }
        }
        Some(rating) => {
            let new = db::message_feedback::Opinion {
                app: app.id,
                conversation: message.conversation_id,
                message: message.id,
                who,
                rating,
                content: opinion.content,
            };
            let now = ctx.now_naive();
            if !db::message_feedback::update(&mut tx, new, now).await? {
                db::message_feedback::insert(&mut tx, new, now).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Opinions about an app, newest first.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, app: &App, window: types::Limit) -> Result<Vec<FeedbackRow>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::message_feedback::list(&mut conn, app.id, window.offset(), window.limit).await?)
}
