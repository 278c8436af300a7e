//! `/console/api/datasets/retrieval-setting`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, guard::Console};
use serde::Serialize;
use services_knowledge::vector_store::{self, Of};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_methods)).routes(routes!(find_methods_of_store))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RetrievalMethods {
    /// Of `semantic_search`, `full_text_search` and `hybrid_search`.
    #[schema(value_type = Vec<String>)]
    retrieval_method: &'static [&'static str],
}

fn methods(store: &str, of: Of) -> Result<Json<RetrievalMethods>, ApiError> {
    let retrieval_method = vector_store::methods(store, of)
        .ok_or_else(|| ApiError::invalid_param(format!("Unsupported vector db type {store}.")))?;
    Ok(Json(RetrievalMethods { retrieval_method }))
}

/// The search methods of the vector store the server is set to (`VECTOR_STORE`).
#[utoipa::path(
    get,
    path = "/console/api/datasets/retrieval-setting",
    tag = "datasets",
    responses((status = 200, body = RetrievalMethods), (status = "4XX", body = ErrorBody)),
)]
async fn find_methods(
    State(state): State<AppState>,
    _user: Console,
) -> Result<Json<RetrievalMethods>, ApiError> {
    let store = state.ctx.config.middleware.vector_store.as_deref().unwrap_or(vector_store::USUAL);
    methods(store, Of::Server)
}

/// The search methods of a vector store.
#[utoipa::path(
    get,
    path = "/console/api/datasets/retrieval-setting/{vector_type}",
    tag = "datasets",
    params(("vector_type" = String, Path)),
    responses((status = 200, body = RetrievalMethods), (status = "4XX", body = ErrorBody)),
)]
async fn find_methods_of_store(
    _user: Console,
    Path(store): Path<String>,
) -> Result<Json<RetrievalMethods>, ApiError> {
    methods(&store, Of::Name)
}
