//! `/console/api/datasets`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query, guard::Console, validation::lax,
};
use serde::Deserialize;
use services_knowledge::dataset::{self, Wish};
use services_model::Models;
use types::{DatasetId, Limit, Page};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::{Dataset, ListedDataset};

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_datasets)).routes(routes!(find_dataset))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ConsoleDatasetListQuery {
    /// From 1.
    #[serde(default = "first")]
    page: i64,
    /// Entries a page, 100 at the most.
    #[serde(default = "usual")]
    limit: i64,
    /// Part of the name.
    keyword: Option<String>,
    /// All of the workspace, for its owner.
    #[serde(default, deserialize_with = "lax::flag")]
    include_all: bool,
    /// Only these, and nothing else counts.
    #[serde(default)]
    ids: Vec<String>,
    /// Only those with one of these tags.
    #[serde(default)]
    tag_ids: Vec<String>,
}

const fn first() -> i64 {
    1
}

const fn usual() -> i64 {
    20
}

/// The knowledge bases the user sees, newest first.
#[utoipa::path(
    get,
    path = "/console/api/datasets",
    tag = "datasets",
    params(ConsoleDatasetListQuery),
    responses((status = 200, body = Page<ListedDataset>), (status = "4XX", body = ErrorBody)),
)]
async fn list_datasets(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Query(query): Query<ConsoleDatasetListQuery>,
) -> Result<Json<Page<ListedDataset>>, ApiError> {
    let ConsoleDatasetListQuery { page, limit, keyword, include_all, ids, tag_ids } = query;
    let wish = Wish { ids, keyword, tags: tag_ids, include_all };
    let asked = Limit { page, limit };
    let found = dataset::list(&state.ctx, &models, &user, &wish, asked).await?;
    Ok(Json(found.map(Into::into)))
}

/// A knowledge base.
#[utoipa::path(
    get,
    path = "/console/api/datasets/{dataset_id}",
    tag = "datasets",
    params(("dataset_id" = DatasetId, Path)),
    responses((status = 200, body = Dataset), (status = "4XX", body = ErrorBody)),
)]
async fn find_dataset(
    State(state): State<AppState>,
    Console(user): Console,
    Part(models): Part<Models>,
    Path(id): Path<DatasetId>,
) -> Result<Json<Dataset>, ApiError> {
    let found = dataset::find(&state.ctx, &models, &user, id).await?;
    Ok(Json(found.into()))
}
