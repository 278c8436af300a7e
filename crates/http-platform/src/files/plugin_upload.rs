//! `/files/upload/for-plugin`

use std::pin::pin;

use axum::{
    extract::{FromRequest, Multipart, Request, State},
    http::StatusCode,
};
use crypto::file_link::Presented;
use http_core::{ApiError, AppState, ErrorBody, Json, Query, guard::SetUp};
use serde::Deserialize;
use services_platform::{
    file::FileError,
    links,
    tool_file::{self, PluginFile},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{upload::media_type, wire::FileResponse};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload_plugin_file))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PluginUploadQuery {
    /// Unix seconds.
    timestamp: String,
    nonce: String,
    sign: String,
    tenant_id: String,
    user_id: Option<String>,
}

/// A form with a file, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct PluginUpload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Take in a file from a plugin, over a link that was signed for it.
#[utoipa::path(
    post,
    path = "/files/upload/for-plugin",
    tag = "files",
    params(PluginUploadQuery),
    request_body(content = PluginUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = FileResponse), (status = "4XX", body = ErrorBody)),
)]
async fn upload_plugin_file(
    State(state): State<AppState>,
    _: SetUp,
    Query(query): Query<PluginUploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<FileResponse>), ApiError> {
    let Ok(mut form) = Multipart::from_request(request, &state).await else {
        return Err(FileError::FileRequired.into());
    };
    while let Some(part) = form.next_field().await.map_err(|_| FileError::Broken)? {
        let name = part.file_name().map(str::to_owned);
        let (Some(name), Some("file")) = (name, part.name()) else { continue };
        let tenant =
            query.tenant_id.parse().map_err(|_| FileError::BadUrl("user not found".to_owned()))?;
        let mime_type = media_type(&part);
        let link =
            Presented { timestamp: &query.timestamp, nonce: &query.nonce, sign: &query.sign };
        let file = PluginFile {
            tenant,
            user: query.user_id.as_deref(),
            name: &name,
            mime_type: &mime_type,
            link,
        };
        let made = tool_file::upload_of_plugin(&state.ctx, file, pin!(part)).await?;
        let extension = tool_file::extension(&made.mimetype);
        let answer = FileResponse {
            id: made.id.0,
            name: made.name,
            size: made.size,
            preview_url: Some(links::tool_file_internal(&state.ctx, made.id, &extension)),
            extension: Some(extension),
            mime_type: Some(made.mimetype),
            source_url: made.original_url.clone(),
            original_url: made.original_url,
            user_id: Some(made.user_id),
            tenant_id: Some(made.tenant_id.0),
            conversation_id: made.conversation_id.map(|id| id.0),
            file_key: Some(made.file_key),
            ..FileResponse::default()
        };
        return Ok((StatusCode::CREATED, Json(answer)));
    }
    Err(FileError::FileRequired.into())
}
