//! `/v1/apps/annotations`

use axum::{extract::State, http::StatusCode};
use garde::Validate;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query, Valid, extract::NoContent,
    guard::service::KeyedApp,
};
use serde::Deserialize;
use services_account::session;
use services_conversation::annotation::{self, Wish};
use types::{AnnotationId, Limit, Page};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    console_annotation::{Annotation, AnnotationListQuery},
    console_annotation_reply::{
        self as reply, AnnotationJob, AnnotationJobStatus, AnnotationReplyPayload,
    },
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_annotations, create_annotation))
        .routes(routes!(update_annotation, delete_annotation))
        .routes(routes!(switch_annotation_reply))
        .routes(routes!(get_annotation_reply_status))
}

/// The annotations of the app, newest first.
#[utoipa::path(
    get,
    path = "/v1/apps/annotations",
    operation_id = "service_list_annotations",
    tag = "annotation",
    params(AnnotationListQuery),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn list_annotations(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Query(query): Query<AnnotationListQuery>,
) -> Result<Json<Page<Annotation>>, ApiError> {
    let window = Limit { page: query.page, limit: query.limit };
    let page = annotation::list(&state.ctx, &app, &query.keyword, window).await?;
    Ok(Json(page.map(Into::into)))
}

/// A question and the answer it shall always get.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AnnotationCreatePayload {
    question: String,
    answer: String,
}

/// Make an annotation. It counts as the workspace owner's.
#[utoipa::path(
    post,
    path = "/v1/apps/annotations",
    operation_id = "service_create_annotation",
    tag = "annotation",
    request_body = AnnotationCreatePayload,
    responses((status = 201, body = Annotation), (status = "4XX", body = ErrorBody)),
)]
async fn create_annotation(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Valid(body): Valid<AnnotationCreatePayload>,
) -> Result<(StatusCode, Json<Annotation>), ApiError> {
    let owner = session::owner_of(&state.ctx, app.tenant_id).await?;
    let wish = Wish { message: None, question: Some(&body.question), answer: Some(&body.answer) };
    let saved = annotation::create(&state.ctx, &app, owner.account.id, wish).await?;
    Ok((StatusCode::CREATED, Json(saved.into())))
}

/// Change an annotation.
#[utoipa::path(
    put,
    path = "/v1/apps/annotations/{annotation_id}",
    operation_id = "service_update_annotation",
    tag = "annotation",
    params(("annotation_id" = AnnotationId, Path)),
    request_body = AnnotationCreatePayload,
    responses((status = 200, body = Annotation), (status = "4XX", body = ErrorBody)),
)]
async fn update_annotation(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Path(id): Path<AnnotationId>,
    Valid(body): Valid<AnnotationCreatePayload>,
) -> Result<Json<Annotation>, ApiError> {
    let (question, answer) = (Some(body.question.as_str()), Some(body.answer.as_str()));
    Ok(Json(annotation::update(&state.ctx, &app, id, question, answer).await?.into()))
}

/// Delete an annotation.
#[utoipa::path(
    delete,
    path = "/v1/apps/annotations/{annotation_id}",
    operation_id = "service_delete_annotation",
    tag = "annotation",
    params(("annotation_id" = AnnotationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_annotation(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Path(id): Path<AnnotationId>,
) -> Result<NoContent, ApiError> {
    annotation::delete(&state.ctx, &app, id).await?;
    Ok(NoContent)
}

/// Let the app reply with annotations, or no longer. It counts as the workspace owner's wish.
#[utoipa::path(
    post,
    path = "/v1/apps/annotation-reply/{action}",
    operation_id = "service_switch_annotation_reply",
    tag = "annotation",
    params(("action" = String, Path, description = "`enable` or `disable`")),
    request_body = AnnotationReplyPayload,
    responses((status = 200, body = AnnotationJob), (status = "4XX", body = ErrorBody)),
)]
async fn switch_annotation_reply(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Path(action): Path<String>,
    Valid(body): Valid<AnnotationReplyPayload>,
) -> Result<Json<AnnotationJob>, ApiError> {
    let owner = session::owner_of(&state.ctx, app.tenant_id).await?;
    reply::switch(&state, &app, owner.account.id, &action, body).await
}

/// How far a switch is.
#[utoipa::path(
    get,
    path = "/v1/apps/annotation-reply/{action}/status/{job_id}",
    operation_id = "service_get_annotation_reply_status",
    tag = "annotation",
    params(("action" = String, Path, description = "`enable` or `disable`"), ("job_id" = Uuid, Path)),
    responses((status = 200, body = AnnotationJobStatus), (status = "4XX", body = ErrorBody)),
)]
async fn get_annotation_reply_status(
    State(state): State<AppState>,
    _: KeyedApp,
    Path((action, job)): Path<(String, Uuid)>,
) -> Result<Json<AnnotationJobStatus>, ApiError> {
    reply::job_status(&state, &action, job).await
}
