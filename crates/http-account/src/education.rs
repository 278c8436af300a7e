//! `/console/api/account/education`: places at schools, in the hosted edition.

use axum::extract::State;
use chrono::DateTime;
use http_core::{ApiError, AppState, ErrorBody, Json, Query, Valid, guard::Console};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_account::hosted;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::body::Cloud;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_education, activate_education))
        .routes(routes!(verify_education))
        .routes(routes!(complete_school))
}

fn check_billing(state: &AppState) -> Result<(), ApiError> {
    if state.ctx.config.feature.billing_enabled {
        return Ok(());
    }
    let status = axum::http::StatusCode::FORBIDDEN;
    Err(ApiError::new(status, "forbidden", "Billing feature is not enabled."))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Education {
    result: bool,
    is_student: bool,
    /// Unix seconds.
    expire_at: Option<i64>,
    allow_refresh: bool,
}

/// Whether you have proved a place at a school.
#[utoipa::path(
    get,
    path = "/console/api/account/education",
    tag = "education",
    responses((status = 200, body = Education), (status = "4XX", body = ErrorBody)),
)]
async fn find_education(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
) -> Result<Json<Education>, ApiError> {
    check_billing(&state)?;
    let status = hosted::education_status(&state.ctx, &user).await?;
    let flag = |name: &str| status.get(name).and_then(Value::as_bool).unwrap_or(false);
    let expire_at = status.get("expire_at").and_then(Value::as_str);
    Ok(Json(Education {
        result: flag("result"),
        is_student: flag("is_student"),
        expire_at: expire_at
            .and_then(|at| DateTime::parse_from_rfc3339(at).ok())
            .map(|at| at.timestamp()),
        allow_refresh: flag("allow_refresh"),
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ActivatePayload {
    token: String,
    institution: String,
    role: String,
}

/// Use a proof of a place at a school.
#[utoipa::path(
    post,
    path = "/console/api/account/education",
    tag = "education",
    request_body = ActivatePayload,
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)),
)]
async fn activate_education(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
    Valid(payload): Valid<ActivatePayload>,
) -> Result<Json<Value>, ApiError> {
    check_billing(&state)?;
    let ActivatePayload { token, institution, role } = &payload;
    Ok(Json(hosted::activate_education(&state.ctx, &user, token, institution, role).await?))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EducationToken {
    token: Option<String>,
}

/// A token to prove a place at a school with.
#[utoipa::path(
    get,
    path = "/console/api/account/education/verify",
    tag = "education",
    responses((status = 200, body = EducationToken), (status = "4XX", body = ErrorBody)),
)]
async fn verify_education(
    State(state): State<AppState>,
    Console(user): Console,
    _: Cloud,
) -> Result<Json<EducationToken>, ApiError> {
    check_billing(&state)?;
    let answer = hosted::verify_education(&state.ctx, &user).await?;
    let token = answer.get("token").and_then(Value::as_str).map(str::to_owned);
    Ok(Json(EducationToken { token }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct SchoolQuery {
    keywords: String,
    #[serde(default)]
    page: i64,
    #[serde(default = "twenty")]
    limit: i64,
}

fn twenty() -> i64 {
    20
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Schools {
    data: Option<Vec<String>>,
    curr_page: Option<i64>,
    has_next: Option<bool>,
}

/// Schools by name.
#[utoipa::path(
    get,
    path = "/console/api/account/education/autocomplete",
    tag = "education",
    params(SchoolQuery),
    responses((status = 200, body = Schools), (status = "4XX", body = ErrorBody)),
)]
async fn complete_school(
    State(state): State<AppState>,
    _: Console,
    _: Cloud,
    Query(query): Query<SchoolQuery>,
) -> Result<Json<Schools>, ApiError> {
    check_billing(&state)?;
    let answer =
        hosted::complete_school(&state.ctx, &query.keywords, query.page, query.limit).await?;
    let names = answer
        .get("data")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect());
    Ok(Json(Schools {
        data: names,
        curr_page: answer.get("curr_page").and_then(Value::as_i64),
        has_next: answer.get("has_next").and_then(Value::as_bool),
    }))
}
