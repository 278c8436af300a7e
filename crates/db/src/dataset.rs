//! `datasets`: knowledge bases.

pub mod detail;

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{DatasetId, TenantId};
use uuid::Uuid;

use crate::Result;

/// Whether the workspace has that knowledge base.
#[tracing::instrument(name = "db.dataset.exists", skip_all, err)]
#[boxed]
pub async fn exists(db: &mut PgConnection, tenant: TenantId, id: DatasetId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM datasets WHERE tenant_id = $1 AND id = $2) AS "exists!""#,
        tenant as _,
        id as _,
    )
    .fetch_one(db)
    .await?)
}

/// A knowledge base in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSummary {
    /// Id.
    pub id: DatasetId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// `only_me`, `all_team_members` or `partial_members`.
    pub permission: String,
    /// `upload_file`, `notion_import` or `website_crawl`.
    pub data_source_type: Option<String>,
    /// `high_quality` or `economy`.
    pub indexing_technique: Option<String>,
    /// The account.
    pub created_by: Uuid,
    /// When.
    pub created_at: NaiveDateTime,
}

/// Those of `ids` that are the workspace's.
#[tracing::instrument(name = "db.dataset.summaries", skip_all, err)]
#[boxed]
pub async fn summaries(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<DatasetSummary>> {
    Ok(sqlx::query_as!(
        DatasetSummary,
        r#"
        SELECT id, name, description, permission, data_source_type, indexing_technique, created_by, created_at
        FROM datasets
        WHERE tenant_id = $1 AND id = ANY($2)
        ORDER BY created_at, id
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// Pages of Notion that are documents of a knowledge base of the workspace already; nothing if it has no such documents
/// because it is of another kind.
#[tracing::instrument(name = "db.dataset.notion_pages", skip_all, err)]
#[boxed]
pub async fn notion_pages(
    db: &mut PgConnection,
    tenant: TenantId,
    id: DatasetId,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT data_source_info::jsonb->>'notion_page_id' AS "page!"
        FROM documents
        WHERE tenant_id = $1 AND dataset_id = $2 AND data_source_type = 'notion_import' AND enabled
          AND data_source_info::jsonb ? 'notion_page_id'
        "#,
        tenant as _,
        id as _,
    )
    .fetch_all(db)
    .await?)
}
