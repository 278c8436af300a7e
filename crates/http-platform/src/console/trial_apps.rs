//! `/console/api/trial-apps`: reading what may be tried.

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query};
use serde::{Deserialize, Serialize};
use services_platform::{
    explore::trial::{self, DatasetSummary},
    web_app,
};
use types::{AppId, DatasetId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::Site;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_trial_site)).routes(routes!(list_trial_datasets))
}

/// The web app of an app that may be tried.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/site",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Site), (status = "4XX", body = ErrorBody)),
)]
async fn find_trial_site(
    State(state): State<AppState>,
    Path(app): Path<AppId>,
) -> Result<Json<Site>, ApiError> {
    let app = trial::read(&state.ctx, app).await?;
    let site = web_app::site(&state.ctx, &app).await?;
    Ok(Json(Site::new(&state.ctx, site)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct TrialDatasetsQuery {
    /// Said again in the answer.
    page: Option<String>,
    /// Said again in the answer; a page that is full has more.
    limit: Option<String>,
    /// Those that are asked for.
    #[serde(default)]
    ids: Vec<String>,
}

/// A knowledge base in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TrialDataset {
    id: DatasetId,
    name: String,
    description: Option<String>,
    permission: String,
    data_source_type: Option<String>,
    indexing_technique: Option<String>,
    created_by: Uuid,
    /// Unix seconds.
    created_at: i64,
}

impl From<DatasetSummary> for TrialDataset {
    fn from(it: DatasetSummary) -> Self {
        Self {
            id: it.id,
            name: it.name,
            description: it.description,
            permission: it.permission,
            data_source_type: it.data_source_type,
            indexing_technique: it.indexing_technique,
            created_by: it.created_by,
            created_at: it.created_at.and_utc().timestamp(),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TrialDatasets {
    data: Vec<TrialDataset>,
    has_more: bool,
    limit: usize,
    total: usize,
    page: usize,
}

/// Knowledge bases an app that may be tried uses.
#[utoipa::path(
    get,
    path = "/console/api/trial-apps/{app_id}/datasets",
    tag = "explore",
    params(("app_id" = AppId, Path), TrialDatasetsQuery),
    responses((status = 200, body = TrialDatasets), (status = "4XX", body = ErrorBody)),
)]
async fn list_trial_datasets(
    State(state): State<AppState>,
    Path(app): Path<AppId>,
    Query(query): Query<TrialDatasetsQuery>,
) -> Result<Json<TrialDatasets>, ApiError> {
    let found = trial::datasets(&state.ctx, app, &query.ids).await?;
    // What is no number counts as not said.
    let number = |text: Option<String>, other| text.and_then(|it| it.parse().ok()).unwrap_or(other);
    let (limit, total) = (number(query.limit, 20), found.len());
    Ok(Json(TrialDatasets {
        data: found.into_iter().map(Into::into).collect(),
        has_more: total == limit,
        limit,
        total,
        page: number(query.page, 1),
    }))
}
