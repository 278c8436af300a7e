//! `/console/api/remote-files`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::LoggedIn};
use serde::Deserialize;
use services_platform::file::{Owner, remote};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{FileWithSignedUrl, RemoteFileInfo, remote_url};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_remote_file)).routes(routes!(upload_remote_file))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RemoteFileUploadPayload {
    /// Where the file is.
    url: String,
}

/// Type and length of a file elsewhere.
#[utoipa::path(
    get,
    path = "/console/api/remote-files/{*url}",
    tag = "files",
    params(("url" = String, Path, description = "The address, percent-encoded")),
    responses((status = 200, body = RemoteFileInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_remote_file(
    State(state): State<AppState>,
    _: LoggedIn,
    Path(url): Path<String>,
) -> Result<Json<RemoteFileInfo>, ApiError> {
    let found = remote::inspect(&state.ctx, &remote_url(&url)).await?;
    let file_length = found.length.unwrap_or(0);
    Ok(Json(RemoteFileInfo { file_type: found.media_type, file_length }))
}

/// Fetch a file from elsewhere and keep it.
#[utoipa::path(
    post,
    path = "/console/api/remote-files/upload",
    tag = "files",
    request_body = RemoteFileUploadPayload,
    responses((status = 201, body = FileWithSignedUrl), (status = "4XX", body = ErrorBody)),
)]
async fn upload_remote_file(
    State(state): State<AppState>,
    LoggedIn { user, .. }: LoggedIn,
    Valid(body): Valid<RemoteFileUploadPayload>,
) -> Result<(StatusCode, Json<FileWithSignedUrl>), ApiError> {
    let owner = Owner::Account(user.account.id);
    let file = remote::upload(&state.ctx, user.tenant, owner, &body.url).await?;
    Ok((StatusCode::CREATED, Json(FileWithSignedUrl::new(&state.ctx, file))))
}
