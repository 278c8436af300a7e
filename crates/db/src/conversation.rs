//! `conversations`, as runs need them: found for a caller, named. Runs add conversations together with their first
//! message, see [`crate::message::begin`].

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, AppModelConfigId, ConversationId, EndUserId};

use crate::Result;

/// What a run needs to know of the conversation it goes on in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunConversation {
    /// The conversation.
    pub id: ConversationId,
    /// The configuration it began with and keeps.
    pub app_model_config_id: Option<AppModelConfigId>,
    /// The mode of the app when it began.
    pub mode: String,
}

/// Whose conversation it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A console user's, begun in the console.
    Account(AccountId),
    /// An app user's.
    EndUser(EndUserId),
}

/// The conversation, if it is the owner's and not deleted.
#[tracing::instrument(name = "db.conversation.find_for_run", skip_all, err)]
#[boxed]
pub async fn find_for_run(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
    owner: Owner,
) -> Result<Option<RunConversation>> {
    let (source, end_user, account) = match owner {
        Owner::Account(id) => ("console", None, Some(id)),
        Owner::EndUser(id) => ("api", Some(id), None),
    };
    Ok(sqlx::query_as!(
        RunConversation,
        r#"
        SELECT id, app_model_config_id, mode
        FROM conversations
        WHERE app_id = $1 AND id = $2 AND NOT is_deleted AND from_source = $3
          AND from_end_user_id IS NOT DISTINCT FROM $4 AND from_account_id IS NOT DISTINCT FROM $5
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

/// Begins the conversation in which somebody tries out single nodes of a chatflow.
#[tracing::instrument(name = "db.conversation.insert_debugging", skip_all, err)]
#[boxed]
pub async fn insert_debugging(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
    mode: &str,
    by: AccountId,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO conversations (id, app_id, model_id, mode, name, inputs, introduction, system_instruction,
                                   system_instruction_tokens, status, invoke_from, from_source, from_account_id,
                                   created_at, updated_at)
        VALUES ($1, $2, '', $3, 'Draft Debugging Conversation', '{}', '', '', 0, 'normal', 'debugger', 'console', $4, $5,
                $5)
        "#,
        id as _,
        app as _,
        mode,
        by as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a conversation the name `name` unless somebody gave it another than `expected` meanwhile; whether it did.
#[tracing::instrument(name = "db.conversation.rename_from", skip_all, err)]
#[boxed]
pub async fn rename_from(
    db: &mut PgConnection,
    app: AppId,
    id: ConversationId,
    expected: &str,
    name: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE conversations SET name = $4 WHERE app_id = $1 AND id = $2 AND name = $3 AND NOT is_deleted",
        app as _,
        id as _,
        expected,
        name,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
