//! What the use cases of apps read from tables of other areas.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AppId, TenantId, WorkflowId};
use uuid::Uuid;

use crate::Result;

/// An app's annotation reply, and the embedding model behind it.
#[derive(Debug, Clone)]
pub struct AnnotationReply {
    /// The setting.
    pub id: Uuid,
    /// From 0 to 1.
    pub score_threshold: f64,
    /// Model provider of the embedding.
    pub provider_name: String,
    /// The embedding model.
    pub model_name: String,
}

/// The annotation reply of an app, if it is on.
#[tracing::instrument(name = "db.app.annotation_reply", skip_all, err)]
#[boxed]
pub async fn annotation_reply(
    db: &mut PgConnection,
    app: AppId,
) -> Result<Option<AnnotationReply>> {
    Ok(sqlx::query_as!(
        AnnotationReply,
        r#"
        SELECT s.id, s.score_threshold, b.provider_name, b.model_name
        FROM app_annotation_settings s
        JOIN dataset_collection_bindings b ON b.id = s.collection_binding_id
        WHERE s.app_id = $1
        LIMIT 1
        "#,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Those of some API tool providers that a workspace still has.
#[tracing::instrument(name = "db.app.known_api_tools", skip_all, err)]
#[boxed]
pub async fn known_api_tools(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "SELECT id FROM tool_api_providers WHERE tenant_id = $1 AND id = ANY($2)",
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// The icon (JSON) of an API tool provider of a workspace.
#[tracing::instrument(name = "db.app.api_tool_icon", skip_all, err)]
#[boxed]
pub async fn api_tool_icon(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "SELECT icon FROM tool_api_providers WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// The names of some accounts, by id. Names of authors are shown wherever their apps are.
#[tracing::instrument(name = "db.app.accounts_names", skip_all, err)]
#[boxed]
pub async fn accounts_names(db: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let rows =
        sqlx::query!(r#"SELECT id AS "id: Uuid", name FROM accounts WHERE id = ANY($1)"#, ids)
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What an app answered last.
#[derive(Debug, Clone)]
pub struct LastAnswer {
    /// The question.
    pub query: String,
    /// The answer.
    pub answer: String,
    /// Why there is none.
    pub error: Option<String>,
}

/// How a node of a draft ran last.
#[derive(Debug, Clone)]
pub struct LastNodeRun {
    /// `llm`, `code`, …
    pub node_type: String,
    /// JSON.
    pub inputs: Option<String>,
    /// `succeeded`, `failed`, …
    pub status: String,
    /// Why it failed.
    pub error: Option<String>,
    /// JSON.
    pub execution_metadata: Option<String>,
}

/// What an app answered last.
#[tracing::instrument(name = "db.app.last_answer", skip_all, err)]
#[boxed]
pub async fn last_answer(db: &mut PgConnection, app: AppId) -> Result<Option<LastAnswer>> {
    Ok(sqlx::query_as!(
        LastAnswer,
        "SELECT query, answer, error FROM messages WHERE app_id = $1 ORDER BY created_at DESC LIMIT 1",
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// How a node of a draft ran last, in a test run or alone.
#[tracing::instrument(name = "db.app.last_node_run", skip_all, err)]
#[boxed]
pub async fn last_node_run(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    draft: WorkflowId,
    node: &str,
) -> Result<Option<LastNodeRun>> {
    Ok(sqlx::query_as!(
        LastNodeRun,
        r#"
        SELECT node_type, inputs, status, error, execution_metadata
        FROM workflow_node_executions
        WHERE tenant_id = $1 AND app_id = $2 AND workflow_id = $3 AND node_id = $4
        ORDER BY created_at DESC
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        draft as _,
        node,
    )
    .fetch_optional(db)
    .await?)
}
