//! `workflow_draft_variables`: what debugging left in the variables of a draft, by user; and the files of large ones.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, NodeExecutionId, TenantId, UploadFileId};
use uuid::Uuid;

use crate::Result;

pub mod write;

/// One variable of a draft, with the file of its whole value if that is large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftVariable {
    /// The variable.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// When somebody changed its value by hand.
    pub last_edited_at: Option<NaiveDateTime>,
    /// The node, `conversation` or `sys`.
    pub node_id: String,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// JSON list.
    pub selector: String,
    /// The type of `value`.
    pub value_type: String,
    /// JSON text; cut if there is a file.
    pub value: String,
    /// Whether the editor shows it.
    pub visible: bool,
    /// Whether it may be changed by hand.
    pub editable: bool,
    /// The execution that set it.
    pub node_execution_id: Option<Uuid>,
    /// The file of the whole value.
    pub file_id: Option<Uuid>,
    /// The uploaded file behind `file_id`.
    pub upload_file_id: Option<Uuid>,
    /// The object behind `upload_file_id`.
    pub file_key: Option<String>,
    /// Bytes of the whole value.
    pub file_size: Option<i64>,
    /// Items of the whole value, if it has some.
    pub file_length: Option<i32>,
    /// The type of the whole value.
    pub file_value_type: Option<String>,
}

/// The variable, if it is this user's in this app.
#[tracing::instrument(name = "db.workflow_draft_variable.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    id: Uuid,
) -> Result<Option<DraftVariable>> {
    Ok(sqlx::query_as!(
        DraftVariable,
        r#"
        SELECT v.id, v.app_id, v.last_edited_at, v.node_id, v.name, v.description, v.selector, v.value_type, v.value,
               v.visible, v.editable, v.node_execution_id, v.file_id, f.upload_file_id AS "upload_file_id?: Uuid",
               u.key AS "file_key?", f.size AS "file_size?", f.length AS "file_length?",
               f.value_type AS "file_value_type?"
        FROM workflow_draft_variables v
        LEFT JOIN workflow_draft_variable_files f ON f.id = v.file_id AND f.app_id = v.app_id
        LEFT JOIN upload_files u ON u.id = f.upload_file_id AND u.tenant_id = f.tenant_id
        WHERE v.app_id = $1 AND v.user_id = $2 AND v.id = $3
        "#,
        app as _,
        user as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// The variables of a node (or `conversation`, `sys`), newest first.
#[tracing::instrument(name = "db.workflow_draft_variable.list_of_node", skip_all, err)]
#[boxed]
pub async fn list_of_node(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    node: &str,
) -> Result<Vec<DraftVariable>> {
    Ok(sqlx::query_as!(
        DraftVariable,
        r#"
        SELECT v.id, v.app_id, v.last_edited_at, v.node_id, v.name, v.description, v.selector, v.value_type, v.value,
               v.visible, v.editable, v.node_execution_id, v.file_id, f.upload_file_id AS "upload_file_id?: Uuid",
               u.key AS "file_key?", f.size AS "file_size?", f.length AS "file_length?",
               f.value_type AS "file_value_type?"
        FROM workflow_draft_variables v
        LEFT JOIN workflow_draft_variable_files f ON f.id = v.file_id AND f.app_id = v.app_id
        LEFT JOIN upload_files u ON u.id = f.upload_file_id AND u.tenant_id = f.tenant_id
        WHERE v.app_id = $1 AND v.user_id = $2 AND v.node_id = $3
        ORDER BY v.created_at DESC, v.id
        "#,
        app as _,
        user as _,
        node,
    )
    .fetch_all(db)
    .await?)
}

/// The variables with these selectors: `nodes` and `names` side by side.
#[tracing::instrument(name = "db.workflow_draft_variable.find_selected", skip_all, err)]
#[boxed]
pub async fn find_selected(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    nodes: &[String],
    names: &[String],
) -> Result<Vec<DraftVariable>> {
    Ok(sqlx::query_as!(
        DraftVariable,
        r#"
        SELECT v.id, v.app_id, v.last_edited_at, v.node_id, v.name, v.description, v.selector, v.value_type, v.value,
               v.visible, v.editable, v.node_execution_id, v.file_id, f.upload_file_id AS "upload_file_id?: Uuid",
               u.key AS "file_key?", f.size AS "file_size?", f.length AS "file_length?",
               f.value_type AS "file_value_type?"
        FROM workflow_draft_variables v
        JOIN unnest($3::text[], $4::text[]) AS s (node, name) ON s.node = v.node_id AND s.name = v.name
        LEFT JOIN workflow_draft_variable_files f ON f.id = v.file_id AND f.app_id = v.app_id
        LEFT JOIN upload_files u ON u.id = f.upload_file_id AND u.tenant_id = f.tenant_id
        WHERE v.app_id = $1 AND v.user_id = $2
        "#,
        app as _,
        user as _,
        nodes,
        names,
    )
    .fetch_all(db)
    .await?)
}

/// A variable without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields of DraftVariable")]
pub struct Listed {
    pub id: Uuid,
    pub last_edited_at: Option<NaiveDateTime>,
    pub node_id: String,
    pub name: String,
    pub description: String,
    pub selector: String,
    pub value_type: String,
    pub visible: bool,
    pub file_id: Option<Uuid>,
}

/// A page of all variables of a draft, newest first.
#[tracing::instrument(name = "db.workflow_draft_variable.page", skip_all, err)]
#[boxed]
pub async fn page(
    db: &mut PgConnection,
    app: AppId,
    user: AccountId,
    limit: types::Limit,
) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        r#"
        SELECT id, last_edited_at, node_id, name, description, selector, value_type, visible, file_id
        FROM workflow_draft_variables
        WHERE app_id = $1 AND user_id = $2
        ORDER BY created_at DESC, id
        LIMIT $3 OFFSET $4
        "#,
        app as _,
        user as _,
        limit.limit,
        limit.offset(),
    )
    .fetch_all(db)
    .await?)
}

/// How many variables a draft has.
#[tracing::instrument(name = "db.workflow_draft_variable.count", skip_all, err)]
#[boxed]
pub async fn count(db: &mut PgConnection, app: AppId, user: AccountId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"SELECT COUNT(*) AS "count!" FROM workflow_draft_variables WHERE app_id = $1 AND user_id = $2"#,
        app as _,
        user as _,
    )
    .fetch_one(db)
    .await?)
}

/// A variable that is about to be written; fields as in [`DraftVariable`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields of DraftVariable")]
pub struct NewVariable<'a> {
    pub id: Uuid,
    pub app: AppId,
    pub user: AccountId,
    pub node: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub selector: &'a str,
    pub value_type: &'a str,
    pub value: &'a str,
    pub visible: bool,
    pub editable: bool,
    pub node_execution: Option<NodeExecutionId>,
    pub file: Option<Uuid>,
    pub is_default_value: bool,
    pub now: NaiveDateTime,
}

/// The file of a large value that is about to be noted.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// Whose variable it is.
    pub user: AccountId,
    /// The uploaded file.
    pub upload_file: UploadFileId,
    /// Bytes.
    pub size: i64,
    /// Items, if the value has some.
    pub length: Option<i32>,
    /// The value's type.
    pub value_type: &'a str,
    /// When.
    pub now: NaiveDateTime,
}
