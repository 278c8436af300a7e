//! `conversation_messages` beside what [`crate::message`] writes into it.

use boxed::boxed;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::Result;

/// Deletes up to `limit` copies of messages that are older than `before`, of all workspaces; how many it were.
#[tracing::instrument(name = "db.conversation_message.expire", skip_all, err)]
#[boxed]
pub async fn expire(db: &mut PgConnection, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        r#"
        DELETE FROM conversation_messages
        WHERE ctid IN (SELECT ctid FROM conversation_messages WHERE created_at < $1 LIMIT $2)
        "#,
        before,
        limit,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
