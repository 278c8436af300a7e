//! `upload_files`: what users brought in. The bytes are in object storage under `key`.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId, UploadFileId};
use uuid::Uuid;

use crate::Result;

/// An uploaded file.
#[derive(Debug, Clone)]
pub struct UploadFile {
    /// The file.
    pub id: UploadFileId,
    /// Its workspace.
    pub tenant_id: TenantId,
    /// The kind of storage it was written to, as `STORAGE_TYPE` names it.
    pub storage_type: String,
    /// Its object.
    pub key: String,
    /// As the user named it, at most about 200 characters.
    pub name: String,
    /// Bytes.
    pub size: i32,
    /// Small letters, no dot; empty without one.
    pub extension: String,
    /// As the client or the remote server said.
    pub mime_type: Option<String>,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who brought it.
    pub created_by: Uuid,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Whether a document or a message took it up.
    pub used: bool,
    /// Who did.
    pub used_by: Option<Uuid>,
    /// When.
    pub used_at: Option<NaiveDateTime>,
    /// SHA3-256 of the content, hex.
    pub hash: Option<String>,
    /// Where it came from, or the signed link made when it was uploaded.
    pub source_url: String,
}

/// What a new uploaded file is made of.
#[derive(Debug, Clone)]
pub struct NewUploadFile<'a> {
    /// See [`UploadFile::id`].
    pub id: UploadFileId,
    /// See [`UploadFile::tenant_id`].
    pub tenant: TenantId,
    /// See [`UploadFile::storage_type`].
    pub storage_type: &'a str,
    /// See [`UploadFile::key`].
    pub key: &'a str,
    /// See [`UploadFile::name`].
    pub name: &'a str,
    /// See [`UploadFile::size`].
    pub size: i32,
    /// See [`UploadFile::extension`].
    pub extension: &'a str,
    /// See [`UploadFile::mime_type`].
    pub mime_type: &'a str,
    /// See [`UploadFile::created_by_role`].
    pub created_by_role: &'a str,
    /// See [`UploadFile::created_by`].
    pub created_by: Uuid,
    /// See [`UploadFile::created_at`].
    pub created_at: NaiveDateTime,
    /// Whether it is in use from the start (text the server wrote itself).
    pub used: bool,
    /// See [`UploadFile::hash`].
    pub hash: Option<&'a str>,
    /// See [`UploadFile::source_url`].
    pub source_url: &'a str,
}

/// Adds an uploaded file.
#[tracing::instrument(name = "db.upload_file.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewUploadFile<'_>) -> Result<UploadFile> {
    let user = new.used.then_some(new.created_by);
    let time = new.used.then_some(new.created_at);
    Ok(sqlx::query_as!(
        UploadFile,
        r#"
        INSERT INTO upload_files (id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role,
                                  created_by, created_at, used, used_by, used_at, hash, source_url)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        RETURNING id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role, created_by,
                  created_at, used, used_by, used_at, hash, source_url
        "#,
        new.id as _,
        new.tenant as _,
        new.storage_type,
        new.key,
        new.name,
        new.size,
        new.extension,
        new.mime_type,
        new.created_by_role,
        new.created_by,
        new.created_at,
        new.used,
        user,
        time,
        new.hash,
        new.source_url,
    )
    .fetch_one(db)
    .await?)
}

/// The file, if it is `tenant`'s.
#[tracing::instrument(name = "db.upload_file.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: UploadFileId,
) -> Result<Option<UploadFile>> {
    Ok(sqlx::query_as!(
        UploadFile,
        r#"
        SELECT id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role, created_by, created_at,
               used, used_by, used_at, hash, source_url
        FROM upload_files
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Those of `ids` that are `tenant`'s, in no order.
#[tracing::instrument(name = "db.upload_file.find_many", skip_all, err)]
#[boxed]
pub async fn find_many(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[UploadFileId],
) -> Result<Vec<UploadFile>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        UploadFile,
        r#"
        SELECT id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role, created_by, created_at,
               used, used_by, used_at, hash, source_url
        FROM upload_files
        WHERE tenant_id = $1 AND id = ANY($2)
        "#,
        tenant as _,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// Pictures that belong to a segment of one of `tenant`'s knowledge bases.
#[tracing::instrument(name = "db.upload_file.of_segment", skip_all, err)]
#[boxed]
pub async fn of_segment(
    db: &mut PgConnection,
    tenant: TenantId,
    segment: Uuid,
) -> Result<Vec<UploadFile>> {
    Ok(sqlx::query_as!(
        UploadFile,
        r#"
        SELECT f.id, f.tenant_id, f.storage_type, f.key, f.name, f.size, f.extension, f.mime_type, f.created_by_role,
               f.created_by, f.created_at, f.used, f.used_by, f.used_at, f.hash, f.source_url
        FROM segment_attachment_bindings b JOIN upload_files f ON f.id = b.attachment_id
        WHERE b.tenant_id = $1 AND f.tenant_id = $1 AND b.segment_id = $2
        ORDER BY b.created_at, b.id
        "#,
        tenant as _,
        segment,
    )
    .fetch_all(db)
    .await?)
}

/// The file a signed link names. Only for callers that have checked the link's signature, which is what proves that
/// they may see it.
#[tracing::instrument(name = "db.upload_file.find_signed", skip_all, err)]
#[boxed]
pub async fn find_signed(db: &mut PgConnection, id: UploadFileId) -> Result<Option<UploadFile>> {
    Ok(sqlx::query_as!(
        UploadFile,
        r#"
        SELECT id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role, created_by, created_at,
               used, used_by, used_at, hash, source_url
        FROM upload_files
        WHERE id = $1
        "#,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Where a file is used in messages.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// In a message of any app of the workspace.
    pub in_messages: bool,
    /// In a message of the app asked about.
    pub in_app: bool,
}

/// Whether messages of the workspace, and of `app`, carry the file.
#[tracing::instrument(name = "db.upload_file.use_in_messages", skip_all, err)]
#[boxed]
pub async fn use_in_messages(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: UploadFileId,
) -> Result<Use> {
    Ok(sqlx::query_as!(
        Use,
        r#"
        SELECT count(*) > 0 AS "in_messages!", coalesce(bool_or(m.app_id = $2), false) AS "in_app!"
        FROM message_files f
        JOIN messages m ON m.id = f.message_id
        JOIN apps a ON a.id = m.app_id AND a.tenant_id = $1
        WHERE f.upload_file_id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
    )
    .fetch_one(db)
    .await?)
}

/// Notes that the files were taken up; files in use already keep what was noted first.
#[tracing::instrument(name = "db.upload_file.mark_used", skip_all, err)]
#[boxed]
pub async fn mark_used(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[UploadFileId],
    by: Uuid,
    now: NaiveDateTime,
) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        r#"
        UPDATE upload_files
        SET used = true, used_by = $3, used_at = $4
        WHERE tenant_id = $1 AND id = ANY($2) AND NOT used
        "#,
        tenant as _,
        &ids,
        by,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes the file's row; answers the key of its object.
#[tracing::instrument(name = "db.upload_file.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    tenant: TenantId,
    id: UploadFileId,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "DELETE FROM upload_files WHERE tenant_id = $1 AND id = $2 RETURNING key",
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}
