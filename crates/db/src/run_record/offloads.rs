//! Large values of node executions: `workflow_node_execution_offload` and the uploads behind.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Owner;
use crate::Result;

/// A column of which the row has only a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOffload {
    /// The execution.
    pub execution: Uuid,
    /// `inputs`, `process_data` or `outputs`.
    pub column: &'static str,
    /// The object with the whole JSON.
    pub key: String,
    /// The upload's name.
    pub name: String,
    /// Bytes.
    pub size: i32,
    /// As `STORAGE_TYPE` names it.
    pub storage_type: String,
    /// When.
    pub now: NaiveDateTime,
}

/// Notes where the whole of a column is. What is noted already stays.
#[tracing::instrument(name = "db.run_record.insert_offload", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, owner: Owner, new: &NewOffload) -> Result<()> {
    sqlx::query!(
        r#"
        WITH offload AS (
            INSERT INTO workflow_node_execution_offload (id, created_at, tenant_id, app_id, node_execution_id, type, file_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (node_execution_id, type) DO NOTHING
            RETURNING file_id
        )
        INSERT INTO upload_files (id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by_role,
                                  created_by, created_at, used)
        SELECT file_id, $3, $8, $9, $10, $11, 'json', 'application/json', $12, $13, $2, false
        FROM offload
        "#,
        Uuid::now_v7(),
        new.now,
        owner.tenant as _,
        owner.app as _,
        new.execution,
        new.column,
        Uuid::new_v4(),
        new.storage_type,
        new.key,
        new.name,
        new.size,
        owner.role,
        owner.user,
    )
    .execute(db)
    .await?;
    Ok(())
}
