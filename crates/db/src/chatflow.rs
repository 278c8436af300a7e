//! What binds a chatflow's message to its run, and runs that wait.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, ConversationId, MessageId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// Notes which run answers a message. Belongs into the transaction that adds both.
#[tracing::instrument(name = "db.chatflow.attach", skip_all, err)]
#[boxed]
pub async fn attach(
    db: &mut PgConnection,
    app: AppId,
    message: MessageId,
    run: WorkflowRunId,
) -> Result<()> {
    sqlx::query!(
        "UPDATE messages SET workflow_run_id = $3 WHERE app_id = $1 AND id = $2",
        app as _,
        message as _,
        run as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the features a conversation began with.
#[tracing::instrument(name = "db.chatflow.keep_features", skip_all, err)]
#[boxed]
pub async fn keep_features(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    features: &str,
) -> Result<()> {
    sqlx::query!(
        "UPDATE conversations SET override_model_configs = $3 WHERE app_id = $1 AND id = $2",
        app as _,
        conversation as _,
        features,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The message a run answers.
#[tracing::instrument(name = "db.chatflow.message_of", skip_all, err)]
#[boxed]
pub async fn message_of(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    run: WorkflowRunId,
) -> Result<Option<MessageId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT id AS "id: MessageId" FROM messages
        WHERE app_id = $1 AND conversation_id = $2 AND workflow_run_id = $3
        "#,
        app as _,
        conversation as _,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A form that is part of a message.
#[derive(Debug, Clone, Copy)]
pub struct NewContent {
    /// The run that shows it.
    pub run: WorkflowRunId,
    /// The message the run answers.
    pub message: MessageId,
    /// The form.
    pub form: Uuid,
    /// When.
    pub now: NaiveDateTime,
}

/// Makes a form part of a message, unless it is.
#[tracing::instrument(name = "db.chatflow.add_content", skip_all, err)]
#[boxed]
pub async fn add_content(db: &mut PgConnection, new: NewContent) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO execution_extra_contents (id, created_at, updated_at, type, workflow_run_id, message_id, form_id)
        SELECT $1, $2, $2, 'human_input', $3, $4, $5
        WHERE NOT EXISTS (
            SELECT 1 FROM execution_extra_contents WHERE workflow_run_id = $3 AND message_id = $4 AND form_id = $5
        )
        "#,
        Uuid::now_v7(),
        new.now,
        new.run as _,
        new.message as _,
        new.form,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A run that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// JSON: the graph it began with.
    pub graph: String,
    /// The object with its state.
    pub state_object_key: String,
}

/// The run with that id, if it waits and nobody goes on with it. Of any workspace: who asks has the id from a form or
/// from the queue, and its state says whose it is.
#[tracing::instrument(name = "db.chatflow.waiting_by_id", skip_all, err)]
#[boxed]
pub async fn waiting_by_id(db: &mut PgConnection, run: WorkflowRunId) -> Result<Option<Waiting>> {
    Ok(sqlx::query_as!(
        Waiting,
        r#"
        SELECT coalesce(r.graph, '{}') AS "graph!", p.state_object_key
        FROM workflow_pauses p JOIN workflow_runs r ON r.id = p.workflow_run_id
        WHERE r.id = $1 AND r.status = 'paused' AND p.resumed_at IS NULL
        "#,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Whether a form that a waiting run waits for waits no more itself.
#[tracing::instrument(name = "db.chatflow.is_answered", skip_all, err)]
#[boxed]
pub async fn is_answered(db: &mut PgConnection, run: WorkflowRunId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1
            FROM workflow_pauses p
            JOIN workflow_pause_reasons e ON e.pause_id = p.id
            JOIN human_input_forms f ON f.id::text = e.form_id
            WHERE p.workflow_run_id = $1 AND f.status IN ('submitted', 'timeout')
        ) AS "answered!"
        "#,
        run as _,
    )
    .fetch_one(db)
    .await?)
}

/// Waiting runs, of every workspace, with a form that waits no more since `before`.
#[tracing::instrument(name = "db.chatflow.answered_but_waiting", skip_all, err)]
#[boxed]
pub async fn answered_but_waiting(
    db: &mut PgConnection,
    before: NaiveDateTime,
    limit: i64,
) -> Result<Vec<WorkflowRunId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT p.workflow_run_id AS "run: WorkflowRunId"
        FROM workflow_pauses p JOIN workflow_runs r ON r.id = p.workflow_run_id
        WHERE p.resumed_at IS NULL AND r.status = 'paused'
          AND EXISTS (
            SELECT 1
            FROM workflow_pause_reasons e JOIN human_input_forms f ON f.id::text = e.form_id
            WHERE e.pause_id = p.id AND f.status IN ('submitted', 'timeout') AND f.updated_at < $1
          )
        LIMIT $2
        "#,
        before,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// What a message says so far.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The answer, as far as it is stored.
    pub answer: String,
    /// When it was asked.
    pub created_at: NaiveDateTime,
}

/// What a message of an app says so far.
#[tracing::instrument(name = "db.chatflow.said", skip_all, err)]
#[boxed]
pub async fn said(db: &mut PgConnection, app: AppId, message: MessageId) -> Result<Option<Said>> {
    Ok(sqlx::query_as!(
        Said,
        "SELECT conversation_id, answer, created_at FROM messages WHERE app_id = $1 AND id = $2",
        app as _,
        message as _,
    )
    .fetch_optional(db)
    .await?)
}
