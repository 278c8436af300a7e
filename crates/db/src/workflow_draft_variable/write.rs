//! Statements that change draft variables.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, TenantId, UploadFileId};
use uuid::Uuid;

use super::{NewFile, NewVariable};
use crate::Result;

/// Writes a variable; one with the same selector of the same user keeps its id and takes the new content
/// and time, so that lists show it first.
#[tracing::instrument(name = "db.workflow_draft_variable.upsert", skip_all, err)]
#[boxed]
pub async fn upsert(db: &mut PgConnection, new: &NewVariable<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_draft_variables (id, app_id, user_id, node_id, name, description, selector, value_type,
            value, visible, editable, node_execution_id, file_id, is_default_value, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
        ON CONFLICT (app_id, user_id, node_id, name) DO UPDATE
        SET created_at = excluded.created_at, updated_at = excluded.updated_at, last_edited_at = NULL, description = excluded.description,
            value_type = excluded.value_type, value = excluded.value, visible = excluded.visible,
            editable = excluded.editable, node_execution_id = excluded.node_execution_id, file_id = excluded.file_id,
            is_default_value = excluded.is_default_value
        "#,
        new.id,
        new.app as _,
        new.user as _,
        new.node,
        new.name,
        new.description,
        new.selector,
        new.value_type,
        new.value,
        new.visible,
        new.editable,
        new.node_execution as _,
        new.file,
        new.is_default_value,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes a variable unless its selector is taken.
#[tracing::instrument(name = "db.workflow_draft_variable.insert_missing", skip_all, err)]
#[boxed]
pub async fn insert_missing(db: &mut PgConnection, new: &NewVariable<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_draft_variables (id, app_id, user_id, node_id, name, description, selector, value_type,
            value, visible, editable, node_execution_id, file_id, is_default_value, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
        ON CONFLICT (app_id, user_id, node_id, name) DO NOTHING
        "#,
        new.id,
        new.app as _,
        new.user as _,
        new.node,
        new.name,
        new.description,
        new.selector,
        new.value_type,
        new.value,
        new.visible,
        new.editable,
        new.node_execution as _,
        new.file,
        new.is_default_value,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What an edit leaves in a variable.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its selector, JSON.
    pub selector: &'a str,
    /// The type of `value`.
    pub value_type: &'a str,
    /// JSON text.
    pub value: &'a str,
    /// When it was edited; `None` puts it back to unedited.
    pub edited_at: Option<NaiveDateTime>,
    /// When the row changes.
    pub now: NaiveDateTime,
}

/// Changes a variable; whether it is there.
#[tracing::instrument(name = "db.workflow_draft_variable.edit", skip_all, err)]
#[boxed]
pub async fn edit(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    id: Uuid,
    edit: Edit<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_draft_variables
        SET name = $4, selector = $5, value_type = $6, value = $7, last_edited_at = $8, updated_at = $9
        WHERE app_id = $1 AND user_id = $2 AND id = $3
        "#,
        app as _,
        user as _,
        id,
        edit.name,
        edit.selector,
        edit.value_type,
        edit.value,
        edit.edited_at,
        edit.now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes a variable.
#[tracing::instrument(name = "db.workflow_draft_variable.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, app: AppId, user: AccountId, id: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM workflow_draft_variables WHERE app_id = $1 AND user_id = $2 AND id = $3",
        app as _,
        user as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the variables of a node, or all of them; answers the files of the large ones.
#[tracing::instrument(name = "db.workflow_draft_variable.delete_many", skip_all, err)]
#[boxed]
pub async fn delete_many(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    node: Option<&str>,
) -> Result<Vec<Uuid>> {
    let files = sqlx::query_scalar!(
        r#"
        DELETE FROM workflow_draft_variables
        WHERE app_id = $1 AND user_id = $2 AND ($3::text IS NULL OR node_id = $3)
        RETURNING file_id
        "#,
        app as _,
        user as _,
        node,
    )
    .fetch_all(db)
    .await?;
    Ok(files.into_iter().flatten().collect())
}

/// Notes the file of a large value.
#[tracing::instrument(name = "db.workflow_draft_variable.insert_file", skip_all, err)]
#[boxed]
pub async fn insert_file(db: &mut PgConnection, new: NewFile<'_>) -> Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        r#"
        INSERT INTO workflow_draft_variable_files (id, created_at, tenant_id, app_id, user_id, upload_file_id, size,
                                                   length, value_type)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        id,
        new.now,
        new.tenant as _,
        new.app as _,
        new.user as _,
        new.upload_file as _,
        new.size,
        new.length,
        new.value_type,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// A file of a large value that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedFile {
    /// The uploaded file.
    pub upload_file: UploadFileId,
    /// Its object; `None` if the upload was gone already.
    pub key: Option<String>,
}

/// Forgets files of large values that no variable names any more, with their uploads; answers the objects to delete.
#[tracing::instrument(name = "db.workflow_draft_variable.delete_files", skip_all, err)]
#[boxed]
pub async fn delete_files(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    files: &[Uuid],
) -> Result<Vec<DroppedFile>> {
    Ok(sqlx::query_as!(
        DroppedFile,
        r#"
        WITH gone AS (
            DELETE FROM workflow_draft_variable_files f
            WHERE f.tenant_id = $1 AND f.app_id = $2 AND f.id = ANY($3)
              AND NOT EXISTS (SELECT 1 FROM workflow_draft_variables v WHERE v.file_id = f.id)
            RETURNING f.upload_file_id
        ), uploads AS (
            DELETE FROM upload_files u USING gone WHERE u.tenant_id = $1 AND u.id = gone.upload_file_id
            RETURNING u.id, u.key
        )
        SELECT gone.upload_file_id AS "upload_file!: UploadFileId", uploads.key AS "key?"
        FROM gone LEFT JOIN uploads ON uploads.id = gone.upload_file_id
        "#,
        tenant as _,
        app as _,
        files,
    )
    .fetch_all(db)
    .await?)
}

/// An upload the server makes of a large value.
#[derive(Debug, Clone, Copy)]
pub struct NewUpload<'a> {
    /// The upload.
    pub id: UploadFileId,
    /// The workspace.
    pub tenant: TenantId,
    /// As `STORAGE_TYPE` names it.
    pub storage_type: &'a str,
    /// Its object.
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Bytes.
    pub size: i32,
    /// Without dot.
    pub extension: &'a str,
    /// Its media type.
    pub mime_type: &'a str,
    /// Whose variable it is.
    pub by: AccountId,
    /// When.
    pub now: NaiveDateTime,
}

/// Notes an upload the server makes of a large value.
#[tracing::instrument(name = "db.workflow_draft_variable.insert_upload", skip_all, err)]
#[boxed]
pub async fn insert_upload(db: &mut PgConnection, new: &NewUpload<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO upload_files (id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role,
                                  created_by, created_at, used)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'account', $9, $10, false)
        "#,
        new.id as _,
        new.tenant as _,
        new.storage_type,
        new.key,
        new.name,
        new.size,
        new.extension,
        new.mime_type,
        new.by as _,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}
