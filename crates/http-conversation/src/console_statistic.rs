//! `/console/api/apps/{app_id}/statistics`

use axum::extract::State;
use db::app_statistic::Day;
use garde::Validate;
use http_core::{ApiError, AppState, ErrorBody, Json, Query};
use serde::{Deserialize, Serialize};
use services_conversation::{statistic, time_range::TimeRange};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::{ANY, AppOf, CHAT, COMPLETION};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(daily_messages))
        .routes(routes!(daily_conversations))
        .routes(routes!(daily_end_users))
        .routes(routes!(token_costs))
        .routes(routes!(average_session_interactions))
        .routes(routes!(user_satisfaction_rate))
        .routes(routes!(average_response_time))
        .routes(routes!(tokens_per_second))
}

/// Which days, `YYYY-MM-DD HH:MM` in the account's time zone.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct StatisticTimeRangeQuery {
    start: Option<String>,
    end: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DailyFigures)]
struct Figures<T> {
    data: Vec<T>,
}

fn range<const MODES: u8>(
    guard: &AppOf<MODES>,
    query: &StatisticTimeRangeQuery,
) -> Result<TimeRange, ApiError> {
    let zone = guard.user.account.timezone.as_deref();
    Ok(TimeRange::parse(query.start.as_deref(), query.end.as_deref(), zone)?)
}

async fn figures<T, const MODES: u8>(
    state: &AppState,
    guard: &AppOf<MODES>,
    query: &StatisticTimeRangeQuery,
    figure: impl FnMut(Day) -> T,
) -> Result<Json<Figures<T>>, ApiError> {
    let days = statistic::days(&state.ctx, &guard.app, range(guard, query)?).await?;
    Ok(Json(Figures { data: days.into_iter().map(figure).collect() }))
}

/// Rounds as the reference does, to `digits` behind the point.
fn round(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round_ties_even() / factor
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyMessages {
    date: String,
    message_count: i64,
}

/// Questions a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/daily-messages",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyMessages>), (status = "4XX", body = ErrorBody)),
)]
async fn daily_messages(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyMessages>>, ApiError> {
    figures(&state, &guard, &query, |day| DailyMessages {
        date: day.date.to_string(),
        message_count: day.messages,
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyConversations {
    date: String,
    conversation_count: i64,
}

/// Conversations a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/daily-conversations",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyConversations>), (status = "4XX", body = ErrorBody)),
)]
async fn daily_conversations(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyConversations>>, ApiError> {
    figures(&state, &guard, &query, |day| DailyConversations {
        date: day.date.to_string(),
        conversation_count: day.conversations,
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyEndUsers {
    date: String,
    terminal_count: i64,
}

/// Users a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/daily-end-users",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyEndUsers>), (status = "4XX", body = ErrorBody)),
)]
async fn daily_end_users(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyEndUsers>>, ApiError> {
    figures(&state, &guard, &query, |day| DailyEndUsers {
        date: day.date.to_string(),
        terminal_count: day.end_users,
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyCosts {
    date: String,
    token_count: i64,
    total_price: String,
    currency: &'static str,
}

/// Tokens and their price a day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/token-costs",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyCosts>), (status = "4XX", body = ErrorBody)),
)]
async fn token_costs(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyCosts>>, ApiError> {
    figures(&state, &guard, &query, |day| DailyCosts {
        date: day.date.to_string(),
        token_count: day.tokens,
        total_price: day.price.to_string(),
        currency: "USD",
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailySatisfaction {
    date: String,
    rate: f64,
}

/// Likes a thousand questions, by day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/user-satisfaction-rate",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailySatisfaction>), (status = "4XX", body = ErrorBody)),
)]
async fn user_satisfaction_rate(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailySatisfaction>>, ApiError> {
    figures(&state, &guard, &query, |day| DailySatisfaction {
        date: day.date.to_string(),
        rate: rate(&day),
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyLatency {
    date: String,
    latency: f64,
}

/// Milliseconds until an answer is complete, by day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/average-response-time",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyLatency>), (status = "4XX", body = ErrorBody)),
)]
async fn average_response_time(
    State(state): State<AppState>,
    guard: AppOf<COMPLETION>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyLatency>>, ApiError> {
    figures(&state, &guard, &query, |day| DailyLatency {
        date: day.date.to_string(),
        latency: round(day.latency * 1000.0, 4),
    })
    .await
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailySpeed {
    date: String,
    tps: f64,
}

/// Tokens of answers a second, by day.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/tokens-per-second",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailySpeed>), (status = "4XX", body = ErrorBody)),
)]
async fn tokens_per_second(
    State(state): State<AppState>,
    guard: AppOf<ANY>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailySpeed>>, ApiError> {
    figures(&state, &guard, &query, |day| DailySpeed {
        date: day.date.to_string(),
        tps: speed(&day),
    })
    .await
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day are far below 2^52")]
fn rate(day: &Day) -> f64 {
    if day.messages == 0 { 0.0 } else { round((day.likes * 1000) as f64 / day.messages as f64, 2) }
}

#[expect(clippy::cast_precision_loss, reason = "tokens of a day are far below 2^52")]
fn speed(day: &Day) -> f64 {
    if day.latency_sum == 0.0 { 0.0 } else { round(day.answer_tokens as f64 / day.latency_sum, 4) }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DailyInteractions {
    date: String,
    interactions: f64,
}

/// Questions a conversation, by the day the conversation began.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/statistics/average-session-interactions",
    tag = "statistic",
    params(("app_id" = AppId, Path), StatisticTimeRangeQuery),
    responses((status = 200, body = Figures<DailyInteractions>), (status = "4XX", body = ErrorBody)),
)]
async fn average_session_interactions(
    State(state): State<AppState>,
    guard: AppOf<CHAT>,
    Query(query): Query<StatisticTimeRangeQuery>,
) -> Result<Json<Figures<DailyInteractions>>, ApiError> {
    let days = statistic::sessions(&state.ctx, &guard.app, range(&guard, &query)?).await?;
    let data = days.into_iter().map(|day| DailyInteractions {
        date: day.date.to_string(),
        interactions: round(day.interactions, 2),
    });
    Ok(Json(Figures { data: data.collect() }))
}
