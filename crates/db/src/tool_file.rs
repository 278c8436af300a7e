//! `tool_files`: what tools and plugins made. The bytes are in object storage under `file_key`.

use boxed::boxed;
use sqlx::PgConnection;
use types::{ConversationId, TenantId, ToolFileId};
use uuid::Uuid;

use crate::Result;

/// A file made by a tool.
#[derive(Debug, Clone)]
pub struct ToolFile {
    /// The file.
    pub id: ToolFileId,
    /// The account or end user it was made for.
    pub user_id: Uuid,
    /// Its workspace.
    pub tenant_id: TenantId,
    /// The chat it was made in.
    pub conversation_id: Option<ConversationId>,
    /// Its object.
    pub file_key: String,
    /// Its media type.
    pub mimetype: String,
    /// Where the tool got it from.
    pub original_url: Option<String>,
    /// Display name.
    pub name: String,
    /// Bytes; -1 in rows of old releases that did not count.
    pub size: i32,
}

/// What a new tool file is made of.
#[derive(Debug, Clone)]
pub struct NewToolFile<'a> {
    /// See [`ToolFile::user_id`].
    pub user: Uuid,
    /// See [`ToolFile::tenant_id`].
    pub tenant: TenantId,
    /// See [`ToolFile::conversation_id`].
    pub conversation: Option<ConversationId>,
    /// See [`ToolFile::file_key`].
    pub file_key: &'a str,
    /// See [`ToolFile::mimetype`].
    pub mimetype: &'a str,
    /// See [`ToolFile::original_url`].
    pub original_url: Option<&'a str>,
    /// See [`ToolFile::name`].
    pub name: &'a str,
    /// See [`ToolFile::size`].
    pub size: i32,
}

/// Adds a tool file.
#[tracing::instrument(name = "db.tool_file.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewToolFile<'_>) -> Result<ToolFile> {
    Ok(sqlx::query_as!(
        ToolFile,
        r#"
        INSERT INTO tool_files (id, user_id, tenant_id, conversation_id, file_key, mimetype, original_url, name, size)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        RETURNING id, user_id, tenant_id, conversation_id, file_key, mimetype, original_url, name, size
        "#,
        ToolFileId::random() as _,
        new.user,
        new.tenant as _,
        new.conversation as _,
        new.file_key,
        new.mimetype,
        new.original_url,
        new.name,
        new.size,
    )
    .fetch_one(db)
    .await?)
}

/// The file, if it is `tenant`'s.
#[tracing::instrument(name = "db.tool_file.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: ToolFileId,
) -> Result<Option<ToolFile>> {
    Ok(sqlx::query_as!(
        ToolFile,
        r#"
        SELECT id, user_id, tenant_id, conversation_id, file_key, mimetype, original_url, name, size
        FROM tool_files
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Those of `ids` that are `tenant`'s, in no order.
#[tracing::instrument(name = "db.tool_file.find_many", skip_all, err)]
#[boxed]
pub async fn find_many(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[ToolFileId],
) -> Result<Vec<ToolFile>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        ToolFile,
        r#"
        SELECT id, user_id, tenant_id, conversation_id, file_key, mimetype, original_url, name, size
        FROM tool_files
        WHERE tenant_id = $1 AND id = ANY($2)
        "#,
        tenant as _,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// The file a signed link names. Only for callers that have checked the link's signature, which is what proves that
/// they may see it.
#[tracing::instrument(name = "db.tool_file.find_signed", skip_all, err)]
#[boxed]
pub async fn find_signed(db: &mut PgConnection, id: ToolFileId) -> Result<Option<ToolFile>> {
    Ok(sqlx::query_as!(
        ToolFile,
        r#"
        SELECT id, user_id, tenant_id, conversation_id, file_key, mimetype, original_url, name, size
        FROM tool_files
        WHERE id = $1
        "#,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}
