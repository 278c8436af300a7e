//! Daily figures of an app, from `messages`. Days are those of a time zone; runs of the editor do not count.

use boxed::boxed;
use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::AppId;

use crate::Result;

/// Which days.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    /// Name of the time zone, like `Europe/Rome`.
    pub zone: &'a str,
    /// Not before, UTC.
    pub start: Option<NaiveDateTime>,
    /// Before, UTC.
    pub end: Option<NaiveDateTime>,
}

/// What a day's messages come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// The day.
    pub date: NaiveDate,
    /// Questions.
    pub messages: i64,
    /// Conversations with questions.
    pub conversations: i64,
    /// End users who asked.
    pub end_users: i64,
    /// Tokens of prompts and answers.
    pub tokens: i64,
    /// Their price.
    pub price: Decimal,
    /// Mean seconds until an answer was complete.
    pub latency: f64,
    /// Tokens of answers.
    pub answer_tokens: i64,
    /// Seconds of all answers.
    pub latency_sum: f64,
    /// Answers that users liked.
    pub likes: i64,
}

/// The figures of each day that has messages, in order.
#[tracing::instrument(name = "db.app_statistic.days", skip_all, err)]
#[boxed]
pub async fn days(db: &mut PgConnection, app: AppId, days: Days<'_>) -> Result<Vec<Day>> {
    Ok(sqlx::query_as!(
        Day,
        r#"
        SELECT date(m.created_at AT TIME ZONE 'UTC' AT TIME ZONE $2::text) AS "date!",
               count(*) AS "messages!",
               count(DISTINCT m.conversation_id) AS "conversations!",
               count(DISTINCT m.from_end_user_id) AS "end_users!",
               coalesce(sum(m.message_tokens::bigint + m.answer_tokens::bigint), 0)::bigint AS "tokens!",
               coalesce(sum(m.total_price), 0) AS "price!",
               coalesce(avg(m.provider_response_latency), 0)::float8 AS "latency!",
               coalesce(sum(m.answer_tokens::bigint), 0)::bigint AS "answer_tokens!",
               coalesce(sum(m.provider_response_latency), 0)::float8 AS "latency_sum!",
               coalesce(sum((
                   SELECT count(*) FROM message_feedbacks f
                   WHERE f.message_id = m.id AND f.rating = 'like' AND f.from_source = 'user'
               )), 0)::bigint AS "likes!"
        FROM messages m
        WHERE m.app_id = $1 AND m.invoke_from <> 'debugger'
          AND ($3::timestamp IS NULL OR m.created_at >= $3) AND ($4::timestamp IS NULL OR m.created_at < $4)
        GROUP BY 1
        ORDER BY 1
        "#,
        app as _,
        days.zone,
        days.start,
        days.end,
    )
    .fetch_all(db)
    .await?)
}

/// Questions a conversation, on the mean, by the day the conversation began.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDay {
    /// The day.
    pub date: NaiveDate,
    /// Questions a conversation.
    pub interactions: f64,
}

/// [`SessionDay`] of each day that has messages, in order.
#[tracing::instrument(name = "db.app_statistic.sessions", skip_all, err)]
#[boxed]
pub async fn sessions(
    db: &mut PgConnection,
    app: AppId,
    days: Days<'_>,
) -> Result<Vec<SessionDay>> {
    Ok(sqlx::query_as!(
        SessionDay,
        r#"
        SELECT date(c.created_at AT TIME ZONE 'UTC' AT TIME ZONE $2::text) AS "date!",
               avg(s.messages)::float8 AS "interactions!"
        FROM (
            SELECT m.conversation_id, count(*) AS messages
            FROM messages m JOIN conversations c ON c.id = m.conversation_id
            WHERE c.app_id = $1 AND m.invoke_from <> 'debugger'
              AND ($3::timestamp IS NULL OR c.created_at >= $3) AND ($4::timestamp IS NULL OR c.created_at < $4)
            GROUP BY m.conversation_id
        ) s JOIN conversations c ON c.id = s.conversation_id
        GROUP BY 1
        ORDER BY 1
        "#,
        app as _,
        days.zone,
        days.start,
        days.end,
    )
    .fetch_all(db)
    .await?)
}
