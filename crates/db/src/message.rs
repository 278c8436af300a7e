//! `messages`, as runs write them: begun with empty answers, ended once. Both go in batches, because under load one
//! commit serves many runs; each row has a copy in `conversation_messages` if its run wants one, and a mark in
//! `dify_rs_running` from its beginning to its end.

use boxed::boxed;
use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgConnection;
use types::{AccountId, AppId, AppModelConfigId, ConversationId, EndUserId, MessageId};
use uuid::Uuid;

use crate::Result;

mod columns;

pub use columns::{Begun, Ended, NewConversation};

/// Adds messages, those of their conversations that are new, and marks them as running in `process`. Conversations that
/// exist are touched. One statement, so it needs no transaction of its own.
#[tracing::instrument(name = "db.message.begin", skip_all, err)]
#[boxed]
pub async fn begin(db: &mut PgConnection, process: Uuid, rows: &[Begun]) -> Result<()> {
    let c = columns::BegunColumns::of(rows);
    sqlx::query!(
        r#"
        WITH new AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::bool[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::uuid[], $16::uuid[], $17::text[],
                $18::uuid[], $19::timestamp[], $20::jsonb[]
            ) AS t(id, conversation_id, is_first, app_id, app_model_config_id, model_provider, model_id, override_configs,
                   mode, name, introduction, inputs, query, from_source, end_user_id, account_id, invoke_from, parent_id,
                   at, copied)
        ), conversation AS (
            INSERT INTO conversations (id, app_id, app_model_config_id, model_provider, model_id, override_model_configs,
                                       mode, name, inputs, introduction, system_instruction, system_instruction_tokens,
                                       status, invoke_from, from_source, from_end_user_id, from_account_id, created_at,
                                       updated_at)
            SELECT conversation_id, app_id, app_model_config_id, model_provider, model_id, override_configs, mode, name,
                   inputs::json, introduction, '', 0, 'normal', invoke_from, from_source, end_user_id, account_id, at, at
            FROM new WHERE is_first
        ), touched AS (
            UPDATE conversations c SET updated_at = new.at
            FROM new WHERE c.id = new.conversation_id AND c.app_id = new.app_id AND NOT new.is_first
        ), message AS (
            INSERT INTO messages (id, app_id, model_provider, model_id, override_model_configs, conversation_id, inputs,
                                  query, message, message_tokens, message_unit_price, message_price_unit, answer,
                                  answer_tokens, answer_unit_price, answer_price_unit, provider_response_latency,
                                  total_price, currency, invoke_from, from_source, from_end_user_id, from_account_id,
                                  parent_message_id, app_mode, created_at, updated_at)
            SELECT id, app_id, model_provider, model_id, override_configs, conversation_id, inputs::json, query,
                   '""'::json, 0, 0, 0, '', 0, 0, 0, 0, 0, 'USD', invoke_from, from_source, end_user_id, account_id,
                   parent_id, mode, at, at
            FROM new
        ), running AS (
            INSERT INTO dify_rs_running (kind, id, process_id) SELECT 'message', id, $21 FROM new
        )
        INSERT INTO conversation_messages (session_id, role, content, metadata, created_at)
        SELECT conversation_id, 'user', query, copied, at AT TIME ZONE 'UTC' FROM new WHERE copied IS NOT NULL
        "#,
        &c.id,
        &c.conversation,
        &c.is_first,
        &c.app,
        &c.config as &[Option<Uuid>],
        &c.provider as &[Option<String>],
        &c.model as &[Option<String>],
        &c.override_configs as &[Option<String>],
        &c.mode,
        &c.name as &[Option<String>],
        &c.introduction as &[Option<String>],
        &c.inputs,
        &c.query,
        &c.source,
        &c.end_user as &[Option<Uuid>],
        &c.account as &[Option<Uuid>],
        &c.invoke_from,
        &c.parent as &[Option<Uuid>],
        &c.at,
        &c.copied as &[Option<Value>],
        process,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes how messages ended, and that they run no more. One statement, so it needs no transaction of its own. May be
/// said again: who does not know whether it was written writes it again.
///
/// The app is compared in a way no index serves: where PostgreSQL knows nothing of the table yet, it would take an index
/// of apps and read every message of one.
#[tracing::instrument(name = "db.message.end", skip_all, err)]
#[boxed]
pub async fn end(db: &mut PgConnection, rows: &[Ended]) -> Result<()> {
    let c = columns::EndedColumns::of(rows);
    let again = sqlx::query_scalar!(
        r#"
        WITH ended AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[],
                $10::numeric[], $11::numeric[], $12::int[], $13::numeric[], $14::numeric[], $15::numeric[], $16::text[],
                $17::float8[], $18::timestamp[], $19::jsonb[]
            ) AS t(id, app_id, conversation_id, status, error, answer, prompt, metadata, message_tokens,
                   message_unit_price, message_price_unit, answer_tokens, answer_unit_price, answer_price_unit,
                   total_price, currency, latency, at, copied)
        ), message AS (
            UPDATE messages m
            SET status = e.status, error = e.error, answer = e.answer, message = coalesce(e.prompt::json, m.message),
                message_metadata = coalesce(e.metadata, m.message_metadata), message_tokens = e.message_tokens,
                message_unit_price = e.message_unit_price, message_price_unit = e.message_price_unit,
                answer_tokens = e.answer_tokens, answer_unit_price = e.answer_unit_price,
                answer_price_unit = e.answer_price_unit, total_price = e.total_price, currency = e.currency,
                provider_response_latency = e.latency, updated_at = e.at
            FROM ended e WHERE m.id = e.id AND m.app_id IS NOT DISTINCT FROM e.app_id
        ), running AS (
            DELETE FROM dify_rs_running WHERE kind = 'message' AND id = ANY(ARRAY(SELECT id FROM ended))
            RETURNING id
        ), copy AS (
            INSERT INTO conversation_messages (session_id, role, content, metadata, created_at)
            SELECT e.conversation_id, 'assistant', e.answer, e.copied, e.at AT TIME ZONE 'UTC'
            FROM ended e JOIN running r ON r.id = e.id
            WHERE e.copied IS NOT NULL
        )
        SELECT e.id AS "id!" FROM ended e
        WHERE e.copied IS NOT NULL AND NOT EXISTS (SELECT FROM running r WHERE r.id = e.id)
        "#,
        &c.id,
        &c.app,
        &c.conversation,
        &c.status,
        &c.error as &[Option<String>],
        &c.answer,
        &c.prompt as &[Option<String>],
        &c.metadata as &[Option<String>],
        &c.message_tokens,
        &c.message_unit_price,
        &c.message_price_unit,
        &c.answer_tokens,
        &c.answer_unit_price,
        &c.answer_price_unit,
        &c.total_price,
        &c.currency,
        &c.latency,
        &c.at,
        &c.copied as &[Option<Value>],
    )
    .fetch_all(&mut *db)
    .await?;
    if again.is_empty() {
        return Ok(());
    }
    let again: Vec<&Ended> = rows.iter().filter(|row| again.contains(&row.id.0)).collect();
    copy_again(db, &again).await
}

/// Brings copies up to date of messages that had ended already: by the same words, or as abandoned.
async fn copy_again(db: &mut PgConnection, rows: &[&Ended]) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let answers: Vec<String> = rows.iter().map(|row| text(&row.answer)).collect();
    let copied: Vec<Option<Value>> = rows.iter().map(|row| row.copied.clone()).collect();
    sqlx::query!(
        r#"
        UPDATE conversation_messages c SET content = e.answer, metadata = e.copied, updated_at = now()
        FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS e(id, answer, copied)
        WHERE c.role = 'assistant' AND c.metadata @> jsonb_build_object('message_id', e.id::text)
          AND (c.content, c.metadata) IS DISTINCT FROM (e.answer, e.copied)
        "#,
        &ids,
        &answers,
        &copied as &[Option<Value>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends messages as failed whose process is gone: of every app, because processes are not an app's. What was written of
/// an answer stays.
#[tracing::instrument(name = "db.message.abandon", skip_all, err)]
#[boxed]
pub async fn abandon(
    db: &mut PgConnection,
    ids: &[Uuid],
    error: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE messages SET status = 'error', error = $2, updated_at = $3
            WHERE id = ANY($1) AND status IN ('normal', 'paused')
            RETURNING id, conversation_id, app_id, answer
        )
        INSERT INTO conversation_messages (session_id, role, content, metadata)
        SELECT e.conversation_id, 'assistant', e.answer,
               c.metadata || jsonb_build_object('status', 'error', 'error', $2::text)
        FROM ended e
        JOIN conversation_messages c
          ON c.metadata @> jsonb_build_object('message_id', e.id::text) AND c.role = 'user'
        "#,
        ids,
        error,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a message, of whichever app, ended without an answer, or never began.
#[tracing::instrument(name = "db.message.has_failed", skip_all, err)]
#[boxed]
pub async fn has_failed(db: &mut PgConnection, id: MessageId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT NOT EXISTS (SELECT 1 FROM messages WHERE id = $1 AND status <> 'error')
           AND NOT EXISTS (SELECT 1 FROM dify_rs_running WHERE kind = 'message' AND id = $1) AS "failed!"
        "#,
        id as _,
    )
    .fetch_one(db)
    .await?)
}

/// An earlier message of a conversation, as prompts show it.
#[derive(Debug, Clone)]
pub struct Past {
    /// The message.
    pub id: MessageId,
    /// The message it follows; nil: whichever was before, none: it begins a thread.
    pub parent_message_id: Option<MessageId>,
    /// The question.
    pub query: String,
    /// The answer.
    pub answer: String,
    /// Whether it is being answered at this moment.
    pub running: bool,
    /// Whether it has files.
    pub has_files: bool,
}

/// The latest `limit` messages of a conversation, newest first.
#[tracing::instrument(name = "db.message.past", skip_all, err)]
#[boxed]
pub async fn past(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    limit: i64,
) -> Result<Vec<Past>> {
    Ok(sqlx::query_as!(
        Past,
        r#"
        SELECT m.id, m.parent_message_id, m.query, m.answer, r.id IS NOT NULL AS "running!",
               EXISTS (SELECT 1 FROM message_files f WHERE f.message_id = m.id) AS "has_files!"
        FROM messages m LEFT JOIN dify_rs_running r ON r.kind = 'message' AND r.id = m.id
        WHERE m.app_id = $1 AND m.conversation_id = $2
        ORDER BY m.created_at DESC, m.id DESC
        LIMIT $3
        "#,
        app as _,
        conversation as _,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// A message somebody wants more answers like.
#[derive(Debug, Clone)]
pub struct Template {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// JSON: values of the form.
    pub inputs: Value,
    /// The question.
    pub query: String,
    /// JSON: the configuration of a debug run.
    pub override_model_configs: Option<String>,
    /// The configuration of its conversation.
    pub app_model_config_id: Option<AppModelConfigId>,
}

/// The message with that id, if it is the owner's.
#[tracing::instrument(name = "db.message.template", skip_all, err)]
#[boxed]
pub async fn template(
    db: &mut PgConnection,
    app: AppId,
    id: MessageId,
    owner: crate::conversation::Owner,
) -> Result<Option<Template>> {
    let (source, end_user, account): (_, Option<EndUserId>, Option<AccountId>) = match owner {
        crate::conversation::Owner::Account(id) => ("console", None, Some(id)),
        crate::conversation::Owner::EndUser(id) => ("api", Some(id), None),
    };
    Ok(sqlx::query_as!(
        Template,
        r#"
        SELECT m.conversation_id, m.inputs, m.query, m.override_model_configs, c.app_model_config_id
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.app_id = $1 AND m.id = $2 AND m.from_source = $3
          AND m.from_end_user_id IS NOT DISTINCT FROM $4 AND m.from_account_id IS NOT DISTINCT FROM $5
        "#,
        app as _,
        id as _,
        source,
        end_user as _,
        account as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A price that its column can hold.
fn price(value: Decimal, digits_before: u32) -> Decimal {
    let most = Decimal::from(10_i64.pow(digits_before) - 1);
    value.clamp(Decimal::ZERO, most)
}

/// Text that a column can hold: PostgreSQL knows no NUL.
fn text(value: &str) -> String {
    if value.contains('\0') { value.replace('\0', "") } else { value.to_owned() }
}
