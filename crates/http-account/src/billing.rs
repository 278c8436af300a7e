//! `/console/api/billing`: payment, in the hosted edition.

use axum::{
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Query, Valid, guard::Console};
use serde::Deserialize;
use serde_json::Value;
use services_account::hosted;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::Cloud;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_payment_link))
        .routes(routes!(find_invoices))
        .routes(routes!(bind_partner))
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Professional,
    Team,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Interval {
    Month,
    Year,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PlanQuery {
    plan: Plan,
    interval: Interval,
}

/// Where a plan is paid for.
#[utoipa::path(
    get,
    path = "/console/api/billing/subscription",
    tag = "billing",
    params(PlanQuery),
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)),
)]
async fn find_payment_link(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
    Query(query): Query<PlanQuery>,
) -> Result<Json<Value>, ApiError> {
    let plan = match query.plan {
        Plan::Professional => "professional",
        Plan::Team => "team",
    };
    let interval = match query.interval {
        Interval::Month => "month",
        Interval::Year => "year",
    };
    Ok(Json(hosted::payment_link(&state.ctx, &user, plan, interval).await?))
}

/// Where invoices are.
#[utoipa::path(
    get,
    path = "/console/api/billing/invoices",
    tag = "billing",
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)),
)]
async fn find_invoices(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(hosted::invoices(&state.ctx, &user).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
struct PartnerPayload {
    #[garde(skip)]
    click_id: String,
}

/// Note who sent you here.
#[utoipa::path(
    put,
    path = "/console/api/billing/partners/{partner_key}/tenants",
    tag = "billing",
    params(("partner_key" = String, Path)),
    request_body = PartnerPayload,
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)),
)]
async fn bind_partner(
    State(state): State<AppState>,
    Path(partner_key): Path<String>,
    Console(user): Console,
    _: Cloud,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let refused = |message| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message);
    let payload = Valid::<PartnerPayload>::from_request(request, &state).await;
    let key = crypto::base64::decode(&partner_key).and_then(|key| String::from_utf8(key).ok());
    let (Ok(Valid(payload)), Some(key)) = (payload, key) else {
        return Err(refused("Invalid partner_key"));
    };
    // The key becomes part of a path of the billing service.
    if payload.click_id.is_empty() || key.is_empty() || key.contains(['/', '?', '#', '%']) {
        return Err(refused("Invalid partner information"));
    }
    Ok(Json(hosted::bind_partner(&state.ctx, &user, &key, &payload.click_id).await?))
}
