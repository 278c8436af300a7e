//! `saved_messages`: answers of completion apps that a user keeps.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AppId, MessageId};
use uuid::Uuid;

use crate::Result;

/// Whose saved messages (or pinned conversations) are meant.
#[derive(Debug, Clone, Copy)]
pub struct Keeper<'a> {
    /// The app.
    pub app: AppId,
    /// `account` or `end_user`.
    pub role: &'a str,
    /// The account or end user.
    pub id: Uuid,
}

/// What a keeper saved of an app, newest first.
#[tracing::instrument(name = "db.saved_message.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, keeper: Keeper<'_>) -> Result<Vec<MessageId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT message_id
        FROM saved_messages
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

/// Saves a message, unless it is saved; in a transaction, so that the same request made twice at once saves once.
#[tracing::instrument(name = "db.saved_message.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, keeper: Keeper<'_>, message: MessageId) -> Result<()> {
    crate::lock::hold(db, &format!("saved_message:{message}:{}", keeper.id)).await?;
    sqlx::query!(
        r#"
        INSERT INTO saved_messages (id, app_id, message_id, created_by_role, created_by)
        SELECT $1, $2, $3, $4::text, $5
        WHERE NOT EXISTS (
            SELECT 1 FROM saved_messages
            WHERE app_id = $2 AND message_id = $3 AND created_by_role = $4::text AND created_by = $5
        )
        "#,
        Uuid::new_v4(),
        keeper.app as _,
        message as _,
        keeper.role,
        keeper.id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Drops a saved message.
#[tracing::instrument(name = "db.saved_message.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, keeper: Keeper<'_>, message: MessageId) -> Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM saved_messages
        WHERE app_id = $1 AND message_id = $2 AND created_by_role = $3 AND created_by = $4
        "#,
        keeper.app as _,
        message as _,
        keeper.role,
        keeper.id,
    )
    .execute(db)
    .await?;
    Ok(())
}
