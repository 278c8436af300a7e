//! `/console/api/api-key-auth/data-source`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Valid,
    guard::{Admin, Console},
    validation::JsonObject,
};
use serde::{Deserialize, Serialize};
use services_platform::data_source::crawler::{self, Wish};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::{Done, seconds};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_crawler_keys))
        .routes(routes!(bind_crawler_key))
        .routes(routes!(unbind_crawler_key))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ApiKeyAuthBindingPayload {
    /// `website`.
    category: String,
    /// `firecrawl`, `watercrawl` or `jinareader`.
    provider: String,
    /// `{auth_type, config: {api_key, base_url}}`.
    #[schema(value_type = Object)]
    credentials: JsonObject,
}

/// A crawler the workspace has a key of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CrawlerKey {
    id: Uuid,
    category: String,
    provider: String,
    disabled: bool,
    /// Unix seconds.
    created_at: i64,
    /// Unix seconds.
    updated_at: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CrawlerKeys {
    sources: Vec<CrawlerKey>,
}

/// The crawlers the workspace has keys of.
#[utoipa::path(
    get,
    path = "/console/api/api-key-auth/data-source",
    tag = "data-source",
    responses((status = 200, body = CrawlerKeys), (status = "4XX", body = ErrorBody)),
)]
async fn list_crawler_keys(
    State(state): State<AppState>,
    Console(user): Console,
) -> Result<Json<CrawlerKeys>, ApiError> {
    let keys = crawler::list(&state.ctx, user.tenant).await?;
    let sources = keys.into_iter().map(|key| CrawlerKey {
        id: key.id,
        category: key.category,
        provider: key.provider,
        disabled: key.disabled,
        created_at: seconds(key.created_at),
        updated_at: seconds(key.updated_at),
    });
    Ok(Json(CrawlerKeys { sources: sources.collect() }))
}

/// Bind a crawler's key, after the crawler has taken it.
#[utoipa::path(
    post,
    path = "/console/api/api-key-auth/data-source/binding",
    tag = "data-source",
    request_body = ApiKeyAuthBindingPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)),
)]
async fn bind_crawler_key(
    State(state): State<AppState>,
    Admin(user): Admin,
    Valid(body): Valid<ApiKeyAuthBindingPayload>,
) -> Result<Json<Done>, ApiError> {
    let wish =
        Wish { category: body.category, provider: body.provider, credentials: body.credentials };
    crawler::bind(&state.ctx, user.tenant, wish).await?;
    Ok(Json(Done::new()))
}

/// Unbind a crawler's key.
#[utoipa::path(
    delete,
    path = "/console/api/api-key-auth/data-source/{binding_id}",
    tag = "data-source",
    params(("binding_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn unbind_crawler_key(
    State(state): State<AppState>,
    Admin(user): Admin,
    Path(id): Path<Uuid>,
) -> Result<NoContent, ApiError> {
    crawler::unbind(&state.ctx, user.tenant, id).await?;
    Ok(NoContent)
}
