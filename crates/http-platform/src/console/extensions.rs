//! `/console/api/api-based-extension` and `/console/api/code-based-extension`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Query, Valid, guard::Console,
};
use serde::{Deserialize, Serialize};
use services_platform::extension::{self, Extension, Wish};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::seconds;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_extensions, create_extension))
        .routes(routes!(find_extension, update_extension, delete_extension))
        .routes(routes!(list_code_extensions))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
#[serde(rename = "APIBasedExtensionPayload")]
struct ApiBasedExtensionPayload {
    name: String,
    api_endpoint: String,
    /// `[__HIDDEN__]` keeps the stored one.
    api_key: String,
}

impl From<ApiBasedExtensionPayload> for Wish {
    fn from(body: ApiBasedExtensionPayload) -> Self {
        Self { name: body.name, api_endpoint: body.api_endpoint, api_key: body.api_key }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ApiBasedExtension {
    id: Uuid,
    name: String,
    api_endpoint: String,
    /// The ends of the key.
    api_key: String,
    /// Unix seconds.
    created_at: i64,
}

impl From<Extension> for ApiBasedExtension {
    fn from(extension: Extension) -> Self {
        Self {
            id: extension.id,
            name: extension.name,
            api_endpoint: extension.api_endpoint,
            api_key: ends(&extension.api_key),
            created_at: seconds(extension.created_at),
        }
    }
}

/// The first and last three characters of a key; of short ones the first alone.
fn ends(key: &str) -> String {
    let count = key.chars().count();
    let (head, tail) = if count > 8 { (3, 3) } else { (1.min(count), 1.min(count)) };
    let head: String = key.chars().take(head).collect();
    let tail: String = key.chars().skip(count.saturating_sub(tail)).collect();
    format!("{head}******{tail}")
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct CodeBasedExtensionQuery {
    /// `moderation` or `external_data_tool`.
    module: String,
}

/// Extensions an operator added to the server's own code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CodeBasedExtensions {
    module: String,
    /// Always empty: this server cannot load Python modules.
    #[schema(value_type = Vec<Object>)]
    data: [(); 0],
}

/// The workspace's extensions, newest first.
#[utoipa::path(
    get,
    path = "/console/api/api-based-extension",
    tag = "extensions",
    responses((status = 200, body = [ApiBasedExtension]), (status = "4XX", body = ErrorBody)),
)]
async fn list_extensions(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<Vec<ApiBasedExtension>>, ApiError> {
    let all = extension::list(&state.ctx, user.tenant).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// Add an extension, after its endpoint has answered a ping.
#[utoipa::path(
    post,
    path = "/console/api/api-based-extension",
    tag = "extensions",
    request_body = ApiBasedExtensionPayload,
    responses((status = 200, body = ApiBasedExtension), (status = "4XX", body = ErrorBody)),
)]
async fn create_extension(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(body): Valid<ApiBasedExtensionPayload>,
) -> Result<Json<ApiBasedExtension>, ApiError> {
    Ok(Json(extension::create(&state.ctx, user.tenant, body.into()).await?.into()))
}

/// One extension.
#[utoipa::path(
    get,
    path = "/console/api/api-based-extension/{id}",
    tag = "extensions",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ApiBasedExtension), (status = "4XX", body = ErrorBody)),
)]
async fn find_extension(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
) -> Result<Json<ApiBasedExtension>, ApiError> {
    Ok(Json(extension::find(&state.ctx, user.tenant, id).await?.into()))
}

/// Change an extension, after its endpoint has answered a ping.
#[utoipa::path(
    post,
    path = "/console/api/api-based-extension/{id}",
    tag = "extensions",
    params(("id" = Uuid, Path)),
    request_body = ApiBasedExtensionPayload,
    responses((status = 200, body = ApiBasedExtension), (status = "4XX", body = ErrorBody)),
)]
async fn update_extension(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
    Valid(body): Valid<ApiBasedExtensionPayload>,
) -> Result<Json<ApiBasedExtension>, ApiError> {
    Ok(Json(extension::update(&state.ctx, user.tenant, id, body.into()).await?.into()))
}

/// Remove an extension.
#[utoipa::path(
    delete,
    path = "/console/api/api-based-extension/{id}",
    tag = "extensions",
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_extension(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
) -> Result<NoContent, ApiError> {
    extension::delete(&state.ctx, user.tenant, id).await?;
    Ok(NoContent)
}

/// The extensions of a module that are part of the server's code.
#[utoipa::path(
    get,
    path = "/console/api/code-based-extension",
    tag = "extensions",
    params(CodeBasedExtensionQuery),
    responses((status = 200, body = CodeBasedExtensions), (status = "4XX", body = ErrorBody)),
)]
async fn list_code_extensions(
    _: Console,
    Query(query): Query<CodeBasedExtensionQuery>,
) -> Json<CodeBasedExtensions> {
    Json(CodeBasedExtensions { module: query.module, data: [] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ends_of_a_key_are_shown() {
        for (key, expected) in
            [("secret-key-12345", "sec******345"), ("12345678", "1******8"), ("", "******")]
        {
            assert_eq!(ends(key), expected);
        }
    }
}
