//! `/console/api/all-workspaces`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Query, guard::SetUp};
use serde::{Deserialize, Serialize};
use services_account::workspace;
use types::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::admin_key::Operator;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_all_workspaces))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
struct PageQuery {
    #[garde(range(min = 1, max = 99_999))]
    #[serde(default = "one")]
    page: i64,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "twenty")]
    limit: i64,
}

fn one() -> i64 {
    1
}

fn twenty() -> i64 {
    20
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkspacePage {
    data: Vec<AnyWorkspace>,
    has_more: bool,
    limit: i64,
    page: i64,
    total: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnyWorkspace {
    id: TenantId,
    name: String,
    status: String,
    /// Unix seconds.
    created_at: i64,
}

/// Every workspace of the server, for the operator.
#[utoipa::path(
    get,
    path = "/console/api/all-workspaces",
    tag = "operator",
    params(PageQuery),
    responses((status = 200, body = WorkspacePage), (status = "4XX", body = ErrorBody)),
)]
async fn list_all_workspaces(
    State(state): State<AppState>,
    _: SetUp,
    _: Operator,
    Query(query): Query<PageQuery>,
) -> Result<Json<WorkspacePage>, ApiError> {
    let PageQuery { page, limit } = query;
    let (tenants, total) = workspace::list_all(&state.ctx, page, limit).await?;
    let data = tenants
        .into_iter()
        .map(|tenant| AnyWorkspace {
            id: tenant.id,
            name: tenant.name,
            status: tenant.status,
            created_at: tenant.created_at.and_utc().timestamp(),
        })
        .collect();
    Ok(Json(WorkspacePage { data, has_more: page * limit < total, limit, page, total }))
}
