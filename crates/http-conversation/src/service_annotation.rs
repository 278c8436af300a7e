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

use crate::console_annotation::{Annotation, AnnotationListQuery};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_annotations, create_annotation))
        .routes(routes!(update_annotation, delete_annotation))
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
