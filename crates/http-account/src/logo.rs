//! `/console/api/workspaces/custom-config/webapp-logo/upload`

use std::pin::pin;

use axum::{
    extract::{FromRequest, Multipart, Request, State},
    http::StatusCode,
};
use futures::StreamExt;
use http_core::{ApiError, AppState, ErrorBody, Json, guard::Admin};
use serde::Serialize;
use services_platform::file::{
    FileError, Owner,
    receive::{self, Announced, Keep, Received},
};
use types::{TenantId, UploadFileId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::features;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload_webapp_logo))
}

/// A form with a picture, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct LogoUpload {
    /// SVG or PNG.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Uploaded {
    id: UploadFileId,
}

/// Upload a logo for the workspace's web apps.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/custom-config/webapp-logo/upload",
    tag = "workspace",
    request_body(content = LogoUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = Uploaded), (status = "4XX", body = ErrorBody)),
)]
async fn upload_webapp_logo(
    State(state): State<AppState>,
    Admin(user): Admin,
    request: Request,
) -> Result<(StatusCode, Json<Uploaded>), ApiError> {
    features::check_customizable(&state, user.tenant).await?;
    let (name, received) = read(&state, user.tenant, request).await?;
    let extension = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    if !matches!(extension.as_str(), "svg" | "png") {
        receive::discard(&state.ctx, received).await;
        return Err(FileError::Kind.into());
    }
    let owner = Owner::Account(user.account.id);
    let wish = Keep { owner, documents_only: false, source_url: None };
    let file = receive::keep(&state.ctx, received, wish).await?;
    Ok((StatusCode::CREATED, Json(Uploaded { id: file.id })))
}

/// The one file of a form and its name. What was received of a form that is refused is dropped.
async fn read(
    state: &AppState,
    tenant: TenantId,
    request: Request,
) -> Result<(String, Received), ApiError> {
    let Ok(mut parts) = Multipart::from_request(request, state).await else {
        return Err(FileError::NoFile.into());
    };
    let mut found = None;
    let outcome = read_parts(state, tenant, &mut parts, &mut found).await;
    match (outcome, found) {
        (Ok(()), Some(file)) => Ok(file),
        (Ok(()), None) => Err(FileError::NoFile.into()),
        (Err(err), found) => {
            if let Some((_, received)) = found {
                receive::discard(&state.ctx, received).await;
            }
            Err(err)
        }
    }
}

async fn read_parts(
    state: &AppState,
    tenant: TenantId,
    parts: &mut Multipart,
    found: &mut Option<(String, Received)>,
) -> Result<(), ApiError> {
    while let Some(part) = parts.next_field().await.map_err(|_| FileError::Broken)? {
        let is_file = part.name() == Some("file");
        match part.file_name().map(str::to_owned) {
            Some(name) if is_file && found.is_none() => {
                let kind = part.content_type().unwrap_or_default();
                let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                let file = Announced { tenant, name: &name, mime_type: &kind };
                *found = Some((name.clone(), receive::receive(&state.ctx, file, pin!(part)).await?));
            }
            Some(_) if found.is_some() || !is_file => return Err(FileError::TooMany.into()),
            _ => {
                let mut part = pin!(part);
                while let Some(piece) = part.next().await {
                    piece.map_err(|_| FileError::Broken)?;
                }
            }
        }
    }
    Ok(())
}
