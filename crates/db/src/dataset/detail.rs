//! Knowledge bases with all the console shows of them.

use boxed::boxed;
use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgConnection;
use types::{AccountId, DatasetId, Limit, TenantId};
use uuid::Uuid;

use crate::Result;

/// A knowledge base, with what is counted and joined from elsewhere.
#[derive(Debug, Clone)]
pub struct DatasetDetail {
    /// Id.
    pub id: DatasetId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// `vendor` or `external`.
    pub provider: String,
    /// `only_me`, `all_team_members` or `partial_members`.
    pub permission: String,
    /// `upload_file`, `notion_import` or `website_crawl`.
    pub data_source_type: Option<String>,
    /// `high_quality` or `economy`.
    pub indexing_technique: Option<String>,
    /// The account that made it.
    pub created_by: Uuid,
    /// That account's name.
    pub author_name: Option<String>,
    /// When.
    pub created_at: NaiveDateTime,
    /// The account that changed it last.
    pub updated_by: Option<Uuid>,
    /// When.
    pub updated_at: NaiveDateTime,
    /// The model of its vectors.
    pub embedding_model: Option<String>,
    /// That model's provider, in full or by its last part.
    pub embedding_model_provider: Option<String>,
    /// How it is searched, as it was saved.
    pub retrieval_model: Option<Value>,
    /// How documents are summed up, as it was saved.
    pub summary_index_setting: Option<Value>,
    /// Its icon, as it was saved.
    pub icon_info: Option<Value>,
    /// Whether documents carry the fields every document has.
    pub built_in_field_enabled: bool,
    /// `general` or `rag_pipeline`.
    pub runtime_mode: Option<String>,
    /// The pipeline that fills it.
    pub pipeline_id: Option<Uuid>,
    /// How documents are cut, where a pipeline says so.
    pub chunk_structure: Option<String>,
    /// How the documents are cut otherwise.
    pub document_form: Option<String>,
    /// Whether the service API may use it.
    pub enable_api: bool,
    /// Whether pictures are searched too.
    pub is_multimodal: bool,
    /// Whether its pipeline is published.
    pub is_published: bool,
    /// Apps that use it.
    pub app_count: i64,
    /// Documents.
    pub document_count: i64,
    /// Documents that are found: indexed, enabled and not archived.
    pub available_document_count: i64,
    /// Words of all documents.
    pub word_count: i64,
    /// What an external knowledge base is called where it is.
    pub external_knowledge_id: Option<String>,
    /// The connection to there.
    pub external_api_id: Option<Uuid>,
    /// The connection's name.
    pub external_api_name: Option<String>,
    /// The connection's settings, a JSON text.
    pub external_api_settings: Option<String>,
    /// Members it is shown to, of `partial_members`.
    pub members: Vec<Uuid>,
}

/// A field documents of a knowledge base carry.
#[derive(Debug, Clone)]
pub struct MetadataField {
    /// The knowledge base.
    pub dataset_id: DatasetId,
    /// The field.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `string`, `number` or `time`.
    pub r#type: String,
}

/// Which knowledge bases somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All.
    All,
    /// Those for the whole team, the account's own, and those it was let in to.
    Member(AccountId),
    /// Only those it was let in to.
    Operator(AccountId),
}

impl Sight {
    /// `(sees all, is an operator, account)`
    fn columns(self) -> (bool, bool, Uuid) {
        match self {
            Self::All => (true, false, Uuid::nil()),
            Self::Member(account) => (false, false, account.0),
            Self::Operator(account) => (false, true, account.0),
        }
    }
}

/// The knowledge bases of a list.
#[derive(Debug, Clone, Copy)]
pub struct DatasetFilter<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// Who looks.
    pub sight: Sight,
    /// A pattern of `ILIKE` for the name.
    pub pattern: Option<&'a str>,
    /// Only those with one of these tags.
    pub tags: Option<&'a [Uuid]>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct DatasetPage {
    /// How many knowledge bases the whole list has.
    pub total: i64,
    /// Those of the page, newest first.
    pub ids: Vec<Uuid>,
}

/// A page of a list, newest first.
#[tracing::instrument(name = "db.dataset.page", skip_all, err)]
#[boxed]
pub async fn page(
    db: &mut PgConnection,
    filter: DatasetFilter<'_>,
    window: Limit,
) -> Result<DatasetPage> {
    let (all, operator, account) = filter.sight.columns();
    Ok(sqlx::query_as!(
        DatasetPage,
        r#"
        WITH found AS (
            SELECT d.id, d.created_at
            FROM datasets d
            WHERE d.tenant_id = $1
              AND ($2 OR (NOT $3 AND d.permission = 'all_team_members')
                   OR (NOT $3 AND d.permission = 'only_me' AND d.created_by = $4)
                   OR (($3 OR d.permission = 'partial_members') AND EXISTS (
                       SELECT 1 FROM dataset_permissions p
                       WHERE p.dataset_id = d.id AND p.tenant_id = d.tenant_id AND p.account_id = $4)))
              AND ($5::text IS NULL OR d.name ILIKE $5)
              AND ($6::uuid[] IS NULL OR EXISTS (
                  SELECT 1 FROM tag_bindings b
                  WHERE b.target_id = d.id AND b.tenant_id = d.tenant_id AND b.tag_id = ANY($6)))
        )
        SELECT (SELECT count(*) FROM found) AS "total!",
               ARRAY(SELECT id FROM found ORDER BY created_at DESC, id OFFSET $7 LIMIT $8) AS "ids!"
        "#,
        filter.tenant as _,
        all,
        operator,
        account,
        filter.pattern,
        filter.tags,
        window.offset(),
        window.limit,
    )
    .fetch_one(db)
    .await?)
}

/// Those of `ids` that are the workspace's, newest first.
#[tracing::instrument(name = "db.dataset.details", skip_all, err)]
#[boxed]
pub async fn details(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Vec<DatasetDetail>> {
    Ok(sqlx::query_as!(
        DatasetDetail,
        r#"
        SELECT d.id, d.name, d.description, d.provider, d.permission, d.data_source_type, d.indexing_technique,
               d.created_by, author.name AS "author_name?", d.created_at, d.updated_by, d.updated_at, d.embedding_model,
               d.embedding_model_provider, d.retrieval_model, d.summary_index_setting, d.icon_info,
               d.built_in_field_enabled, d.runtime_mode, d.pipeline_id, d.chunk_structure,
               docs.form AS document_form, d.enable_api, d.is_multimodal,
               COALESCE(line.is_published, false) AS "is_published!",
               (SELECT count(*) FROM app_dataset_joins j JOIN apps a ON a.id = j.app_id WHERE j.dataset_id = d.id)
                   AS "app_count!",
               docs.number AS "document_count!", docs.available AS "available_document_count!",
               docs.words AS "word_count!",
               outside.external_knowledge_id AS "external_knowledge_id?", api.id AS "external_api_id?",
               api.name AS "external_api_name?", api.settings AS external_api_settings,
               ARRAY(SELECT p.account_id FROM dataset_permissions p
                     WHERE p.dataset_id = d.id AND p.tenant_id = d.tenant_id AND d.permission = 'partial_members'
                     ORDER BY p.created_at, p.id) AS "members!"
        FROM datasets d
        LEFT JOIN accounts author ON author.id = d.created_by
        LEFT JOIN pipelines line ON line.id = d.pipeline_id AND line.tenant_id = d.tenant_id
        LEFT JOIN LATERAL (
            SELECT b.external_knowledge_id, b.external_knowledge_api_id
            FROM external_knowledge_bindings b
            WHERE b.dataset_id = d.id AND b.tenant_id = d.tenant_id AND d.provider = 'external'
            ORDER BY b.created_at, b.id
            LIMIT 1
        ) outside ON true
        LEFT JOIN external_knowledge_apis api
               ON api.id = outside.external_knowledge_api_id AND api.tenant_id = d.tenant_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS number,
                   count(*) FILTER (WHERE c.indexing_status = 'completed' AND c.enabled AND NOT c.archived) AS available,
                   COALESCE(sum(c.word_count), 0)::bigint AS words,
                   min(c.doc_form) AS form
            FROM documents c
            WHERE c.dataset_id = d.id AND c.tenant_id = d.tenant_id
        ) docs
        WHERE d.tenant_id = $1 AND d.id = ANY($2)
        ORDER BY d.created_at DESC, d.id
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// The fields documents of these knowledge bases carry.
#[tracing::instrument(name = "db.dataset.metadata_fields", skip_all, err)]
#[boxed]
pub async fn metadata_fields(
    db: &mut PgConnection,
    tenant: TenantId,
    datasets: &[Uuid],
) -> Result<Vec<MetadataField>> {
    Ok(sqlx::query_as!(
        MetadataField,
        r#"
        SELECT dataset_id, id, name, type
        FROM dataset_metadatas
        WHERE tenant_id = $1 AND dataset_id = ANY($2)
        ORDER BY created_at, id
        "#,
        tenant as _,
        datasets,
    )
    .fetch_all(db)
    .await?)
}
