//! `/v1/files`

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query,
    guard::{FormUser, QueryUser},
    validation::lax,
};
use serde::Deserialize;
use services_platform::file::{FileError, Owner, receive::Wanted, serve};
use types::UploadFileId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    upload::Form,
    wire::{FileResponse, Leave, download},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload_app_file)).routes(routes!(download_app_file))
}

/// A form with a file, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct AppUpload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The caller's own name for the user.
    user: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct FilePreviewQuery {
    /// Save it instead of showing it.
    #[serde(default, deserialize_with = "lax::flag")]
    as_attachment: bool,
}

/// Upload a file for a message.
#[utoipa::path(
    post,
    path = "/v1/files/upload",
    tag = "files",
    request_body(content = AppUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = FileResponse), (status = "4XX", body = ErrorBody)),
)]
async fn upload_app_file(
    State(state): State<AppState>,
    caller: FormUser,
    request: Request,
) -> Result<(StatusCode, Json<FileResponse>), ApiError> {
    let mut form = Form::read(&state, caller.0.tenant_id, request).await?;
    let user = match caller.end_user(&state, form.field("user")).await {
        Ok(user) if !form.is_untyped() => user,
        outcome => {
            form.discard(&state).await;
            return Err(outcome.err().unwrap_or_else(|| FileError::Kind.into()));
        }
    };
    let file = form.keep(&state, Owner::EndUser(user.id), Wanted::Any).await?;
    Ok((StatusCode::CREATED, Json(file.into())))
}

/// Download a file that a message of the app carries.
#[utoipa::path(
    get,
    path = "/v1/files/{file_id}/preview",
    tag = "files",
    params(("file_id" = UploadFileId, Path), FilePreviewQuery),
    responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn download_app_file(
    State(state): State<AppState>,
    caller: QueryUser,
    Path(id): Path<UploadFileId>,
    Query(query): Query<FilePreviewQuery>,
) -> Result<Response, ApiError> {
    let app = &caller.app;
    let file = serve::of_messages(&state.ctx, app.tenant_id, app.id, id).await?;
    let leave = Leave {
        as_attachment: query.as_attachment,
        untyped_attachment: true,
        never_a_page: true,
        with_length: true,
        with_ranges: true,
        cached: true,
        ..Leave::default()
    };
    Ok(download(file, leave))
}
