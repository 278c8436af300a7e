//! `message_feedbacks`: what users and console users think of answers.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::{PgConnection, Postgres, QueryBuilder, prelude::FromRow};
use types::{AccountId, AppId, ConversationId, EndUserId, MessageId};
use uuid::Uuid;

use crate::{Result, conversation_list::Participant, message_list::FeedbackRow};

/// Who judges: users and console users have one opinion each of an answer.
fn source(who: Participant) -> &'static str {
    match who {
        Participant::Account(_) => "admin",
        Participant::EndUser(_) => "user",
    }
}

/// An opinion about an answer.
#[derive(Debug, Clone, Copy)]
pub struct Opinion<'a> {
    /// The app.
    pub app: AppId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
    /// Who judges.
    pub who: Participant,
    /// `like` or `dislike`.
    pub rating: &'a str,
    /// In words.
    pub content: Option<&'a str>,
}

/// Changes the opinion there is; whether there was one.
#[tracing::instrument(name = "db.message_feedback.update", skip_all, err)]
#[boxed]
pub async fn update(db: &mut PgConnection, new: Opinion<'_>, now: NaiveDateTime) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE message_feedbacks SET rating = $4, content = $5, updated_at = $6
        WHERE app_id = $1 AND message_id = $2 AND from_source = $3
        "#,
        new.app as _,
        new.message as _,
        source(new.who),
        new.rating,
        new.content,
        now,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Adds an opinion.
#[tracing::instrument(name = "db.message_feedback.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: Opinion<'_>, now: NaiveDateTime) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO message_feedbacks (id, app_id, conversation_id, message_id, rating, content, from_source,
                                       from_end_user_id, from_account_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        "#,
        Uuid::new_v4(),
        new.app as _,
        new.conversation as _,
        new.message as _,
        new.rating,
        new.content,
        source(new.who),
        new.who.end_user() as _,
        new.who.account() as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes an opinion back; whether there was one.
#[tracing::instrument(name = "db.message_feedback.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    app: AppId,
    message: MessageId,
    who: Participant,
) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM message_feedbacks WHERE app_id = $1 AND message_id = $2 AND from_source = $3",
        app as _,
        message as _,
        source(who),
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}

/// Opinions about an app, newest first.
#[tracing::instrument(name = "db.message_feedback.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    app: AppId,
    offset: i64,
    limit: i64,
) -> Result<Vec<FeedbackRow>> {
    Ok(sqlx::query_as!(
        FeedbackRow,
        r#"
        SELECT f.id, f.app_id, f.conversation_id, f.message_id, f.rating, f.content, f.from_source, f.from_end_user_id,
               f.from_account_id, a.name AS "account_name?", a.email AS "account_email?", f.created_at, f.updated_at
        FROM message_feedbacks f LEFT JOIN accounts a ON a.id = f.from_account_id
        WHERE f.app_id = $1
        ORDER BY f.created_at DESC, f.id DESC
        OFFSET $2 LIMIT $3
        "#,
        app as _,
        offset,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Which opinions an export has.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportFilter<'a> {
    /// `user` or `admin`.
    pub source: Option<&'a str>,
    /// `like` or `dislike`.
    pub rating: Option<&'a str>,
    /// Whether it has words.
    pub has_comment: Option<bool>,
    /// Not before.
    pub start: Option<NaiveDateTime>,
    /// Before.
    pub end: Option<NaiveDateTime>,
}

/// A line of an export.
#[derive(Debug, Clone, FromRow)]
pub struct Exported {
    /// The opinion.
    pub id: Uuid,
    /// `like` or `dislike`.
    pub rating: String,
    /// In words.
    pub content: Option<String>,
    /// `user` or `admin`.
    pub from_source: String,
    /// When.
    pub created_at: NaiveDateTime,
    /// The console user who judged.
    pub from_account_id: Option<AccountId>,
    /// That user's name.
    pub account_name: Option<String>,
    /// The end user who judged.
    pub from_end_user_id: Option<EndUserId>,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Its title.
    pub conversation_name: Option<String>,
    /// The message.
    pub message_id: MessageId,
    /// The question.
    pub query: String,
    /// The answer.
    pub answer: String,
    /// When it was asked.
    pub message_created_at: NaiveDateTime,
}

/// Opinions about an app with what they are about, newest first.
#[tracing::instrument(name = "db.message_feedback.export", skip_all, err)]
#[boxed]
pub async fn export(
    db: &mut PgConnection,
    app: AppId,
    filter: ExportFilter<'_>,
) -> Result<Vec<Exported>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT f.id, f.rating, f.content, f.from_source, f.created_at, f.from_account_id, a.name AS account_name, \
         f.from_end_user_id, f.conversation_id, c.name AS conversation_name, f.message_id, m.query, m.answer, \
         m.created_at AS message_created_at \
         FROM message_feedbacks f JOIN messages m ON m.id = f.message_id \
         JOIN conversations c ON c.id = f.conversation_id LEFT JOIN accounts a ON a.id = f.from_account_id \
         WHERE f.app_id = ",
    );
    query.push_bind(app);
    if let Some(source) = filter.source {
        query.push(" AND f.from_source = ").push_bind(source.to_owned());
    }
    if let Some(rating) = filter.rating {
        query.push(" AND f.rating = ").push_bind(rating.to_owned());
    }
    match filter.has_comment {
        Some(true) => {
            query.push(" AND f.content IS NOT NULL AND f.content <> ''");
        }
        Some(false) => {
            query.push(" AND (f.content IS NULL OR f.content = '')");
        }
        None => {}
    }
    if let Some(start) = filter.start {
        query.push(" AND f.created_at >= ").push_bind(start);
    }
    if let Some(end) = filter.end {
        query.push(" AND f.created_at <= ").push_bind(end);
    }
    query.push(" ORDER BY f.created_at DESC, f.id DESC");
    Ok(query.build_query_as().fetch_all(db).await?)
}
