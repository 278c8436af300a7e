//! `tool_workflow_providers`: workflows that were published as tools.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A workflow as a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowTool {
    /// The tool's provider.
    pub id: Uuid,
    /// The tool's name.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// JSON text.
    pub icon: String,
    /// The app.
    pub app_id: AppId,
    /// Who made it.
    pub user_id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The version it runs.
    pub version: String,
    /// What it does.
    pub description: String,
    /// JSON text: `[{name, description, form}]`.
    pub parameter_configuration: String,
    /// A link or text.
    pub privacy_policy: Option<String>,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub updated_at: NaiveDateTime,
}

/// What a user says of a tool; fields as in [`WorkflowTool`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of WorkflowTool")]
pub struct ToolContent<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub icon: &'a str,
    pub version: &'a str,
    pub description: &'a str,
    pub parameter_configuration: &'a str,
    pub privacy_policy: Option<&'a str>,
    pub now: NaiveDateTime,
}

/// The workflows of a workspace that are tools.
#[tracing::instrument(name = "db.tool_workflow_provider.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<WorkflowTool>> {
    Ok(sqlx::query_as!(
        WorkflowTool,
        r#"
        SELECT id, name, label, icon, app_id, user_id, tenant_id, version, description, parameter_configuration,
               privacy_policy, created_at, updated_at
        FROM tool_workflow_providers
        WHERE tenant_id = $1
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// The tool, if it is the workspace's.
#[tracing::instrument(name = "db.tool_workflow_provider.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<WorkflowTool>> {
    Ok(sqlx::query_as!(
        WorkflowTool,
        r#"
        SELECT id, name, label, icon, app_id, user_id, tenant_id, version, description, parameter_configuration,
               privacy_policy, created_at, updated_at
        FROM tool_workflow_providers
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// The tool an app was published as.
#[tracing::instrument(name = "db.tool_workflow_provider.find_of_app", skip_all, err)]
#[boxed]
pub async fn find_of_app(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Option<WorkflowTool>> {
    Ok(sqlx::query_as!(
        WorkflowTool,
        r#"
        SELECT id, name, label, icon, app_id, user_id, tenant_id, version, description, parameter_configuration,
               privacy_policy, created_at, updated_at
        FROM tool_workflow_providers
        WHERE tenant_id = $1 AND app_id = $2
        "#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Whether a tool other than `besides` has this name or app.
#[tracing::instrument(name = "db.tool_workflow_provider.is_taken", skip_all, err)]
#[boxed]
pub async fn is_taken(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
    app: Option<AppId>,
    besides: Option<Uuid>,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1 FROM tool_workflow_providers
            WHERE tenant_id = $1 AND (name = $2 OR app_id = $3) AND ($4::uuid IS NULL OR id <> $4)) AS "taken!"
        "#,
        tenant as _,
        name,
        app as _,
        besides,
    )
    .fetch_one(db)
    .await?)
}

/// Whether a version of an app is what its tool runs.
#[tracing::instrument(name = "db.tool_workflow_provider.runs_version", skip_all, err)]
#[boxed]
pub async fn runs_version(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    version: &str,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1 FROM tool_workflow_providers WHERE tenant_id = $1 AND app_id = $2 AND version = $3) AS "runs!"
        "#,
        tenant as _,
        app as _,
        version,
    )
    .fetch_one(db)
    .await?)
}

/// Publishes an app as a tool.
#[tracing::instrument(name = "db.tool_workflow_provider.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    by: AccountId,
    content: ToolContent<'_>,
) -> Result<Uuid> {
    let id = Uuid::new_v4();
    sqlx::query!(
        r#"
        INSERT INTO tool_workflow_providers (id, name, label, icon, app_id, user_id, tenant_id, version, description,
                                             parameter_configuration, privacy_policy, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
        "#,
        id,
        content.name,
        content.label,
        content.icon,
        app as _,
        by as _,
        tenant as _,
        content.version,
        content.description,
        content.parameter_configuration,
        content.privacy_policy,
        content.now,
    )
    .execute(db)
    .await?;
    Ok(id)
}

/// Replaces what a tool says; whether it is there.
#[tracing::instrument(name = "db.tool_workflow_provider.update", skip_all, err)]
#[boxed]
pub async fn update(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    content: ToolContent<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE tool_workflow_providers
        SET name = $3, label = $4, icon = $5, version = $6, description = $7, parameter_configuration = $8,
            privacy_policy = $9, updated_at = $10
        WHERE tenant_id = $1 AND id = $2
        "#,
        tenant as _,
        id,
        content.name,
        content.label,
        content.icon,
        content.version,
        content.description,
        content.parameter_configuration,
        content.privacy_policy,
        content.now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Withdraws a tool; whether it was there.
#[tracing::instrument(name = "db.tool_workflow_provider.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM tool_workflow_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}
