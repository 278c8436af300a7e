//! `/console/api/files`

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query, guard::Console};
use serde::{Deserialize, Serialize};
use services_platform::{
    feature::{self, Resource},
    file::{Owner, kind, preview, receive::Wanted},
};
use types::UploadFileId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{upload::Form, wire::FileResponse};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_upload_limits, upload_file))
        .routes(routes!(preview_file))
        .routes(routes!(list_document_types))
        .routes(routes!(upload_logo))
}

/// How much may be uploaded: megabytes and counts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UploadConfig {
    file_size_limit: i64,
    batch_count_limit: i64,
    file_upload_limit: i64,
    image_file_size_limit: i64,
    video_file_size_limit: i64,
    audio_file_size_limit: i64,
    workflow_file_upload_limit: i64,
    image_file_batch_limit: i64,
    single_chunk_attachment_limit: i64,
    attachment_image_file_size_limit: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FilePreview {
    content: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SupportedTypes {
    /// In small letters and in capitals.
    allowed_extensions: Vec<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct UploadQuery {
    /// `datasets`: the file counts as a document of the workspace's subscription.
    source: Option<String>,
}

/// A form with a file, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct ConsoleUpload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `datasets` for documents only.
    source: Option<String>,
}

/// What may be uploaded.
#[utoipa::path(
    get,
    path = "/console/api/files/upload",
    tag = "files",
    responses((status = 200, body = UploadConfig), (status = "4XX", body = ErrorBody)),
)]
async fn find_upload_limits(State(state): State<AppState>, _: Console) -> Json<UploadConfig> {
    let settings = &state.ctx.config.feature;
    Json(UploadConfig {
        file_size_limit: settings.upload_file_size_limit,
        batch_count_limit: settings.upload_file_batch_limit,
        file_upload_limit: settings.batch_upload_limit,
        image_file_size_limit: settings.upload_image_file_size_limit,
        video_file_size_limit: settings.upload_video_file_size_limit,
        audio_file_size_limit: settings.upload_audio_file_size_limit,
        workflow_file_upload_limit: settings.workflow_file_upload_limit,
        image_file_batch_limit: settings.image_file_batch_limit,
        single_chunk_attachment_limit: settings.single_chunk_attachment_limit,
        attachment_image_file_size_limit: settings.attachment_image_file_size_limit,
    })
}

/// Upload a file.
#[utoipa::path(
    post,
    path = "/console/api/files/upload",
    tag = "files",
    params(UploadQuery),
    request_body(content = ConsoleUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = FileResponse), (status = "4XX", body = ErrorBody)),
)]
async fn upload_file(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<FileResponse>), ApiError> {
    if query.source.as_deref() == Some("datasets") {
        feature::check_room(&state.ctx, user.tenant, Resource::Documents).await?;
    }
    let mut form = Form::read(&state, user.tenant, request).await?;
    let wanted = form.wanted();
    if wanted == Wanted::Documents && !user.role.is_dataset_editing() && form.has_file() {
        form.discard(&state).await;
        return Err(ApiError::forbidden());
    }
    let owner = Owner::Account(user.account.id);
    let file = form.keep(&state, owner, wanted).await?;
    Ok((StatusCode::CREATED, Json(file.into())))
}

/// A logo that was taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Logo {
    id: UploadFileId,
}

/// Upload a logo for the workspace's web apps. It is shown once the workspace's settings name it.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/custom-config/webapp-logo/upload",
    tag = "files",
    request_body(content = ConsoleUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = Logo), (status = "4XX", body = ErrorBody)),
)]
async fn upload_logo(
    State(state): State<AppState>,
    Console(user): Console,
    request: Request,
) -> Result<(StatusCode, Json<Logo>), ApiError> {
    feature::check_room(&state.ctx, user.tenant, Resource::Customization).await?;
    let form = Form::read(&state, user.tenant, request).await?;
    let file = form.keep(&state, Owner::Account(user.account.id), Wanted::Logo).await?;
    Ok((StatusCode::CREATED, Json(Logo { id: file.id })))
}

/// The beginning of a document's text.
#[utoipa::path(
    get,
    path = "/console/api/files/{file_id}/preview",
    tag = "files",
    params(("file_id" = UploadFileId, Path)),
    responses((status = 200, body = FilePreview), (status = "4XX", body = ErrorBody)),
)]
async fn preview_file(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<UploadFileId>,
) -> Result<Json<FilePreview>, ApiError> {
    let content = preview::beginning(&state.ctx, user.tenant, id).await?;
    Ok(Json(FilePreview { content }))
}

/// Which documents knowledge bases read.
#[utoipa::path(
    get,
    path = "/console/api/files/support-type",
    tag = "files",
    responses((status = 200, body = SupportedTypes), (status = "4XX", body = ErrorBody)),
)]
async fn list_document_types(State(state): State<AppState>, _: Console) -> Json<SupportedTypes> {
    let allowed_extensions = kind::documents(&state.ctx.config)
        .into_iter()
        .flat_map(|extension| [extension.to_owned(), extension.to_uppercase()])
        .collect();
    Json(SupportedTypes { allowed_extensions })
}
