//! `/console/api/apps/{app_id}/annotations`, `…/annotation-setting`, `…/annotation-settings`

use axum::extract::State;
use db::annotation as rows;
use garde::Validate;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query, Valid, extract::NoContent, guard::Editor,
};
use serde::{Deserialize, Serialize};
use services_app::app::{self, AppError};
use services_conversation::annotation::{self, Wish};
use types::{AnnotationId, AppId, Limit, MessageId, Page, TenantId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::{ANY, AppOf},
    wire::{self, seconds},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_annotations, create_annotation, delete_annotations))
        .routes(routes!(count_annotations))
        .routes(routes!(export_annotations))
        .routes(routes!(update_annotation, delete_annotation))
        .routes(routes!(list_annotation_hits))
        .routes(routes!(get_annotation_setting))
        .routes(routes!(update_annotation_setting))
}

/// A question and the answer it always gets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Annotation {
    id: AnnotationId,
    question: String,
    answer: String,
    hit_count: i32,
    created_at: i64,
}

impl From<rows::Annotation> for Annotation {
    fn from(row: rows::Annotation) -> Self {
        Self {
            id: row.id,
            question: row.question,
            answer: row.content,
            hit_count: row.hit_count,
            created_at: seconds(row.created_at),
        }
    }
}

/// Which annotations a page shows.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
pub(crate) struct AnnotationListQuery {
    #[garde(range(min = 1))]
    #[serde(default = "wire::one")]
    pub page: i64,
    #[garde(range(min = 1))]
    #[serde(default = "wire::twenty")]
    pub limit: i64,
    #[serde(default)]
    pub keyword: String,
}

/// These endpoints say `not_found` of an app where others say `app_not_found`.
pub(crate) async fn find_app(
    state: &AppState,
    tenant: TenantId,
    id: AppId,
) -> Result<db::app::App, ApiError> {
    match app::find(&state.ctx, tenant, id).await {
        Ok(app) => Ok(app),
        Err(AppError::NotFound) => Err(ApiError::not_found("App not found")),
        Err(err) => Err(err.into()),
    }
}

/// The annotations of an app, newest first.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotations",
    tag = "annotation",
    params(("app_id" = AppId, Path), AnnotationListQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_annotations(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    Query(query): Query<AnnotationListQuery>,
) -> Result<Json<Page<Annotation>>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let window = Limit { page: query.page, limit: query.limit };
    let page = annotation::list(&state.ctx, &app, &query.keyword, window).await?;
    Ok(Json(page.map(Into::into)))
}

/// A new annotation.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CreateAnnotationPayload {
    #[serde(default, deserialize_with = "wire::optional_id")]
    message_id: Option<MessageId>,
    question: Option<String>,
    answer: Option<String>,
    content: Option<String>,
}

/// Make an annotation, or change the one of a message.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/annotations",
    tag = "annotation",
    params(("app_id" = AppId, Path)),
    request_body = CreateAnnotationPayload,
    responses((status = 200, body = Annotation), (status = "4XX", body = ErrorBody)),
)]
async fn create_annotation(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    Valid(body): Valid<CreateAnnotationPayload>,
) -> Result<Json<Annotation>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let answer = body.answer.filter(|answer| !answer.is_empty()).or(body.content);
    let wish = Wish {
        message: body.message_id,
        question: body.question.as_deref(),
        answer: answer.as_deref(),
    };
    Ok(Json(annotation::create(&state.ctx, &app, user.account.id, wish).await?.into()))
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct AnnotationIds {
    #[serde(default)]
    annotation_id: Vec<String>,
}

/// Delete annotations: those that are named, or all.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/annotations",
    tag = "annotation",
    params(("app_id" = AppId, Path), AnnotationIds),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_annotations(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    Query(query): Query<AnnotationIds>,
) -> Result<NoContent, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    if query.annotation_id.is_empty() {
        annotation::delete_all(&state.ctx, &app, None).await?;
        return Ok(NoContent);
    }
    let ids: Vec<Uuid> = query.annotation_id.iter().filter_map(|id| id.parse().ok()).collect();
    annotation::delete_all(&state.ctx, &app, Some(&ids)).await?;
    Ok(NoContent)
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnnotationCount {
    count: i64,
}

/// How many annotations an app has.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotations/count",
    tag = "annotation",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AnnotationCount), (status = "4XX", body = ErrorBody)),
)]
async fn count_annotations(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<ANY>,
) -> Result<Json<AnnotationCount>, ApiError> {
    Ok(Json(AnnotationCount { count: annotation::count(&state.ctx, &app).await? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnnotationExport {
    data: Vec<Annotation>,
}

/// All annotations of an app, safe to open in a spreadsheet.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotations/export",
    tag = "annotation",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AnnotationExport), (status = "4XX", body = ErrorBody)),
)]
async fn export_annotations(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
) -> Result<([(&'static str, &'static str); 2], Json<AnnotationExport>), ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let found = annotation::export(&state.ctx, &app).await?;
    let data = found.into_iter().map(Into::into).collect();
    let headers = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ];
    Ok((headers, Json(AnnotationExport { data })))
}

/// Another question or answer.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct UpdateAnnotationPayload {
    question: Option<String>,
    answer: Option<String>,
    content: Option<String>,
}

/// Change an annotation.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/annotations/{annotation_id}",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("annotation_id" = AnnotationId, Path)),
    request_body = UpdateAnnotationPayload,
    responses((status = 200, body = Annotation), (status = "4XX", body = ErrorBody)),
)]
async fn update_annotation(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path((app, id)): Path<(AppId, AnnotationId)>,
    Valid(body): Valid<UpdateAnnotationPayload>,
) -> Result<Json<Annotation>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let answer = body.answer.or(body.content);
    let changed =
        annotation::update(&state.ctx, &app, id, body.question.as_deref(), answer.as_deref());
    Ok(Json(changed.await?.into()))
}

/// Delete an annotation.
#[utoipa::path(
    delete,
    path = "/console/api/apps/{app_id}/annotations/{annotation_id}",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("annotation_id" = AnnotationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_annotation(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path((app, id)): Path<(AppId, AnnotationId)>,
) -> Result<NoContent, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    annotation::delete(&state.ctx, &app, id).await?;
    Ok(NoContent)
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct HitQuery {
    #[serde(default = "wire::one")]
    page: i64,
    #[serde(default = "wire::twenty")]
    limit: i64,
}

/// One time an annotation answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnnotationHit {
    id: Uuid,
    source: String,
    score: f64,
    question: String,
    created_at: i64,
    r#match: String,
    response: String,
}

impl From<rows::Hit> for AnnotationHit {
    fn from(row: rows::Hit) -> Self {
        Self {
            id: row.id,
            source: row.source,
            score: row.score,
            question: row.question,
            created_at: seconds(row.created_at),
            r#match: row.annotation_question,
            response: row.annotation_content,
        }
    }
}

/// When an annotation answered, latest first.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotations/{annotation_id}/hit-histories",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("annotation_id" = AnnotationId, Path), HitQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_annotation_hits(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path((app, id)): Path<(AppId, AnnotationId)>,
    Query(query): Query<HitQuery>,
) -> Result<Json<Page<AnnotationHit>>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let window = Limit { page: query.page, limit: query.limit };
    Ok(Json(annotation::hits(&state.ctx, &app, id, window).await?.map(Into::into)))
}

/// The model that compares questions; nothing when it is not known any more.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EmbeddingModel {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_provider_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_model_name: Option<String>,
}

/// How an app uses its annotations.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnnotationSetting {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_model: Option<EmbeddingModel>,
}

impl From<Option<rows::Setting>> for AnnotationSetting {
    fn from(row: Option<rows::Setting>) -> Self {
        let Some(row) = row else {
            return Self { id: None, enabled: false, score_threshold: None, embedding_model: None };
        };
        Self {
            id: Some(row.id),
            enabled: true,
            score_threshold: Some(row.score_threshold),
            embedding_model: Some(EmbeddingModel {
                embedding_provider_name: row.provider_name,
                embedding_model_name: row.model_name,
            }),
        }
    }
}

/// How an app uses its annotations.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotation-setting",
    tag = "annotation",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AnnotationSetting), (status = "4XX", body = ErrorBody)),
)]
async fn get_annotation_setting(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
) -> Result<Json<AnnotationSetting>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    Ok(Json(annotation::setting(&state.ctx, &app).await?.into()))
}

#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AnnotationSettingUpdatePayload {
    /// How alike questions must be, from 0 to 1.
    score_threshold: f64,
}

/// Change how alike questions must be.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/annotation-settings/{annotation_setting_id}",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("annotation_setting_id" = Uuid, Path)),
    request_body = AnnotationSettingUpdatePayload,
    responses((status = 200, body = AnnotationSetting), (status = "4XX", body = ErrorBody)),
)]
async fn update_annotation_setting(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path((app, id)): Path<(AppId, Uuid)>,
    Valid(body): Valid<AnnotationSettingUpdatePayload>,
) -> Result<Json<AnnotationSetting>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    let by = user.account.id;
    let setting = annotation::set_threshold(&state.ctx, &app, by, id, body.score_threshold).await?;
    Ok(Json(Some(setting).into()))
}
