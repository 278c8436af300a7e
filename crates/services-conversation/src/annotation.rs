//! Answers that builders fixed.

use boxed::boxed;
use db::{
    annotation::{self as rows, Annotation, Hit, NewAnnotation, Setting},
    app::App,
    message_list,
};
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, AnnotationId, Limit, MessageId, Page};
use uuid::Uuid;

use crate::annotation_reply;

/// Why an annotation is not what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    /// The app has no such annotation.
    #[error("Annotation not found")]
    NotFound,
    /// The app has no such setting.
    #[error("App annotation not found")]
    NoSetting,
    /// The app has no such message.
    #[error("Message Not Exists.")]
    NoMessage,
    /// Neither a question nor a message that has one.
    #[error("'question' is required when 'message_id' is not provided")]
    NoQuestion,
    /// No question.
    #[error("'question' is required")]
    QuestionRequired,
    /// No answer.
    #[error("Either 'answer' or 'content' must be provided")]
    NoAnswer,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for AnnotationError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AnnotationError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound | Self::NoSetting | Self::NoMessage => 404,
            Self::NoQuestion | Self::QuestionRequired | Self::NoAnswer => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NoSetting | Self::NoMessage => "not_found",
            Self::NoQuestion | Self::QuestionRequired | Self::NoAnswer => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// A page of an app's annotations, newest first. A page has 100 at the most.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    keyword: &str,
    window: Limit,
) -> Result<Page<Annotation>, Fault> {
    let keyword = db::like::escape(keyword);
    let shown = Limit { page: window.page, limit: window.limit.min(100) };
    let mut conn = ctx.db.acquire().await?;
    let total = rows::count(&mut conn, app.id, &keyword).await?;
    let data = rows::list(&mut conn, app.id, &keyword, shown.offset(), shown.limit).await?;
    Ok(full_means_more(Page::new(window, total, data)))
}

/// These lists say that there is more whenever a page is full, as in the reference.
fn full_means_more<T>(page: Page<T>) -> Page<T> {
    let has_more = i64::try_from(page.data.len()).is_ok_and(|shown| shown == page.limit);
    Page { has_more, ..page }
}

/// How many annotations an app has.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn count(ctx: &Ctx, app: &App) -> Result<i64, Fault> {
    let mut conn = ctx.db.acquire().await?;
    Ok(rows::count(&mut conn, app.id, "").await?)
}

/// All annotations of an app, newest first, safe to open in a spreadsheet.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn export(ctx: &Ctx, app: &App) -> Result<Vec<Annotation>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let mut found = rows::list(&mut conn, app.id, "", 0, i64::MAX).await?;
    for annotation in &mut found {
        disarm(&mut annotation.question);
        disarm(&mut annotation.content);
    }
    Ok(found)
}

/// Spreadsheets take texts with these beginnings for formulas.
fn disarm(text: &mut String) {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        text.insert(0, '\'');
    }
}

/// An annotation as it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The message it is made of.
    pub message: Option<MessageId>,
    /// The question.
    pub question: Option<&'a str>,
    /// The answer.
    pub answer: Option<&'a str>,
}

/// Makes an annotation, or changes the one of the message.
///
/// # Errors
/// [`AnnotationError`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn create(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    wish: Wish<'_>,
) -> Result<Annotation, AnnotationError> {
    let content = wish.answer.ok_or(AnnotationError::NoAnswer)?;
    let given = wish.question.filter(|question| !question.is_empty());
    let now = ctx.now_naive();
    let mut is_new = true;
    let mut tx = ctx.db.begin().await?;
    let saved = match wish.message {
        None => {
            let question = given.ok_or(AnnotationError::NoQuestion)?;
            let new = NewAnnotation { app: app.id, of: None, question, content, by };
            rows::insert(&mut tx, new, now).await?
        }
        Some(id) => {
            let message = message_list::find(&mut tx, app.id, id).await?;
            let message = message.ok_or(AnnotationError::NoMessage)?;
            let question = given.unwrap_or(&message.query);
            match rows::update_of_message(&mut tx, app.id, id, (question, content), now).await? {
                Some(changed) => {
                    is_new = false;
                    changed
                }
                None => {
                    let of = Some((message.conversation_id, id));
                    let new = NewAnnotation { app: app.id, of, question, content, by };
                    rows::insert(&mut tx, new, now).await?
                }
            }
        }
    };
    tx.commit().await?;
    annotation_reply::question_changed(ctx, app, saved.id, &saved.question, is_new).await?;
    Ok(saved)
}

/// Changes an annotation.
///
/// # Errors
/// [`AnnotationError::NotFound`], [`AnnotationError::QuestionRequired`], [`AnnotationError::NoAnswer`].
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn update(
    ctx: &Ctx,
    app: &App,
    id: AnnotationId,
    question: Option<&str>,
    answer: Option<&str>,
) -> Result<Annotation, AnnotationError> {
    let question = question.ok_or(AnnotationError::QuestionRequired)?;
    let answer = answer.ok_or(AnnotationError::NoAnswer)?;
    let mut conn = ctx.db.acquire().await?;
    let changed = rows::update(&mut conn, app.id, id, (question, answer), ctx.now_naive()).await?;
    drop(conn);
    let changed = changed.ok_or(AnnotationError::NotFound)?;
    annotation_reply::question_changed(ctx, app, id, &changed.question, false).await?;
    Ok(changed)
}

/// Deletes an annotation.
///
/// # Errors
/// [`AnnotationError::NotFound`].
#[boxed]
pub async fn delete(ctx: &Ctx, app: &App, id: AnnotationId) -> Result<(), AnnotationError> {
    if delete_all(ctx, app, Some(&[id.0])).await? == 0 {
        return Err(AnnotationError::NotFound);
    }
    Ok(())
}

/// Deletes those annotations of an app, or all, and answers how many there were.
///
/// # Errors
/// The database's.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn delete_all(ctx: &Ctx, app: &App, ids: Option<&[Uuid]>) -> Result<u64, Fault> {
    let mut tx = ctx.db.begin().await?;
    let deleted = rows::delete(&mut tx, app.id, ids).await?;
    tx.commit().await?;
    annotation_reply::outdate(ctx, app.id).await;
    Ok(deleted)
}

/// When an annotation answered, latest first.
///
/// # Errors
/// [`AnnotationError::NotFound`].
#[boxed]
pub async fn hits(
    ctx: &Ctx,
    app: &App,
    id: AnnotationId,
    window: Limit,
) -> Result<Page<Hit>, AnnotationError> {
    let limit = window.limit.clamp(1, 100);
    let shown = Limit { page: window.page.max(1), limit };
    let mut conn = ctx.db.acquire().await?;
    let found = rows::hits(&mut conn, app.id, id, shown.offset(), limit).await?;
    let (data, total) = found.ok_or(AnnotationError::NotFound)?;
    let window = Limit { page: shown.page, limit: window.limit };
    Ok(full_means_more(Page::new(window, total, data)))
}

/// How an app uses its annotations; `None`: not at all.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn setting(ctx: &Ctx, app: &App) -> Result<Option<Setting>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    Ok(rows::setting(&mut conn, app.id).await?)
}

/// Changes how alike questions must be.
///
/// # Errors
/// [`AnnotationError::NoSetting`].
#[boxed]
pub async fn set_threshold(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    id: Uuid,
    threshold: f64,
) -> Result<Setting, AnnotationError> {
    let mut tx = ctx.db.begin().await?;
    let now = ctx.now_naive();
    if !rows::set_threshold(&mut tx, app.id, id, threshold, by, now).await? {
        return Err(AnnotationError::NoSetting);
    }
    let setting = rows::setting(&mut tx, app.id).await?;
    tx.commit().await?;
    annotation_reply::outdate(ctx, app.id).await;
    setting.ok_or(AnnotationError::NoSetting)
}

#[cfg(test)]
mod tests {
    use super::disarm;

    #[test]
    fn formulas_become_text() {
        for (given, expected) in [("=1+1", "'=1+1"), ("a=1", "a=1"), ("", ""), ("@x", "'@x")] {
            let mut text = given.to_owned();
            disarm(&mut text);
            assert_eq!(text, expected);
        }
    }
}
