//! `/api/remote-files`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Visitor};
use serde::Deserialize;
use services_platform::file::{Owner, remote};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{FileWithSignedUrl, RemoteFileInfo, remote_url};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_web_remote_file))
        .routes(routes!(upload_web_remote_file))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct WebRemoteFileUploadPayload {
    /// Where the file is: `http` or `https`.
    #[garde(custom(is_http_url))]
    url: String,
}

fn is_http_url(url: &str, (): &()) -> garde::Result {
    match url.parse::<url::Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => Err(garde::Error::new("URL scheme should be 'http' or 'https'")),
        Err(err) => Err(garde::Error::new(format!("Input should be a valid URL, {err}"))),
    }
}

/// Type and length of a file elsewhere.
#[utoipa::path(
    get,
    path = "/api/remote-files/{*url}",
    tag = "files",
    params(("url" = String, Path, description = "The address, percent-encoded")),
    responses((status = 200, body = RemoteFileInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_web_remote_file(
    State(state): State<AppState>,
    _: Visitor,
    Path(url): Path<String>,
) -> Result<Json<RemoteFileInfo>, ApiError> {
    let found = remote::inspect(&state.ctx, &remote_url(&url)).await?;
    let file_length = found.length.unwrap_or(-1);
    Ok(Json(RemoteFileInfo { file_type: found.media_type, file_length }))
}

/// Fetch a file from elsewhere and keep it.
#[utoipa::path(
    post,
    path = "/api/remote-files/upload",
    tag = "files",
    request_body = WebRemoteFileUploadPayload,
    responses((status = 201, body = FileWithSignedUrl), (status = "4XX", body = ErrorBody)),
)]
async fn upload_web_remote_file(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    Valid(body): Valid<WebRemoteFileUploadPayload>,
) -> Result<(StatusCode, Json<FileWithSignedUrl>), ApiError> {
    let owner = Owner::EndUser(visitor.end_user.id);
    let file = remote::upload(&state.ctx, visitor.app.tenant_id, owner, &body.url).await?;
    Ok((StatusCode::CREATED, Json(FileWithSignedUrl::new(&state.ctx, file))))
}
