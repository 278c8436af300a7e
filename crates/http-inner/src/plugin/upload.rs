//! `/inner/api/upload/file/request`

use axum::extract::State;
use http_core::{AppState, ErrorBody, Json};
use serde::{Deserialize, Serialize};
use services_platform::links;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(request_plugin_upload))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestUploadFile {
    filename: String,
    mimetype: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UploadAddress {
    url: String,
}

/// Where a plugin may upload one file.
#[utoipa::path(
    post,
    path = "/inner/api/upload/file/request",
    tag = "plugin",
    request_body = RequestUploadFile,
    responses((status = 200, body = Outcome<UploadAddress>), (status = "4XX", body = ErrorBody)),
)]
async fn request_plugin_upload(
    State(state): State<AppState>,
    call: PluginCall<RequestUploadFile>,
) -> Json<Outcome<UploadAddress>> {
    let PluginCall { caller, body } = call;
    let url = links::plugin_upload(
        &state.ctx,
        caller.tenant,
        caller.user,
        &body.filename,
        &body.mimetype,
    );
    Outcome::of(Ok::<_, std::convert::Infallible>(UploadAddress { url }))
}
