//! `conversations`, as those who build an app see them: everybody's, with what became of them.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use types::{AccountId, AppId, AppModelConfigId, ConversationId, EndUserId, MessageId};
use uuid::Uuid;

use crate::{Result, conversation_list::Sort};

/// Which conversations a log shows.
#[derive(Debug, Clone)]
pub struct LogFilter<'a> {
    /// The app is a completion app: each conversation is one question.
    pub is_completion: bool,
    /// Part of a question, an answer, a title, an opening or a user's name. Escaped for `LIKE`.
    pub keyword: Option<&'a str>,
    /// Not before.
    pub start: Option<NaiveDateTime>,
    /// Not after.
    pub end: Option<NaiveDateTime>,
    /// Whether it has annotations.
    pub annotated: Option<bool>,
    /// Leave out runs of the editor.
    pub without_debugger: bool,
    /// The order.
    pub sort: Sort,
}

/// The ids of a page of the log, and how many conversations it has altogether.
#[tracing::instrument(name = "db.conversation_log.page", skip_all, err)]
#[boxed]
pub async fn page(
    db: &mut PgConnection,
    app: AppId,
    filter: &LogFilter<'_>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Uuid>, i64)> {
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*) FROM conversations c");
    push_where(&mut query, app, filter);
    let total: i64 = query.build_query_scalar().fetch_one(&mut *db).await?;
    let mut query = QueryBuilder::<Postgres>::new("SELECT c.id FROM conversations c");
    push_where(&mut query, app, filter);
    let direction = if filter.sort.descending { " DESC" } else { " ASC" };
    query.push(" ORDER BY c.").push(filter.sort.column()).push(direction);
    query.push(", c.id").push(direction);
    query.push(" LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(offset);
    Ok((query.build_query_scalar().fetch_all(db).await?, total))
}

fn push_where(query: &mut QueryBuilder<Postgres>, app: AppId, filter: &LogFilter<'_>) {
    query.push(" WHERE c.app_id = ").push_bind(app).push(" AND NOT c.is_deleted");
    if filter.is_completion {
        query.push(" AND c.mode = 'completion'");
    }
    if let Some(keyword) = filter.keyword {
        let pattern = format!("%{keyword}%");
        query.push(" AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND (m.query ILIKE ");
        query.push_bind(pattern.clone()).push(" OR m.answer ILIKE ").push_bind(pattern.clone());
        if !filter.is_completion {
            query.push(" OR c.name ILIKE ").push_bind(pattern.clone());
            query.push(" OR c.introduction ILIKE ").push_bind(pattern.clone());
            query.push(" OR EXISTS (SELECT 1 FROM end_users e WHERE e.id = c.from_end_user_id AND e.session_id ILIKE ");
            query.push_bind(pattern).push(")");
        }
        query.push("))");
    }
    let column = filter.sort.column();
    if let Some(start) = filter.start {
        query.push(" AND c.").push(column).push(" >= ").push_bind(start);
    }
    if let Some(end) = filter.end {
        query.push(" AND c.").push(column).push(" <= ").push_bind(end);
    }
    match filter.annotated {
        Some(true) => {
            query.push(
                " AND EXISTS (SELECT 1 FROM message_annotations a WHERE a.conversation_id = c.id)",
            );
        }
        Some(false) => {
            query.push(" AND NOT EXISTS (SELECT 1 FROM message_annotations a WHERE a.conversation_id = c.id)");
        }
        None => {}
    }
    if filter.without_debugger {
        query.push(" AND c.invoke_from <> 'debugger'");
    }
}

/// A conversation with what became of it.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The conversation.
    pub id: ConversationId,
    /// `normal`.
    pub status: String,
    /// Mode of the app when it began.
    pub mode: String,
    /// `api` or `console`.
    pub from_source: String,
    /// The end user who talked.
    pub from_end_user_id: Option<EndUserId>,
    /// The name the user goes by.
    pub from_end_user_session_id: Option<String>,
    /// The console user who talked.
    pub from_account_id: Option<AccountId>,
    /// That user's name.
    pub from_account_name: Option<String>,
    /// Title.
    pub name: String,
    /// What it was about; never written by this release.
    pub summary: Option<String>,
    /// What the assistant said first.
    pub introduction: Option<String>,
    /// JSON: the configuration of a debug run, or the features of a chatflow.
    pub override_model_configs: Option<String>,
    /// The configuration of a basic app.
    pub app_model_config_id: Option<AppModelConfigId>,
    /// Model of a basic app.
    pub model_id: Option<String>,
    /// Provider of the model.
    pub model_provider: Option<String>,
    /// When somebody first looked at it in the console.
    pub read_at: Option<NaiveDateTime>,
    /// When it began.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
    /// Whether an answer was annotated.
    pub annotated: bool,
    /// Questions asked.
    pub message_count: i64,
    /// Likes by users.
    pub user_likes: i64,
    /// Dislikes by users.
    pub user_dislikes: i64,
    /// Likes in the console.
    pub admin_likes: i64,
    /// Dislikes in the console.
    pub admin_dislikes: i64,
    /// Questions answered by a run of a graph; with none the next four mean nothing.
    pub run_count: i64,
    /// Of those, succeeded.
    pub runs_succeeded: i64,
    /// Of those, failed.
    pub runs_failed: i64,
    /// Of those, succeeded in part.
    pub runs_partial: i64,
    /// Of those, paused.
    pub runs_paused: i64,
    /// The first question's message.
    pub first_message_id: Option<MessageId>,
    /// The first question.
    pub first_query: Option<String>,
    /// JSON: the form of the first question.
    pub first_inputs: Option<Value>,
    /// JSON: the prompt of the first question.
    pub first_prompt: Option<Value>,
    /// The first answer.
    pub first_answer: Option<String>,
}

/// Conversations of an app by id, in no order.
#[tracing::instrument(name = "db.conversation_log.by_ids", skip_all, err)]
#[boxed]
pub async fn by_ids(db: &mut PgConnection, app: AppId, ids: &[Uuid]) -> Result<Vec<Logged>> {
    Ok(sqlx::query_as!(
        Logged,
        r#"
        SELECT c.id, c.status, c.mode, c.from_source, c.from_end_user_id,
               e.session_id AS "from_end_user_session_id?", c.from_account_id, a.name AS "from_account_name?",
               c.name, c.summary, c.introduction, c.override_model_configs, c.app_model_config_id, c.model_id,
               c.model_provider, c.read_at, c.created_at, c.updated_at,
               EXISTS (SELECT 1 FROM message_annotations n WHERE n.conversation_id = c.id) AS "annotated!",
               m.total AS "message_count!", m.runs AS "run_count!",
               f.user_likes AS "user_likes!", f.user_dislikes AS "user_dislikes!",
               f.admin_likes AS "admin_likes!", f.admin_dislikes AS "admin_dislikes!",
               r.succeeded AS "runs_succeeded!", r.failed AS "runs_failed!", r.partial AS "runs_partial!",
               r.paused AS "runs_paused!",
               first.id AS "first_message_id?: MessageId", first.query AS "first_query?",
               first.inputs AS "first_inputs?", first.message AS "first_prompt?", first.answer AS "first_answer?"
        FROM conversations c
        LEFT JOIN end_users e ON e.id = c.from_end_user_id
        LEFT JOIN accounts a ON a.id = c.from_account_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS total, count(x.workflow_run_id) AS runs FROM messages x WHERE x.conversation_id = c.id
        ) m
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE x.from_source = 'user' AND x.rating = 'like') AS user_likes,
                   count(*) FILTER (WHERE x.from_source = 'user' AND x.rating = 'dislike') AS user_dislikes,
                   count(*) FILTER (WHERE x.from_source = 'admin' AND x.rating = 'like') AS admin_likes,
                   count(*) FILTER (WHERE x.from_source = 'admin' AND x.rating = 'dislike') AS admin_dislikes
            FROM message_feedbacks x WHERE x.conversation_id = c.id
        ) f
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE w.status = 'succeeded') AS succeeded,
                   count(*) FILTER (WHERE w.status = 'failed') AS failed,
                   count(*) FILTER (WHERE w.status = 'partial-succeeded') AS partial,
                   count(*) FILTER (WHERE w.status = 'paused') AS paused
            FROM messages x JOIN workflow_runs w ON w.id = x.workflow_run_id AND w.app_id = c.app_id
            WHERE x.conversation_id = c.id
        ) r
        LEFT JOIN LATERAL (
            SELECT x.id, x.query, x.inputs, x.message, x.answer FROM messages x
            WHERE x.conversation_id = c.id ORDER BY x.created_at, x.id LIMIT 1
        ) first ON true
        WHERE c.app_id = $1 AND c.id = ANY($2)
        "#,
        app as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// Notes who looked at a conversation first, and when.
#[tracing::instrument(name = "db.conversation_log.mark_read", skip_all, err)]
#[boxed]
pub async fn mark_read(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
    reader: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE conversations SET read_at = $4, read_account_id = $3
        WHERE app_id = $1 AND id = $2 AND read_at IS NULL
        "#,
        app as _,
        id as _,
        reader as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes what belongs to a conversation whose row is gone. Nothing is deleted while it exists. The job that asks
/// knows only the conversation, as the reference's does.
#[tracing::instrument(name = "db.conversation_log.purge", skip_all, err)]
#[boxed]
pub async fn purge(db: &mut PgConnection, id: ConversationId) -> Result<u64> {
    let exists = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM conversations WHERE id = $1) AS "exists!""#,
        id as _,
    )
    .fetch_one(&mut *db)
    .await?;
    if exists {
        return Ok(0);
    }
    let mut rows = 0;
    macro_rules! delete {
        ($($statement:literal),+ $(,)?) => {
            $(rows += sqlx::query!($statement, id as _).execute(&mut *db).await?.rows_affected();)+
        };
    }
    delete!(
        "DELETE FROM message_annotations WHERE conversation_id = $1",
        "DELETE FROM message_feedbacks WHERE conversation_id = $1",
        "DELETE FROM tool_conversation_variables WHERE conversation_id = $1",
        "DELETE FROM tool_files WHERE conversation_id = $1",
        "DELETE FROM workflow_conversation_variables WHERE conversation_id = $1",
        "DELETE FROM message_files f USING messages m WHERE m.id = f.message_id AND m.conversation_id = $1",
        "DELETE FROM message_agent_thoughts t USING messages m WHERE m.id = t.message_id AND m.conversation_id = $1",
        "DELETE FROM saved_messages s USING messages m WHERE m.id = s.message_id AND m.conversation_id = $1",
        "DELETE FROM pinned_conversations WHERE conversation_id = $1",
        "DELETE FROM conversation_messages WHERE session_id = $1",
        "DELETE FROM messages WHERE conversation_id = $1",
    );
    Ok(rows)
}
