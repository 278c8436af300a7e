//! `/files/{file_id}/…`, `/files/tools/…`, `/files/workspaces/…`

use axum::{extract::State, response::Response};
use crypto::file_link::Presented;
use http_core::{ApiError, AppState, ErrorBody, Path, Query, validation::lax};
use serde::Deserialize;
use services_platform::file::serve;
use types::{TenantId, ToolFileId, UploadFileId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{Leave, download};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(open_file))
        .routes(routes!(open_image))
        .routes(routes!(open_tool_file))
        .routes(routes!(open_logo))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct FileSignatureQuery {
    /// Unix seconds.
    timestamp: String,
    nonce: String,
    sign: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct FilePreviewQuery {
    /// Unix seconds.
    timestamp: String,
    nonce: String,
    sign: String,
    /// Save it instead of showing it.
    #[serde(default, deserialize_with = "lax::flag")]
    as_attachment: bool,
}

impl FilePreviewQuery {
    fn link(&self) -> Presented<'_> {
        Presented { timestamp: &self.timestamp, nonce: &self.nonce, sign: &self.sign }
    }
}

/// Download an uploaded file.
#[utoipa::path(
    get,
    path = "/files/{file_id}/file-preview",
    tag = "files",
    params(("file_id" = UploadFileId, Path), FilePreviewQuery),
    responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn open_file(
    State(state): State<AppState>,
    Path(id): Path<UploadFileId>,
    Query(query): Query<FilePreviewQuery>,
) -> Result<Response, ApiError> {
    let file = serve::by_link(&state.ctx, id, &query.link()).await?;
    let leave = Leave {
        as_attachment: query.as_attachment,
        untyped: true,
        never_a_page: true,
        with_length: true,
        with_ranges: true,
        ..Leave::default()
    };
    Ok(download(file, leave))
}

/// Show an uploaded image (links of older messages).
#[utoipa::path(
    get,
    path = "/files/{file_id}/image-preview",
    tag = "files",
    params(("file_id" = UploadFileId, Path), FileSignatureQuery),
    responses((status = 200, content_type = "image/*"), (status = "4XX", body = ErrorBody)),
)]
async fn open_image(
    State(state): State<AppState>,
    Path(id): Path<UploadFileId>,
    Query(query): Query<FileSignatureQuery>,
) -> Result<Response, ApiError> {
    let link = Presented { timestamp: &query.timestamp, nonce: &query.nonce, sign: &query.sign };
    let file = serve::image_by_link(&state.ctx, id, &link).await?;
    Ok(download(file, Leave { never_a_page: true, ..Leave::default() }))
}

/// Download a file a tool made. Its name in the path is its id and an extension.
#[utoipa::path(
    get,
    path = "/files/tools/{file}",
    tag = "files",
    params(("file" = String, Path), FilePreviewQuery),
    responses((status = 200, content_type = "application/octet-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn open_tool_file(
    State(state): State<AppState>,
    Path(name): Path<String>,
    query: Result<Query<FilePreviewQuery>, ApiError>,
) -> Result<Response, ApiError> {
    let (id, extension) = name.split_once('.').ok_or_else(ApiError::unknown_path)?;
    let id: ToolFileId = id.parse().map_err(|_| ApiError::unknown_path())?;
    let Query(query) = query?;
    let mut file = serve::tool_file_by_link(&state.ctx, id, &query.link()).await?;
    extension.clone_into(&mut file.extension);
    let leave = Leave {
        as_attachment: query.as_attachment,
        never_a_page: true,
        with_length: true,
        ..Leave::default()
    };
    Ok(download(file, leave))
}

/// The logo a workspace shows on its web apps.
#[utoipa::path(
    get,
    path = "/files/workspaces/{workspace_id}/webapp-logo",
    tag = "files",
    params(("workspace_id" = TenantId, Path)),
    responses((status = 200, content_type = "image/*"), (status = "4XX", body = ErrorBody)),
)]
async fn open_logo(
    State(state): State<AppState>,
    Path(tenant): Path<TenantId>,
) -> Result<Response, ApiError> {
    let file = serve::web_app_logo(&state.ctx, tenant).await?;
    Ok(download(file, Leave::default()))
}
