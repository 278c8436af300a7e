//! Answers of completion apps that a participant keeps.

use boxed::boxed;
use db::message_list;
use services_core::Ctx;
use types::MessageId;
use uuid::Uuid;

use super::{App, Part, Participant, TalkError, message};
use crate::shown::{self, Shown};

/// What a participant keeps, newest question first.
///
/// # Errors
/// [`TalkError::NoLastMessage`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Part<Shown>, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let saved = db::saved_message::list(&mut conn, who.keeper(app.id)).await?;
    let saved: Vec<Uuid> = saved.into_iter().map(|id| id.0).collect();
    let after = match after {
        None => None,
        Some(id) => {
            let found = message_list::among(&mut conn, app.id, &[id.0], None, 1).await?.pop();
            let found = found.filter(|row| saved.contains(&row.id.0));
            Some(found.ok_or(TalkError::NoLastMessage)?)
        }
    };
    let rows = message_list::among(&mut conn, app.id, &saved, after.as_ref(), limit + 1).await?;
    let part = Part::of(limit, rows);
    let data = shown::of(ctx, &mut conn, app, part.data).await?;
    Ok(Part { limit, has_more: part.has_more, data })
}

/// Keeps an answer to the participant's own question.
///
/// # Errors
/// [`TalkError::NoMessage`].
#[boxed]
pub async fn save(ctx: &Ctx, app: &App, who: Participant, id: MessageId) -> Result<(), TalkError> {
    let message = message::find(ctx, app, who, id).await?;
    let mut tx = ctx.db.begin().await?;
    db::saved_message::insert(&mut tx, who.keeper(app.id), message.id).await?;
    Ok(tx.commit().await?)
}

/// Keeps an answer no longer.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn delete(
    ctx: &Ctx,
    app: &App,
    who: Participant,
    id: MessageId,
) -> Result<(), TalkError> {
    let mut conn = ctx.db.acquire().await?;
    db::saved_message::delete(&mut conn, who.keeper(app.id), id).await?;
    Ok(())
}
