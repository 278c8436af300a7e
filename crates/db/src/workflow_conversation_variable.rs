//! `workflow_conversation_variables`: the variables of a chatflow's conversation.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, ConversationId};
use uuid::Uuid;

use crate::Result;

/// One variable of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationVariable {
    /// The variable's id in the workflow.
    pub id: Uuid,
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The app.
    pub app_id: AppId,
    /// JSON of the variable: `{value_type, value, id, name, description, selector}`.
    pub data: String,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
}

/// All variables of a conversation.
#[tracing::instrument(name = "db.workflow_conversation_variable.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
) -> Result<Vec<ConversationVariable>> {
    Ok(sqlx::query_as!(
        ConversationVariable,
        r#"
        SELECT id, conversation_id, app_id, data, created_at, updated_at
        FROM workflow_conversation_variables
        WHERE app_id = $1 AND conversation_id = $2
        ORDER BY created_at, id
        "#,
        app as _,
        conversation as _,
    )
    .fetch_all(db)
    .await?)
}

/// The variable of a conversation.
#[tracing::instrument(name = "db.workflow_conversation_variable.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    id: Uuid,
) -> Result<Option<ConversationVariable>> {
    Ok(sqlx::query_as!(
        ConversationVariable,
        r#"
        SELECT id, conversation_id, app_id, data, created_at, updated_at
        FROM workflow_conversation_variables
        WHERE app_id = $1 AND conversation_id = $2 AND id = $3
        "#,
        app as _,
        conversation as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Adds a variable to a conversation unless it has it.
#[tracing::instrument(name = "db.workflow_conversation_variable.insert_missing", skip_all, err)]
#[boxed]
pub async fn insert_missing(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    id: Uuid,
    data: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_conversation_variables (id, conversation_id, app_id, data, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (id, conversation_id) DO NOTHING
        "#,
        id,
        conversation as _,
        app as _,
        data,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces a variable of a conversation; whether it is there.
#[tracing::instrument(name = "db.workflow_conversation_variable.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    app: AppId,
    conversation: ConversationId,
    id: Uuid,
    data: &str,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_conversation_variables
        SET data = $4, updated_at = $5
        WHERE app_id = $1 AND conversation_id = $2 AND id = $3
        "#,
        app as _,
        conversation as _,
        id,
        data,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}
