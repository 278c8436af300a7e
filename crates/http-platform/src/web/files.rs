//! `/api/files`

use axum::{
    extract::{Request, State},
    http::StatusCode,
};
use http_core::{ApiError, AppState, ErrorBody, Json, guard::Visitor};
use services_platform::file::Owner;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{upload::Form, wire::FileResponse};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload_web_file))
}

/// A form with a file, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct WebUpload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `datasets` for documents only.
    source: Option<String>,
}

/// Upload a file for a message.
#[utoipa::path(
    post,
    path = "/api/files/upload",
    tag = "files",
    request_body(content = WebUpload, content_type = "multipart/form-data"),
    responses((status = 201, body = FileResponse), (status = "4XX", body = ErrorBody)),
)]
async fn upload_web_file(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
    request: Request,
) -> Result<(StatusCode, Json<FileResponse>), ApiError> {
    let form = Form::read(&state, visitor.app.tenant_id, request).await?;
    let wanted = form.wanted();
    let file = form.keep(&state, Owner::EndUser(visitor.end_user.id), wanted).await?;
    Ok((StatusCode::CREATED, Json(file.into())))
}
