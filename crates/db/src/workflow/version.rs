//! Published versions of an app's workflow.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, TenantId, WorkflowId};
use uuid::Uuid;

use super::Workflow;
use crate::Result;

/// A version that is about to be published.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// The version's row.
    pub id: WorkflowId,
    /// See [`Workflow::version`].
    pub version: &'a str,
    /// See [`Workflow::environment_variables`].
    pub environment_variables: &'a str,
    /// See [`Workflow::marked_name`].
    pub marked_name: &'a str,
    /// See [`Workflow::marked_comment`].
    pub marked_comment: &'a str,
    /// Who publishes.
    pub by: AccountId,
    /// When.
    pub now: NaiveDateTime,
}

/// Which versions a list shows.
#[derive(Debug, Clone, Copy)]
pub struct VersionFilter {
    /// Only those this account made.
    pub created_by: Option<AccountId>,
    /// Only those with a name.
    pub named_only: bool,
    /// How many at the most.
    pub limit: i64,
    /// How many to pass over.
    pub offset: i64,
}

/// Versions of an app with the draft before the others, then newest first.
#[tracing::instrument(name = "db.workflow.list_versions", skip_all, err)]
#[boxed]
pub async fn list_versions(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    filter: VersionFilter,
) -> Result<Vec<Workflow>> {
    Ok(sqlx::query_as!(
        Workflow,
        r#"
        SELECT id, tenant_id, app_id, type, version, graph, features, environment_variables, conversation_variables,
               rag_pipeline_variables, marked_name, marked_comment, created_by, created_at, updated_by, updated_at
        FROM workflows
        WHERE tenant_id = $1 AND app_id = $2
          AND ($3::uuid IS NULL OR created_by = $3)
          AND (NOT $4 OR marked_name <> '')
        ORDER BY version DESC
        LIMIT $5 OFFSET $6
        "#,
        tenant as _,
        app as _,
        filter.created_by.map(|id| id.0),
        filter.named_only,
        filter.limit,
        filter.offset,
    )
    .fetch_all(db)
    .await?)
}

/// The version of an app with this text in `version`.
#[tracing::instrument(name = "db.workflow.find_version", skip_all, err)]
#[boxed]
pub async fn find_version(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    version: &str,
) -> Result<Option<Workflow>> {
    Ok(sqlx::query_as!(
        Workflow,
        r#"
        SELECT id, tenant_id, app_id, type, version, graph, features, environment_variables, conversation_variables,
               rag_pipeline_variables, marked_name, marked_comment, created_by, created_at, updated_by, updated_at
        FROM workflows
        WHERE tenant_id = $1 AND app_id = $2 AND version = $3
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        version,
    )
    .fetch_optional(db)
    .await?)
}

/// The version of an app that was published last, whichever the app uses.
#[tracing::instrument(name = "db.workflow.newest_version", skip_all, err)]
#[boxed]
pub async fn newest_version(
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
        WHERE tenant_id = $1 AND app_id = $2 AND version <> 'draft'
        ORDER BY created_at DESC
        LIMIT 1
        "#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Keeps others from changing the drafts and versions of an app until the transaction ends.
#[tracing::instrument(name = "db.workflow.lock", skip_all, err)]
#[boxed]
pub async fn lock(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<()> {
    sqlx::query!(
        r#"SELECT 1 AS "one!" FROM apps WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?;
    Ok(())
}

/// Publishes a copy of the draft with other environment variables (their secrets are encrypted anew).
#[tracing::instrument(name = "db.workflow.publish", skip_all, err)]
#[boxed]
pub async fn publish(db: &mut PgConnection, draft: &Workflow, new: &NewVersion<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflows (id, tenant_id, app_id, type, version, graph, features, environment_variables,
                               conversation_variables, rag_pipeline_variables, marked_name, marked_comment,
                               created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
        "#,
        new.id as _,
        draft.tenant_id as _,
        draft.app_id as _,
        draft.r#type,
        new.version,
        draft.graph,
        draft.features,
        new.environment_variables,
        draft.conversation_variables,
        draft.rag_pipeline_variables,
        new.marked_name,
        new.marked_comment,
        new.by as _,
        new.now,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "UPDATE apps SET workflow_id = $3, updated_by = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2",
        draft.tenant_id as _,
        draft.app_id as _,
        new.id as _,
        new.by as _,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a user notes on a version; `None` leaves it.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// See [`Workflow::marked_name`].
    pub name: Option<&'a str>,
    /// See [`Workflow::marked_comment`].
    pub comment: Option<&'a str>,
    /// Who notes it.
    pub by: AccountId,
    /// When.
    pub now: NaiveDateTime,
}

/// Notes a name and comment on a version; whether there is such a version.
#[tracing::instrument(name = "db.workflow.mark", skip_all, err)]
#[boxed]
pub async fn mark(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: WorkflowId,
    marks: Marks<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflows
        SET marked_name = COALESCE($4, marked_name), marked_comment = COALESCE($5, marked_comment), updated_by = $6,
            updated_at = $7
        WHERE tenant_id = $1 AND app_id = $2 AND id = $3
        "#,
        tenant as _,
        app as _,
        id as _,
        marks.name,
        marks.comment,
        marks.by as _,
        marks.now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The app that runs a version.
#[tracing::instrument(name = "db.workflow.used_by", skip_all, err)]
#[boxed]
pub async fn used_by(
    db: &mut PgConnection,
    tenant: TenantId,
    id: WorkflowId,
) -> Result<Option<AppId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id FROM apps WHERE tenant_id = $1 AND workflow_id = $2 LIMIT 1"#,
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Deletes a version.
#[tracing::instrument(name = "db.workflow.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    id: WorkflowId,
) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM workflows WHERE tenant_id = $1 AND app_id = $2 AND id = $3",
        tenant as _,
        app as _,
        id as _,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether an app has a draft.
#[tracing::instrument(name = "db.workflow.has_draft", skip_all, err)]
#[boxed]
pub async fn has_draft(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT 1 FROM workflows WHERE tenant_id = $1 AND app_id = $2 AND version = 'draft') AS "known!"
        "#,
        tenant as _,
        app as _,
    )
    .fetch_one(db)
    .await?)
}

/// Makes the knowledge bases an app is joined to exactly `datasets`, as its published workflow uses them.
#[tracing::instrument(name = "db.workflow.join_datasets", skip_all, err)]
#[boxed]
pub async fn join_datasets(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    datasets: &[Uuid],
) -> Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM app_dataset_joins j
        USING apps a
        WHERE a.id = j.app_id AND a.tenant_id = $1 AND j.app_id = $2 AND NOT j.dataset_id = ANY($3)
        "#,
        tenant as _,
        app as _,
        datasets,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO app_dataset_joins (app_id, dataset_id)
        SELECT a.id, d.id
        FROM apps a CROSS JOIN unnest($3::uuid[]) AS d (id)
        WHERE a.tenant_id = $1 AND a.id = $2
          AND NOT EXISTS (SELECT 1 FROM app_dataset_joins j WHERE j.app_id = a.id AND j.dataset_id = d.id)
        "#,
        tenant as _,
        app as _,
        datasets,
    )
    .execute(db)
    .await?;
    Ok(())
}
