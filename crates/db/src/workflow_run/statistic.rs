//! Runs of an app by day.

use boxed::boxed;
use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::{AppId, TenantId};

use crate::Result;

/// Which runs of which time are counted.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// See [`super::WorkflowRun::triggered_from`].
    pub triggered_from: &'a str,
    /// From here on, UTC.
    pub start: Option<NaiveDateTime>,
    /// Before this, UTC.
    pub end: Option<NaiveDateTime>,
    /// The zone whose days are counted, as PostgreSQL names it.
    pub zone: &'a str,
}

/// A number for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: NaiveDate,
    /// The number.
    pub value: i64,
}

/// A mean for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayMean {
    /// The day.
    pub date: NaiveDate,
    /// The mean.
    pub value: Decimal,
}

/// Runs a day.
#[tracing::instrument(name = "db.workflow_run.daily_runs", skip_all, err)]
#[boxed]
pub async fn daily_runs(db: &mut PgConnection, window: Window<'_>) -> Result<Vec<Day>> {
    Ok(sqlx::query_as!(
        Day,
        r#"
        SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE $6::text)::date AS "date!", COUNT(*) AS "value!"
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3
          AND ($4::timestamp IS NULL OR created_at >= $4) AND ($5::timestamp IS NULL OR created_at < $5)
        GROUP BY 1 ORDER BY 1
        "#,
        window.tenant as _,
        window.app as _,
        window.triggered_from,
        window.start,
        window.end,
        window.zone,
    )
    .fetch_all(db)
    .await?)
}

/// Users a day.
#[tracing::instrument(name = "db.workflow_run.daily_users", skip_all, err)]
#[boxed]
pub async fn daily_users(db: &mut PgConnection, window: Window<'_>) -> Result<Vec<Day>> {
    Ok(sqlx::query_as!(
        Day,
        r#"
        SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE $6::text)::date AS "date!",
               COUNT(DISTINCT created_by) AS "value!"
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3
          AND ($4::timestamp IS NULL OR created_at >= $4) AND ($5::timestamp IS NULL OR created_at < $5)
        GROUP BY 1 ORDER BY 1
        "#,
        window.tenant as _,
        window.app as _,
        window.triggered_from,
        window.start,
        window.end,
        window.zone,
    )
    .fetch_all(db)
    .await?)
}

/// Tokens a day.
#[tracing::instrument(name = "db.workflow_run.daily_tokens", skip_all, err)]
#[boxed]
pub async fn daily_tokens(db: &mut PgConnection, window: Window<'_>) -> Result<Vec<Day>> {
    Ok(sqlx::query_as!(
        Day,
        r#"
        SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE $6::text)::date AS "date!",
               SUM(total_tokens)::bigint AS "value!"
        FROM workflow_runs
        WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3
          AND ($4::timestamp IS NULL OR created_at >= $4) AND ($5::timestamp IS NULL OR created_at < $5)
        GROUP BY 1 ORDER BY 1
        "#,
        window.tenant as _,
        window.app as _,
        window.triggered_from,
        window.start,
        window.end,
        window.zone,
    )
    .fetch_all(db)
    .await?)
}

/// Runs a day and user.
#[tracing::instrument(name = "db.workflow_run.daily_interactions", skip_all, err)]
#[boxed]
pub async fn daily_interactions(db: &mut PgConnection, window: Window<'_>) -> Result<Vec<DayMean>> {
    Ok(sqlx::query_as!(
        DayMean,
        r#"
        SELECT date AS "date!", ROUND(AVG(runs), 2) AS "value!"
        FROM (
            SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE $6::text)::date AS date, created_by, COUNT(*) AS runs
            FROM workflow_runs
            WHERE tenant_id = $1 AND app_id = $2 AND triggered_from = $3
              AND ($4::timestamp IS NULL OR created_at >= $4) AND ($5::timestamp IS NULL OR created_at < $5)
            GROUP BY 1, 2
        ) AS days
        GROUP BY date ORDER BY date
        "#,
        window.tenant as _,
        window.app as _,
        window.triggered_from,
        window.start,
        window.end,
        window.zone,
    )
    .fetch_all(db)
    .await?)
}
