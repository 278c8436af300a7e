//! `message_files`: what users sent with a message, and what answers brought.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, MessageId};
use uuid::Uuid;

use crate::Result;

/// A file of a message.
#[derive(Debug, Clone)]
pub struct MessageFile {
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
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who brought it.
    pub created_by: Uuid,
    /// When.
    pub created_at: NaiveDateTime,
}

/// Adds files of messages.
#[tracing::instrument(name = "db.message_file.insert_all", skip_all, err)]
#[boxed]
pub async fn insert_all(db: &mut PgConnection, rows: &[MessageFile]) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let messages: Vec<Uuid> = rows.iter().map(|row| row.message_id.0).collect();
    let types: Vec<String> = rows.iter().map(|row| row.r#type.clone()).collect();
    let methods: Vec<String> = rows.iter().map(|row| row.transfer_method.clone()).collect();
    let urls: Vec<Option<String>> = rows.iter().map(|row| row.url.clone()).collect();
    let uploads: Vec<Option<Uuid>> = rows.iter().map(|row| row.upload_file_id).collect();
    let sides: Vec<Option<String>> = rows.iter().map(|row| row.belongs_to.clone()).collect();
    let roles: Vec<String> = rows.iter().map(|row| row.created_by_role.clone()).collect();
    let users: Vec<Uuid> = rows.iter().map(|row| row.created_by).collect();
    let times: Vec<NaiveDateTime> = rows.iter().map(|row| row.created_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO message_files (id, message_id, type, transfer_method, url, upload_file_id, belongs_to, created_by_role,
                                   created_by, created_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[],
                             $8::text[], $9::uuid[], $10::timestamp[])
        "#,
        &ids,
        &messages,
        &types,
        &methods,
        &urls as &[Option<String>],
        &uploads as &[Option<Uuid>],
        &sides as &[Option<String>],
        &roles,
        &users,
        &times,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The files of messages of an app, in the order they were added.
#[tracing::instrument(name = "db.message_file.of_messages", skip_all, err)]
#[boxed]
pub async fn of_messages(
    db: &mut PgConnection,
    app: AppId,
    messages: &[MessageId],
) -> Result<Vec<MessageFile>> {
    let messages: Vec<Uuid> = messages.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        MessageFile,
        r#"
        SELECT f.id, f.message_id, f.type, f.transfer_method, f.url, f.upload_file_id AS "upload_file_id: Uuid",
               f.belongs_to, f.created_by_role, f.created_by, f.created_at
        FROM message_files f JOIN messages m ON m.id = f.message_id
        WHERE m.app_id = $1 AND f.message_id = ANY($2)
        ORDER BY f.created_at, f.id
        "#,
        app as _,
        &messages,
    )
    .fetch_all(db)
    .await?)
}
