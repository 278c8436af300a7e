//! `pinned_conversations`: chats a user keeps at the top of the list.

use boxed::boxed;
use sqlx::PgConnection;
use types::ConversationId;
use uuid::Uuid;

use crate::{Result, saved_message::Keeper};

/// What a keeper pinned of an app, newest first.
#[tracing::instrument(name = "db.pinned_conversation.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, keeper: Keeper<'_>) -> Result<Vec<ConversationId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT conversation_id
        FROM pinned_conversations
        WHERE app_id = $1 AND created_by_role = $2 AND created_by = $3
        ORDER BY created_at DESC, id
        "#,
        keeper.app as _,
        keeper.role,
        keeper.id,
    )
    .fetch_all(db)
    .await?)
}

/// Pins a chat, unless it is pinned; in a transaction, so that the same request made twice at once pins once.
#[tracing::instrument(name = "db.pinned_conversation.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    keeper: Keeper<'_>,
    conversation: ConversationId,
) -> Result<()> {
    crate::lock::hold(db, &format!("pinned_conversation:{conversation}:{}", keeper.id)).await?;
    sqlx::query!(
        r#"
        INSERT INTO pinned_conversations (id, app_id, conversation_id, created_by_role, created_by)
        SELECT $1, $2, $3, $4::text, $5
        WHERE NOT EXISTS (
            SELECT 1 FROM pinned_conversations
            WHERE app_id = $2 AND conversation_id = $3 AND created_by_role = $4::text AND created_by = $5
        )
        "#,
        Uuid::new_v4(),
        keeper.app as _,
        conversation as _,
        keeper.role,
        keeper.id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Unpins a chat.
#[tracing::instrument(name = "db.pinned_conversation.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    keeper: Keeper<'_>,
    conversation: ConversationId,
) -> Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM pinned_conversations
        WHERE app_id = $1 AND conversation_id = $2 AND created_by_role = $3 AND created_by = $4
        "#,
        keeper.app as _,
        conversation as _,
        keeper.role,
        keeper.id,
    )
    .execute(db)
    .await?;
    Ok(())
}
