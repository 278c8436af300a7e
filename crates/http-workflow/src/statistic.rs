//! `/console/api/apps/{app_id}/workflow/statistics/…`

use axum::extract::State;
use chrono::NaiveDate;
use http_core::{ApiError, AppState, ErrorBody, Json, Query};
use serde::{Deserialize, Serialize};
use services_account::session::SignedIn;
use services_workflow::statistic::{self, Asked, Count};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::{Any, AppOf, Workflows};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_daily_workflow_runs))
        .routes(routes!(list_daily_workflow_users))
        .routes(routes!(list_daily_workflow_tokens))
        .routes(routes!(list_daily_workflow_interactions))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowStatisticQuery {
    /// `YYYY-MM-DD HH:MM`, in your time zone.
    start: Option<String>,
    /// `YYYY-MM-DD HH:MM`, in your time zone.
    end: Option<String>,
}

impl WorkflowStatisticQuery {
    fn asked<'q>(&'q self, user: &'q SignedIn) -> Asked<'q> {
        Asked {
            start: self.start.as_deref(),
            end: self.end.as_deref(),
            zone: user.account.timezone.as_deref().unwrap_or("UTC"),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Daily<T> {
    data: Vec<T>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyRuns {
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    runs: i64,
}

/// Runs a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow/statistics/daily-conversations",
    tag = "workflow statistics",
    params(("app_id" = AppId, Path), WorkflowStatisticQuery),
    responses((status = 200, body = Daily<DailyRuns>), (status = "4XX", body = ErrorBody)),
)]
async fn list_daily_workflow_runs(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Any>,
    Query(query): Query<WorkflowStatisticQuery>,
) -> Result<Json<Daily<DailyRuns>>, ApiError> {
    let days = statistic::daily(&state.ctx, &app, query.asked(&user), Count::Runs).await?;
    let data = days.into_iter().map(|day| DailyRuns { date: day.date, runs: day.value });
    Ok(Json(Daily { data: data.collect() }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyUsers {
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    terminal_count: i64,
}

/// Users a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow/statistics/daily-terminals",
    tag = "workflow statistics",
    params(("app_id" = AppId, Path), WorkflowStatisticQuery),
    responses((status = 200, body = Daily<DailyUsers>), (status = "4XX", body = ErrorBody)),
)]
async fn list_daily_workflow_users(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Any>,
    Query(query): Query<WorkflowStatisticQuery>,
) -> Result<Json<Daily<DailyUsers>>, ApiError> {
    let days = statistic::daily(&state.ctx, &app, query.asked(&user), Count::Users).await?;
    let data = days.into_iter().map(|day| DailyUsers { date: day.date, terminal_count: day.value });
    Ok(Json(Daily { data: data.collect() }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyTokens {
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    /// A number as text: the reference shows a decimal.
    token_count: String,
}

/// Tokens a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow/statistics/token-costs",
    tag = "workflow statistics",
    params(("app_id" = AppId, Path), WorkflowStatisticQuery),
    responses((status = 200, body = Daily<DailyTokens>), (status = "4XX", body = ErrorBody)),
)]
async fn list_daily_workflow_tokens(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Any>,
    Query(query): Query<WorkflowStatisticQuery>,
) -> Result<Json<Daily<DailyTokens>>, ApiError> {
    let days = statistic::daily(&state.ctx, &app, query.asked(&user), Count::Tokens).await?;
    let data = days
        .into_iter()
        .map(|day| DailyTokens { date: day.date, token_count: day.value.to_string() });
    Ok(Json(Daily { data: data.collect() }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyInteractions {
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    /// Two places.
    interactions: f64,
}

/// Runs a user and day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow/statistics/average-app-interactions",
    tag = "workflow statistics",
    params(("app_id" = AppId, Path), WorkflowStatisticQuery),
    responses((status = 200, body = Daily<DailyInteractions>), (status = "4XX", body = ErrorBody)),
)]
async fn list_daily_workflow_interactions(
    State(state): State<AppState>,
    AppOf { app, user, .. }: AppOf<Workflows>,
    Query(query): Query<WorkflowStatisticQuery>,
) -> Result<Json<Daily<DailyInteractions>>, ApiError> {
    let days = statistic::interactions(&state.ctx, &app, query.asked(&user)).await?;
    let data = days.into_iter().map(|day| DailyInteractions {
        date: day.date,
        // Two places always fit.
        interactions: day.value.to_string().parse().unwrap_or_default(),
    });
    Ok(Json(Daily { data: data.collect() }))
}
