//! Knowledge bases as the console reads them. What was saved as JSON is shown field by field, a field that is missing as
//! null.

use chrono::NaiveDateTime;
use serde::Serialize;
use serde_json::Value;
use services_knowledge::dataset::{BoundTag, DatasetDetail, MetadataField, Shown};
use types::{DatasetId, TagId};
use uuid::Uuid;

/// A knowledge base.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Dataset {
    id: DatasetId,
    name: String,
    description: Option<String>,
    /// `vendor` or `external`.
    provider: String,
    /// `only_me`, `all_team_members` or `partial_members`.
    permission: String,
    data_source_type: Option<String>,
    /// `high_quality` or `economy`.
    indexing_technique: Option<String>,
    app_count: i64,
    document_count: i64,
    word_count: i64,
    created_by: Uuid,
    author_name: Option<String>,
    /// Unix seconds.
    created_at: i64,
    updated_by: Option<Uuid>,
    /// Unix seconds.
    updated_at: i64,
    embedding_model: Option<String>,
    embedding_model_provider: Option<String>,
    embedding_available: bool,
    retrieval_model_dict: RetrievalModel,
    summary_index_setting: SummaryIndexSetting,
    tags: Vec<Tag>,
    doc_form: Option<String>,
    external_knowledge_info: ExternalKnowledge,
    external_retrieval_model: ExternalRetrievalModel,
    doc_metadata: Vec<Field>,
    built_in_field_enabled: bool,
    pipeline_id: Option<Uuid>,
    runtime_mode: Option<String>,
    chunk_structure: Option<String>,
    icon_info: IconInfo,
    is_published: bool,
    total_documents: i64,
    total_available_documents: i64,
    enable_api: bool,
    is_multimodal: bool,
    /// Members it is shown to, if it is not for all or one.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_member_list: Option<Vec<Uuid>>,
}

/// A knowledge base of a list, where the members it is shown to always stand.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
pub(crate) struct ListedDataset(Dataset);

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RetrievalModel {
    search_method: Option<String>,
    reranking_enable: Option<bool>,
    reranking_mode: Option<String>,
    reranking_model: RerankingModel,
    weights: Option<Weights>,
    top_k: Option<i64>,
    score_threshold_enabled: Option<bool>,
    score_threshold: Option<f64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RerankingModel {
    reranking_provider_name: Option<String>,
    reranking_model_name: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Weights {
    weight_type: Option<String>,
    keyword_setting: KeywordWeight,
    vector_setting: VectorWeight,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct KeywordWeight {
    keyword_weight: Option<f64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct VectorWeight {
    vector_weight: Option<f64>,
    embedding_model_name: Option<String>,
    embedding_provider_name: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SummaryIndexSetting {
    enable: Option<bool>,
    model_name: Option<String>,
    model_provider_name: Option<String>,
    summary_prompt: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Tag {
    id: TagId,
    name: String,
    r#type: String,
}

#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
struct ExternalKnowledge {
    external_knowledge_id: Option<String>,
    external_knowledge_api_id: Option<Uuid>,
    external_knowledge_api_name: Option<String>,
    external_knowledge_api_endpoint: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ExternalRetrievalModel {
    top_k: Option<i64>,
    score_threshold: Option<f64>,
    score_threshold_enabled: Option<bool>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Field {
    /// An id, or `built-in`.
    id: String,
    name: String,
    /// `string`, `number` or `time`.
    r#type: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct IconInfo {
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    icon_url: Option<String>,
}

/// Fields every document has: name and type.
const BUILT_IN_FIELDS: [(&str, &str); 5] = [
    ("document_name", "string"),
    ("uploader", "string"),
    ("upload_date", "time"),
    ("last_update_date", "time"),
    ("source", "string"),
];

impl From<Shown> for Dataset {
    fn from(shown: Shown) -> Self {
        let Shown { dataset, tags, fields, embedding_available } = shown;
        let DatasetDetail { retrieval_model, summary_index_setting, icon_info, .. } = &dataset;
        let external_knowledge_info = external_knowledge(&dataset);
        let mut doc_metadata: Vec<Field> = fields.into_iter().map(Into::into).collect();
        if dataset.built_in_field_enabled {
            doc_metadata.extend(BUILT_IN_FIELDS.map(Field::built_in));
        }
        let is_partial = dataset.permission == "partial_members";
        Self {
            retrieval_model_dict: retrieval(set(retrieval_model.as_ref())),
            external_retrieval_model: external_retrieval(set(retrieval_model.as_ref())),
            summary_index_setting: summary(set(summary_index_setting.as_ref())),
            icon_info: icon(set(icon_info.as_ref())),
            id: dataset.id,
            name: dataset.name,
            description: dataset.description,
            provider: dataset.provider,
            permission: dataset.permission,
            data_source_type: dataset.data_source_type,
            indexing_technique: dataset.indexing_technique,
            app_count: dataset.app_count,
            document_count: dataset.document_count,
            word_count: dataset.word_count,
            created_by: dataset.created_by,
            author_name: dataset.author_name,
            created_at: seconds(dataset.created_at),
            updated_by: dataset.updated_by,
            updated_at: seconds(dataset.updated_at),
            embedding_model: dataset.embedding_model,
            embedding_model_provider: dataset.embedding_model_provider,
            embedding_available,
            tags: tags.into_iter().map(Into::into).collect(),
            doc_form: dataset.chunk_structure.clone().or(dataset.document_form),
            external_knowledge_info,
            doc_metadata,
            built_in_field_enabled: dataset.built_in_field_enabled,
            pipeline_id: dataset.pipeline_id,
            runtime_mode: dataset.runtime_mode,
            chunk_structure: dataset.chunk_structure,
            is_published: dataset.is_published,
            total_documents: dataset.document_count,
            total_available_documents: dataset.available_document_count,
            enable_api: dataset.enable_api,
            is_multimodal: dataset.is_multimodal,
            partial_member_list: is_partial.then_some(dataset.members),
        }
    }
}

impl From<Shown> for ListedDataset {
    fn from(shown: Shown) -> Self {
        let mut dataset = Dataset::from(shown);
        dataset.partial_member_list.get_or_insert_default();
        Self(dataset)
    }
}

impl From<BoundTag> for Tag {
    fn from(tag: BoundTag) -> Self {
        Self { id: tag.id, name: tag.name, r#type: tag.r#type }
    }
}

impl From<MetadataField> for Field {
    fn from(field: MetadataField) -> Self {
        Self { id: field.id.to_string(), name: field.name, r#type: field.r#type }
    }
}

impl Field {
    fn built_in((name, kind): (&str, &str)) -> Self {
        Self { id: "built-in".to_owned(), name: name.to_owned(), r#type: kind.to_owned() }
    }
}

fn seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// What was saved, unless it was nothing: an empty object is nothing, too.
fn set(saved: Option<&Value>) -> Option<&Value> {
    saved.filter(|saved| saved.as_object().is_some_and(|fields| !fields.is_empty()))
}

fn retrieval(saved: Option<&Value>) -> RetrievalModel {
    let Some(saved) = saved else {
        return RetrievalModel {
            search_method: Some("semantic_search".to_owned()),
            reranking_enable: Some(false),
            reranking_mode: None,
            reranking_model: RerankingModel {
                reranking_provider_name: Some(String::new()),
                reranking_model_name: Some(String::new()),
            },
            weights: None,
            top_k: Some(2),
            score_threshold_enabled: Some(false),
            score_threshold: None,
        };
    };
    let reranking = saved.get("reranking_model");
    let weights = saved.get("weights").filter(|weights| !weights.is_null());
    RetrievalModel {
        search_method: text(saved, "search_method"),
        reranking_enable: flag(saved, "reranking_enable"),
        reranking_mode: text(saved, "reranking_mode"),
        reranking_model: RerankingModel {
            reranking_provider_name: text(reranking, "reranking_provider_name"),
            reranking_model_name: text(reranking, "reranking_model_name"),
        },
        weights: weights.map(|weights| {
            let vector = weights.get("vector_setting");
            Weights {
                weight_type: text(weights, "weight_type"),
                keyword_setting: KeywordWeight {
                    keyword_weight: number(weights.get("keyword_setting"), "keyword_weight"),
                },
                vector_setting: VectorWeight {
                    vector_weight: number(vector, "vector_weight"),
                    embedding_model_name: text(vector, "embedding_model_name"),
                    embedding_provider_name: text(vector, "embedding_provider_name"),
                },
            }
        }),
        top_k: whole(saved, "top_k"),
        score_threshold_enabled: flag(saved, "score_threshold_enabled"),
        score_threshold: number(saved, "score_threshold"),
    }
}

fn external_retrieval(saved: Option<&Value>) -> ExternalRetrievalModel {
    let Some(saved) = saved else {
        return ExternalRetrievalModel {
            top_k: Some(2),
            score_threshold: Some(0.0),
            score_threshold_enabled: None,
        };
    };
    ExternalRetrievalModel {
        top_k: whole(saved, "top_k"),
        score_threshold: number(saved, "score_threshold"),
        score_threshold_enabled: flag(saved, "score_threshold_enabled"),
    }
}

fn summary(saved: Option<&Value>) -> SummaryIndexSetting {
    SummaryIndexSetting {
        enable: flag(saved, "enable"),
        model_name: text(saved, "model_name"),
        model_provider_name: text(saved, "model_provider_name"),
        summary_prompt: text(saved, "summary_prompt"),
    }
}

fn icon(saved: Option<&Value>) -> IconInfo {
    IconInfo {
        icon_type: text(saved, "icon_type"),
        icon: text(saved, "icon"),
        icon_background: text(saved, "icon_background"),
        icon_url: text(saved, "icon_url"),
    }
}

/// Nothing, unless the connection is there and has settings.
fn external_knowledge(dataset: &DatasetDetail) -> ExternalKnowledge {
    let Some(settings) = &dataset.external_api_settings else {
        return ExternalKnowledge::default();
    };
    let settings: Value = serde_json::from_str(settings).unwrap_or_default();
    ExternalKnowledge {
        external_knowledge_id: dataset.external_knowledge_id.clone(),
        external_knowledge_api_id: dataset.external_api_id,
        external_knowledge_api_name: dataset.external_api_name.clone(),
        external_knowledge_api_endpoint: Some(text(&settings, "endpoint").unwrap_or_default()),
    }
}

fn field<'a>(of: impl Into<Option<&'a Value>>, name: &str) -> Option<&'a Value> {
    of.into()?.get(name).filter(|value| !value.is_null())
}

fn text<'a>(of: impl Into<Option<&'a Value>>, name: &str) -> Option<String> {
    field(of, name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn flag<'a>(of: impl Into<Option<&'a Value>>, name: &str) -> Option<bool> {
    field(of, name).and_then(types::lax::flag)
}

fn number<'a>(of: impl Into<Option<&'a Value>>, name: &str) -> Option<f64> {
    let value = field(of, name)?;
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[expect(clippy::cast_possible_truncation, reason = "`as` stops at the ends of the range")]
fn whole<'a>(of: impl Into<Option<&'a Value>>, name: &str) -> Option<i64> {
    number(of, name).map(|number| number as i64)
}
