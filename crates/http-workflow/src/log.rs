//! `/console/api/apps/{app_id}/workflow-app-logs`, `…/workflow-archived-logs`, `/v1/workflows/logs`

use axum::extract::State;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use http_core::{ApiError, AppState, ErrorBody, Json, Query, guard::KeyedApp, validation::lax};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};
use services_workflow::log::{self, Archived, Asked, Line};
use types::{AppId, Limit, Page, WorkflowRunId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    guard::{AppOf, Workflows},
    wire::{self, SimpleAccount, SimpleEndUser, epoch},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_workflow_app_logs))
        .routes(routes!(list_workflow_archived_logs))
        .routes(routes!(list_service_workflow_logs))
}

/// A line of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowAppLog {
    id: Uuid,
    workflow_run: WorkflowRunForLog,
    details: Option<LogDetails>,
    /// `service-api`, `web-app` or `installed-app`.
    created_from: String,
    created_by_role: String,
    created_by_account: Option<SimpleAccount>,
    created_by_end_user: Option<SimpleEndUser>,
    /// Unix seconds.
    created_at: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LogDetails {
    #[schema(value_type = Object)]
    trigger_metadata: Map<String, Value>,
}

/// The run of a line; members are null for a run that was cleaned up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunForLog {
    id: Option<WorkflowRunId>,
    version: Option<String>,
    status: Option<String>,
    triggered_from: Option<String>,
    error: Option<String>,
    /// Seconds.
    elapsed_time: Option<f64>,
    total_tokens: Option<i64>,
    total_steps: Option<i32>,
    /// Unix seconds.
    created_at: Option<i64>,
    /// Unix seconds.
    finished_at: Option<i64>,
    exceptions_count: Option<i32>,
}

impl From<Line> for WorkflowAppLog {
    fn from(line: Line) -> Self {
        let row = line.row;
        Self {
            id: row.id,
            workflow_run: WorkflowRunForLog {
                id: row.run_status.is_some().then_some(row.workflow_run_id),
                version: row.run_version,
                status: row.run_status,
                triggered_from: row.run_triggered_from,
                error: row.run_error,
                elapsed_time: row.run_elapsed_time,
                total_tokens: row.run_total_tokens,
                total_steps: row.run_total_steps,
                created_at: row.run_created_at.map(epoch),
                finished_at: row.run_finished_at.map(epoch),
                exceptions_count: row.run_exceptions_count,
            },
            details: line.trigger_metadata.map(|trigger_metadata| LogDetails { trigger_metadata }),
            created_from: row.created_from,
            created_by_role: row.created_by_role,
            created_by_account: line.created_by_account.map(Into::into),
            created_by_end_user: line.created_by_end_user.map(Into::into),
            created_at: epoch(row.created_at),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowAppLogPagination {
    page: i64,
    limit: i64,
    total: i64,
    has_more: bool,
    data: Vec<WorkflowAppLog>,
}

impl From<Page<Line>> for WorkflowAppLogPagination {
    fn from(page: Page<Line>) -> Self {
        Self {
            page: page.page,
            limit: page.limit,
            total: page.total,
            has_more: page.has_more,
            data: page.data.into_iter().map(Into::into).collect(),
        }
    }
}

/// Every status a run can have.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ExecutionStatus {
    Scheduled,
    Running,
    Succeeded,
    Failed,
    Stopped,
    PartialSucceeded,
    Paused,
}

impl ExecutionStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::PartialSucceeded => "partial-succeeded",
            Self::Paused => "paused",
        }
    }
}

/// A time as ISO 8601 has it, in UTC; without a zone it is UTC already.
fn read_time(text: &str) -> Option<NaiveDateTime> {
    if text.is_empty() {
        return None;
    }
    let spaced = text.replacen(' ', "+", usize::from(text.contains('T')));
    if let Ok(time) = DateTime::parse_from_rfc3339(&spaced) {
        return Some(time.naive_utc());
    }
    let formats =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDateTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    match read_time(&text) {
        Some(time) => Ok(Some(time)),
        None => Err(de::Error::custom(
            "Input should be a valid datetime [type=datetime_from_date_parsing]",
        )),
    }
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowAppLogQuery {
    /// Part of inputs, outputs or an end user's session; or the id of a run.
    keyword: Option<String>,
    #[param(inline)]
    status: Option<ExecutionStatus>,
    #[serde(default, rename = "created_at__before", deserialize_with = "time")]
    created_before: Option<NaiveDateTime>,
    #[serde(default, rename = "created_at__after", deserialize_with = "time")]
    created_after: Option<NaiveDateTime>,
    created_by_end_user_session_id: Option<String>,
    /// The address of a member.
    created_by_account: Option<String>,
    /// With what triggered the runs.
    #[serde(default, deserialize_with = "lax::flag")]
    detail: bool,
    #[serde(default = "wire::one")]
    #[garde(range(min = 1, max = 99_999))]
    page: i64,
    #[serde(default = "wire::twenty")]
    #[garde(range(min = 1, max = 100))]
    limit: i64,
}

/// The runs of a published app.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-app-logs",
    tag = "workflow log",
    params(("app_id" = AppId, Path), WorkflowAppLogQuery),
    responses((status = 200, body = WorkflowAppLogPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_workflow_app_logs(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Workflows>,
    Query(query): Query<WorkflowAppLogQuery>,
) -> Result<Json<WorkflowAppLogPagination>, ApiError> {
    let asked = Asked {
        keyword: query.keyword,
        status: query.status.map(|status| status.as_str().to_owned()),
        before: query.created_before,
        after: query.created_after,
        session: query.created_by_end_user_session_id,
        account: query.created_by_account,
        detail: query.detail,
    };
    let limit = Limit { page: query.page, limit: query.limit };
    Ok(Json(log::list(&state.ctx, &app, &asked, limit).await?.into()))
}

/// An archived run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowArchivedLog {
    id: Uuid,
    workflow_run: WorkflowRunForArchivedLog,
    #[schema(value_type = Object)]
    trigger_metadata: Map<String, Value>,
    created_by_account: Option<SimpleAccount>,
    created_by_end_user: Option<SimpleEndUser>,
    /// Unix seconds.
    created_at: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowRunForArchivedLog {
    id: WorkflowRunId,
    status: String,
    triggered_from: String,
    /// Seconds.
    elapsed_time: f64,
    total_tokens: i64,
}

impl From<Archived> for WorkflowArchivedLog {
    fn from(archived: Archived) -> Self {
        let row = archived.row;
        Self {
            id: row.id,
            workflow_run: WorkflowRunForArchivedLog {
                id: row.workflow_run_id,
                status: row.run_status,
                triggered_from: row.run_triggered_from,
                elapsed_time: row.run_elapsed_time,
                total_tokens: row.run_total_tokens,
            },
            trigger_metadata: archived.trigger_metadata,
            created_by_account: archived.created_by_account.map(Into::into),
            created_by_end_user: archived.created_by_end_user.map(Into::into),
            created_at: row.log_created_at.map(epoch),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WorkflowArchivedLogPagination {
    page: i64,
    limit: i64,
    total: i64,
    has_more: bool,
    data: Vec<WorkflowArchivedLog>,
}

/// The archived runs of a published app. Filters of the log are taken and do nothing, as in the reference.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/workflow-archived-logs",
    tag = "workflow log",
    params(("app_id" = AppId, Path), WorkflowAppLogQuery),
    responses((status = 200, body = WorkflowArchivedLogPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_workflow_archived_logs(
    State(state): State<AppState>,
    AppOf { app, .. }: AppOf<Workflows>,
    Query(query): Query<WorkflowAppLogQuery>,
) -> Result<Json<WorkflowArchivedLogPagination>, ApiError> {
    let limit = Limit { page: query.page, limit: query.limit };
    let page = log::archived(&state.ctx, &app, limit).await?;
    Ok(Json(WorkflowArchivedLogPagination {
        page: page.page,
        limit: page.limit,
        total: page.total,
        has_more: page.has_more,
        data: page.data.into_iter().map(Into::into).collect(),
    }))
}

/// A status the service API asks for.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum EndStatus {
    Succeeded,
    Failed,
    Stopped,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct WorkflowLogQuery {
    /// Part of inputs, outputs or an end user's session; or the id of a run.
    keyword: Option<String>,
    #[param(inline)]
    status: Option<EndStatus>,
    #[serde(rename = "created_at__before")]
    created_before: Option<String>,
    #[serde(rename = "created_at__after")]
    created_after: Option<String>,
    created_by_end_user_session_id: Option<String>,
    /// The address of a member.
    created_by_account: Option<String>,
    #[serde(default = "wire::one")]
    #[garde(range(min = 1, max = 99_999))]
    page: i64,
    #[serde(default = "wire::twenty")]
    #[garde(range(min = 1, max = 100))]
    limit: i64,
}

fn service_time(text: Option<&str>) -> Result<Option<NaiveDateTime>, ApiError> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => read_time(text)
            .map(Some)
            .ok_or_else(|| ApiError::invalid_param("Unknown string format: ".to_owned() + text)),
    }
}

/// The runs of the app.
#[utoipa::path(
    get,
    path = "/v1/workflows/logs",
    tag = "workflow",
    params(WorkflowLogQuery),
    responses((status = 200, body = WorkflowAppLogPagination), (status = "4XX", body = ErrorBody)),
)]
async fn list_service_workflow_logs(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Query(query): Query<WorkflowLogQuery>,
) -> Result<Json<WorkflowAppLogPagination>, ApiError> {
    let asked = Asked {
        keyword: query.keyword,
        status: query.status.map(|status| {
            let status = match status {
                EndStatus::Succeeded => "succeeded",
                EndStatus::Failed => "failed",
                EndStatus::Stopped => "stopped",
            };
            status.to_owned()
        }),
        before: service_time(query.created_before.as_deref())?,
        after: service_time(query.created_after.as_deref())?,
        session: query.created_by_end_user_session_id,
        account: query.created_by_account,
        detail: false,
    };
    let limit = Limit { page: query.page, limit: query.limit };
    Ok(Json(log::list(&state.ctx, &app, &asked, limit).await?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_utc() {
        for (text, expected) in [
            ("2025-01-01T02:00:00Z", Some("2025-01-01 02:00:00")),
            ("2025-01-01T02:00:00+02:00", Some("2025-01-01 00:00:00")),
            // A `+` of a query that nobody encoded.
            ("2025-01-01T02:00:00 02:00", Some("2025-01-01 00:00:00")),
            ("2025-01-01T02:00:00.5", Some("2025-01-01 02:00:00.500")),
            ("2025-01-01", Some("2025-01-01 00:00:00")),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(read_time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
