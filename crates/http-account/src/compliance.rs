//! `/console/api/compliance`: reports, in the hosted edition.

use axum::{
    extract::State,
    http::{HeaderMap, header},
};
use http_core::{ApiError, AppState, ErrorBody, Json, Query, guard::Console};
use serde::Deserialize;
use serde_json::Value;
use services_account::hosted;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::{ClientIp, Cloud};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_compliance_report))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
struct ReportQuery {
    #[garde(skip)]
    doc_name: String,
}

/// Where a compliance report is.
#[utoipa::path(
    get,
    path = "/console/api/compliance/download",
    tag = "billing",
    params(ReportQuery),
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)),
)]
async fn find_compliance_report(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Json<Value>, ApiError> {
    let device = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let device = device.unwrap_or("Unknown device");
    Ok(Json(hosted::compliance_report(&state.ctx, &user, &query.doc_name, &ip, device).await?))
}
