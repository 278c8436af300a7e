//! `messages` and what hangs on them, as those who read them again see them.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use types::{
    AccountId, AnnotationId, AppId, ConversationId, EndUserId, MessageId, TenantId, WorkflowRunId,
};
use uuid::Uuid;

use crate::{Result, conversation_list::Participant};

/// A question and its answer.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// JSON object: values of the form.
    pub inputs: Value,
    /// The question.
    pub query: String,
    /// JSON: the prompt.
    pub message: Value,
    /// Tokens of the prompt.
    pub message_tokens: i32,
    /// The answer.
    pub answer: String,
    /// Tokens of the answer.
    pub answer_tokens: i32,
    /// Seconds.
    pub provider_response_latency: f64,
    /// `api` or `console`.
    pub from_source: String,
    /// The end user who asked.
    pub from_end_user_id: Option<EndUserId>,
    /// The console user who asked.
    pub from_account_id: Option<AccountId>,
    /// The run of a graph that answered.
    pub workflow_run_id: Option<WorkflowRunId>,
    /// `normal`, `error`, `paused`.
    pub status: String,
    /// Why there is no answer.
    pub error: Option<String>,
    /// JSON: usage, sources, annotation reply.
    pub message_metadata: Option<String>,
    /// The message it follows.
    pub parent_message_id: Option<MessageId>,
    /// When it was asked.
    pub created_at: NaiveDateTime,
}

/// Messages of a conversation, newest first: those before `before`, if there is one.
#[tracing::instrument(name = "db.message_list.page", skip_all, err)]
#[boxed]
pub async fn page(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    before: Option<&MessageRow>,
    limit: i64,
) -> Result<Vec<MessageRow>> {
    let (at, id) = before.map_or((None, None), |row| (Some(row.created_at), Some(row.id)));
    Ok(sqlx::query_as!(
        MessageRow,
        r#"
        SELECT id, conversation_id, inputs, query, message, message_tokens, answer, answer_tokens,
               provider_response_latency, from_source, from_end_user_id, from_account_id, workflow_run_id, status,
               error, message_metadata, parent_message_id, created_at
        FROM messages
        WHERE app_id = $1 AND conversation_id = $2 AND ($3::timestamp IS NULL OR (created_at, id) < ($3, $4))
        ORDER BY created_at DESC, id DESC
        LIMIT $5
        "#,
        app as _,
        conversation as _,
        at,
        id as _,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// A message of an app.
#[tracing::instrument(name = "db.message_list.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, app: AppId, id: MessageId) -> Result<Option<MessageRow>> {
    Ok(sqlx::query_as!(
        MessageRow,
        r#"
        SELECT id, conversation_id, inputs, query, message, message_tokens, answer, answer_tokens,
               provider_response_latency, from_source, from_end_user_id, from_account_id, workflow_run_id, status,
               error, message_metadata, parent_message_id, created_at
        FROM messages
        WHERE app_id = $1 AND id = $2
        "#,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A message, if the participant asked it.
#[tracing::instrument(name = "db.message_list.find_own", skip_all, err)]
#[boxed]
pub async fn find_own(
    db: &mut PgConnection,
    app: AppId,
    who: Participant,
    id: MessageId,
) -> Result<Option<MessageRow>> {
    Ok(sqlx::query_as!(
        MessageRow,
        r#"
        SELECT id, conversation_id, inputs, query, message, message_tokens, answer, answer_tokens,
               provider_response_latency, from_source, from_end_user_id, from_account_id, workflow_run_id, status,
               error, message_metadata, parent_message_id, created_at
        FROM messages
        WHERE app_id = $1 AND id = $2 AND from_source = $3
          AND from_end_user_id IS NOT DISTINCT FROM $4 AND from_account_id IS NOT DISTINCT FROM $5
        "#,
        app as _,
        id as _,
        who.source(),
        who.end_user() as _,
        who.account() as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Of the messages `ids` of an app, newest first, those before `before`.
#[tracing::instrument(name = "db.message_list.among", skip_all, err)]
#[boxed]
pub async fn among(
    db: &mut PgConnection,
    app: AppId,
    ids: &[Uuid],
    before: Option<&MessageRow>,
    limit: i64,
) -> Result<Vec<MessageRow>> {
    let (at, id) = before.map_or((None, None), |row| (Some(row.created_at), Some(row.id)));
    Ok(sqlx::query_as!(
        MessageRow,
        r#"
        SELECT id, conversation_id, inputs, query, message, message_tokens, answer, answer_tokens,
               provider_response_latency, from_source, from_end_user_id, from_account_id, workflow_run_id, status,
               error, message_metadata, parent_message_id, created_at
        FROM messages
        WHERE app_id = $1 AND id = ANY($2) AND ($3::timestamp IS NULL OR (created_at, id) < ($3, $4))
        ORDER BY created_at DESC, id DESC
        LIMIT $5
        "#,
        app as _,
        ids,
        at,
        id as _,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// What an agent did on the way to an answer.
#[derive(Debug, Clone)]
pub struct ThoughtRow {
    /// The row.
    pub id: Uuid,
    /// The message.
    pub message_id: MessageId,
    /// The chain, in very old rows.
    pub message_chain_id: Option<Uuid>,
    /// Its place, from 1.
    pub position: i32,
    /// What the model said.
    pub thought: Option<String>,
    /// Names of tools, joined by `;`.
    pub tool: Option<String>,
    /// JSON by name of tool.
    pub tool_input: Option<String>,
    /// JSON by name of tool.
    pub observation: Option<String>,
    /// JSON by name of tool: names for people.
    pub tool_labels_str: String,
    /// JSON by name of tool: how the call went.
    pub tool_meta_str: String,
    /// JSON list of message files.
    pub message_files: Option<String>,
    /// Tokens of the round.
    pub tokens: Option<i32>,
    /// When.
    pub created_at: NaiveDateTime,
}

/// What agents did for messages that were found through their app.
#[tracing::instrument(name = "db.message_list.thoughts", skip_all, err)]
#[boxed]
pub async fn thoughts(db: &mut PgConnection, messages: &[Uuid]) -> Result<Vec<ThoughtRow>> {
    Ok(sqlx::query_as!(
        ThoughtRow,
        r#"
        SELECT id, message_id, message_chain_id, position, thought, tool, tool_input, observation, tool_labels_str,
               tool_meta_str, message_files, tokens, created_at
        FROM message_agent_thoughts
        WHERE message_id = ANY($1)
        ORDER BY message_id, position, created_at, id
        "#,
        messages,
    )
    .fetch_all(db)
    .await?)
}

/// A file of a message, with what its upload or its tool knows of it.
#[derive(Debug, Clone)]
pub struct FileRow {
    /// The row.
    pub id: Uuid,
    /// The message.
    pub message_id: MessageId,
    /// `image`, `document` …
    pub r#type: String,
    /// `local_file`, `remote_url`, `tool_file` …
    pub transfer_method: String,
    /// Where a remote file is, or the path of a tool's file.
    pub url: Option<String>,
    /// The uploaded file or the tool's file.
    pub upload_file_id: Option<Uuid>,
    /// `user` (or nothing) or `assistant`.
    pub belongs_to: Option<String>,
    /// Name of the file.
    pub name: Option<String>,
    /// Bytes.
    pub size: Option<i32>,
    /// Media type.
    pub mime_type: Option<String>,
    /// Extension without dot, of uploads.
    pub extension: Option<String>,
}

/// Files of messages that were found through their app, of the app's workspace.
#[tracing::instrument(name = "db.message_list.files", skip_all, err)]
#[boxed]
pub async fn files(
    db: &mut PgConnection,
    tenant: TenantId,
    messages: &[Uuid],
) -> Result<Vec<FileRow>> {
    Ok(sqlx::query_as!(
        FileRow,
        r#"
        SELECT f.id, f.message_id, f.type, f.transfer_method, f.url, f.upload_file_id AS "upload_file_id?: Uuid",
               f.belongs_to,
               coalesce(u.name, t.name) AS name, coalesce(u.size, t.size) AS size,
               coalesce(u.mime_type, t.mimetype) AS mime_type, u.extension AS "extension?"
        FROM message_files f
        LEFT JOIN upload_files u
          ON u.tenant_id = $1 AND u.id = f.upload_file_id AND f.transfer_method IN ('local_file', 'remote_url')
        LEFT JOIN tool_files t
          ON t.tenant_id = $1 AND t.id = f.upload_file_id AND f.transfer_method = 'tool_file'
        WHERE f.message_id = ANY($2)
        ORDER BY f.created_at, f.id
        "#,
        tenant as _,
        messages,
    )
    .fetch_all(db)
    .await?)
}

/// What was thought of an answer.
#[derive(Debug, Clone)]
pub struct FeedbackRow {
    /// The row.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// `like` or `dislike`.
    pub rating: String,
    /// In words.
    pub content: Option<String>,
    /// `user` or `admin`.
    pub from_source: String,
    /// The end user.
    pub from_end_user_id: Option<EndUserId>,
    /// The console user.
    pub from_account_id: Option<AccountId>,
    /// The console user's name.
    pub account_name: Option<String>,
    /// The console user's address.
    pub account_email: Option<String>,
    /// When.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
}

/// What was thought of messages of an app.
#[tracing::instrument(name = "db.message_list.feedbacks", skip_all, err)]
#[boxed]
pub async fn feedbacks(
    db: &mut PgConnection,
    app: AppId,
    messages: &[Uuid],
) -> Result<Vec<FeedbackRow>> {
    Ok(sqlx::query_as!(
        FeedbackRow,
        r#"
        SELECT f.id, f.app_id, f.conversation_id, f.message_id, f.rating, f.content, f.from_source, f.from_end_user_id,
               f.from_account_id, a.name AS "account_name?", a.email AS "account_email?", f.created_at, f.updated_at
        FROM message_feedbacks f LEFT JOIN accounts a ON a.id = f.from_account_id
        WHERE f.app_id = $1 AND f.message_id = ANY($2)
        ORDER BY f.updated_at, f.created_at, f.id
        "#,
        app as _,
        messages,
    )
    .fetch_all(db)
    .await?)
}

/// The annotation of a message, or the one that answered it.
#[derive(Debug, Clone)]
pub struct NoteRow {
    /// The message.
    pub message_id: MessageId,
    /// The annotation.
    pub id: AnnotationId,
    /// Its question.
    pub question: String,
    /// Its answer.
    pub content: String,
    /// Who wrote it.
    pub account_id: AccountId,
    /// That user's name.
    pub account_name: Option<String>,
    /// That user's address.
    pub account_email: Option<String>,
    /// When.
    pub created_at: NaiveDateTime,
}

/// Annotations made of messages of an app.
#[tracing::instrument(name = "db.message_list.annotations", skip_all, err)]
#[boxed]
pub async fn annotations(
    db: &mut PgConnection,
    app: AppId,
    messages: &[Uuid],
) -> Result<Vec<NoteRow>> {
    Ok(sqlx::query_as!(
        NoteRow,
        r#"
        SELECT n.message_id AS "message_id!", n.id, n.question, n.content, n.account_id,
               a.name AS "account_name?", a.email AS "account_email?", n.created_at
        FROM message_annotations n LEFT JOIN accounts a ON a.id = n.account_id
        WHERE n.app_id = $1 AND n.message_id = ANY($2)
        "#,
        app as _,
        messages,
    )
    .fetch_all(db)
    .await?)
}

/// Annotations that answered messages of an app.
#[tracing::instrument(name = "db.message_list.annotation_hits", skip_all, err)]
#[boxed]
pub async fn annotation_hits(
    db: &mut PgConnection,
    app: AppId,
    messages: &[Uuid],
) -> Result<Vec<NoteRow>> {
    Ok(sqlx::query_as!(
        NoteRow,
        r#"
        SELECT h.message_id, n.id, n.question, n.content, n.account_id,
               a.name AS "account_name?", a.email AS "account_email?", n.created_at
        FROM app_annotation_hit_histories h
        JOIN message_annotations n ON n.app_id = h.app_id AND n.id = h.annotation_id
        LEFT JOIN accounts a ON a.id = n.account_id
        WHERE h.app_id = $1 AND h.message_id = ANY($2)
        "#,
        app as _,
        messages,
    )
    .fetch_all(db)
    .await?)
}

/// A form a run of a chatflow waits for, or waited for.
#[derive(Debug, Clone)]
pub struct FormRow {
    /// The message.
    pub message_id: MessageId,
    /// The run.
    pub workflow_run_id: WorkflowRunId,
    /// The form.
    pub form_id: Uuid,
    /// Its node.
    pub node_id: String,
    /// JSON: what the form asks for.
    pub form_definition: String,
    /// Its text.
    pub rendered_content: String,
    /// `waiting`, `submitted` …
    pub status: String,
    /// Until when it can be sent.
    pub expiration_time: NaiveDateTime,
    /// The button that was pressed.
    pub selected_action_id: Option<String>,
    /// JSON: what was filled in.
    pub submitted_data: Option<String>,
    /// When it was sent.
    pub submitted_at: Option<NaiveDateTime>,
    /// What opens the form.
    pub token: Option<String>,
}

/// Forms of messages that were found through their app.
#[tracing::instrument(name = "db.message_list.forms", skip_all, err)]
#[boxed]
pub async fn forms(db: &mut PgConnection, app: AppId, messages: &[Uuid]) -> Result<Vec<FormRow>> {
    Ok(sqlx::query_as!(
        FormRow,
        r#"
        SELECT x.message_id AS "message_id!: MessageId", x.workflow_run_id AS "workflow_run_id: WorkflowRunId",
               f.id AS "form_id: Uuid", f.node_id, f.form_definition,
               f.rendered_content, f.status, f.expiration_time, f.selected_action_id, f.submitted_data, f.submitted_at,
               (
                   SELECT r.access_token FROM human_input_form_recipients r
                   WHERE r.form_id = f.id AND r.recipient_type IN ('console', 'standalone_web_app')
                     AND r.access_token <> ''
                   ORDER BY r.recipient_type = 'console' DESC, r.created_at LIMIT 1
               ) AS token
        FROM execution_extra_contents x JOIN human_input_forms f ON f.id = x.form_id AND f.app_id = $1
        WHERE x.message_id = ANY($2) AND x.type = 'human_input'
        ORDER BY x.created_at, x.id
        "#,
        app as _,
        messages,
    )
    .fetch_all(db)
    .await?)
}
