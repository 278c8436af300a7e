//! `workflows`: the draft and the published versions of an app's graph.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, TenantId, WorkflowId};
use uuid::Uuid;

use crate::Result;

pub mod version;

/// The version every draft has.
pub const DRAFT: &str = "draft";

/// One version of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// The version's row.
    pub id: WorkflowId,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// `workflow`, `chat` (advanced chat) or `rag-pipeline`.
    pub r#type: String,
    /// [`DRAFT`], or the time of publication as Python prints it.
    pub version: String,
    /// JSON `{nodes, edges, viewport}` as Python writes it.
    pub graph: String,
    /// JSON of the features.
    pub features: String,
    /// JSON by name; secrets encrypted with the workspace's key.
    pub environment_variables: String,
    /// JSON by name.
    pub conversation_variables: String,
    /// JSON by name.
    pub rag_pipeline_variables: String,
    /// Name a user gave this version.
    pub marked_name: String,
    /// Comment a user gave this version.
    pub marked_comment: String,
    /// Account that made it.
    pub created_by: Uuid,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When the row was last changed.
    pub updated_at: NaiveDateTime,
}

/// A draft that is about to be made.
#[derive(Debug, Clone)]
pub struct NewDraft<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// See [`Workflow::type`].
    pub kind: &'a str,
    /// See [`Workflow::graph`].
    pub graph: &'a str,
    /// See [`Workflow::features`].
    pub features: &'a str,
    /// See [`Workflow::environment_variables`].
    pub environment_variables: &'a str,
    /// See [`Workflow::conversation_variables`].
    pub conversation_variables: &'a str,
    /// Who makes it.
    pub by: AccountId,
    /// When.
    pub now: NaiveDateTime,
}

/// What a save of a draft replaces; fields as in [`NewDraft`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields of NewDraft again")]
pub struct DraftChanges<'a> {
    pub graph: &'a str,
    pub features: &'a str,
    pub environment_variables: &'a str,
    pub conversation_variables: &'a str,
    pub by: AccountId,
    pub now: NaiveDateTime,
}

/// Who made and changed a version, and when: what lists of apps show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields of Workflow")]
pub struct Stamp {
    pub id: WorkflowId,
    pub created_by: Uuid,
    pub created_at: NaiveDateTime,
    pub updated_by: Option<Uuid>,
    pub updated_at: NaiveDateTime,
}

/// The draft of an app.
#[tracing::instrument(name = "db.workflow.find_draft", skip_all, err)]
#[boxed]
pub async fn find_draft(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Option<Workflow>> {
    Ok(sqlx::query_as!(
        Workflow,
        r#"
        SELECT id, tenant_id, app_id, type, version, graph, features, environment_variables, conversation_variables,
               rag_pipeline_variables, marked_name, marked_comment, created_by, created_at, updated_by, updated_at
        FROM workflows
        WHERE tenant_id = $1 AND app_id = $2 AND version = 'draft'
        "#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A version of an app's workflow by its row.
#[tracing::instrument(name = "db.workflow.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: WorkflowId,
) -> Result<Option<Workflow>> {
    Ok(sqlx::query_as!(
        Workflow,
        r#"
        SELECT id, tenant_id, app_id, type, version, graph, features, environment_variables, conversation_variables,
               rag_pipeline_variables, marked_name, marked_comment, created_by, created_at, updated_by, updated_at
        FROM workflows
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Who made and changed some versions of a workspace.
#[tracing::instrument(name = "db.workflow.stamps", skip_all, err)]
#[boxed]
pub async fn stamps(db: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<Stamp>> {
    Ok(sqlx::query_as!(
        Stamp,
        r#"
        SELECT id, created_by, created_at, updated_by, updated_at
        FROM workflows
        WHERE tenant_id = $1 AND id = ANY($2)
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// Makes the draft of an app.
#[tracing::instrument(name = "db.workflow.insert_draft", skip_all, err)]
#[boxed]
pub async fn insert_draft(db: &mut PgConnection, new: &NewDraft<'_>) -> Result<WorkflowId> {
    let id = WorkflowId::random();
    sqlx::query!(
        r#"
        INSERT INTO workflows (id, tenant_id, app_id, type, version, graph, features, environment_variables,
                               conversation_variables, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'draft', $5, $6, $7, $8, $9, $10, $10)
        "#,
        id as _,
        new.tenant as _,
        new.app as _,
        new.kind,
        new.graph,
        new.features,
        new.environment_variables,
        new.conversation_variables,
        new.by as _,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Replaces the draft of an app.
#[tracing::instrument(name = "db.workflow.update_draft", skip_all, err)]
#[boxed]
pub async fn update_draft(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    changes: &DraftChanges<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE workflows
        SET graph = $3, features = $4, environment_variables = $5, conversation_variables = $6, updated_by = $7,
            updated_at = $8
        WHERE tenant_id = $1 AND app_id = $2 AND version = 'draft'
        "#,
        tenant as _,
        app as _,
        changes.graph,
        changes.features,
        changes.environment_variables,
        changes.conversation_variables,
        changes.by as _,
        changes.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the values an app's draft runs left behind.
#[tracing::instrument(name = "db.workflow.delete_draft_variables", skip_all, err)]
#[boxed]
pub async fn delete_draft_variables(db: &mut PgConnection, app: AppId) -> Result<()> {
    sqlx::query!("DELETE FROM workflow_draft_variables WHERE app_id = $1", app as _)
        .execute(db)
        .await?;
    Ok(())
}
