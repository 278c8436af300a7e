//! `workflow_app_logs` and `workflow_archive_logs`: runs of published apps in the order people read them.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::{PgConnection, Postgres, QueryBuilder, prelude::FromRow};
use types::{AccountId, AppId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// One line of the log with its run.
#[derive(Debug, Clone, FromRow)]
pub struct LogRow {
    /// The line.
    pub id: Uuid,
    /// The run.
    pub workflow_run_id: WorkflowRunId,
    /// `service-api`, `web-app` or `installed-app`.
    pub created_from: String,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who ran it.
    pub created_by: Uuid,
    /// When.
    pub created_at: NaiveDateTime,
    /// JSON text of what triggered the run; read only when asked for.
    pub trigger_metadata: Option<String>,
    /// The run's version; `None` here and below when the run was cleaned up.
    pub run_version: Option<String>,
    /// The run's status.
    pub run_status: Option<String>,
    /// What the run came from.
    pub run_triggered_from: Option<String>,
    /// Why the run failed.
    pub run_error: Option<String>,
    /// Seconds.
    pub run_elapsed_time: Option<f64>,
    /// Tokens.
    pub run_total_tokens: Option<i64>,
    /// Node executions.
    pub run_total_steps: Option<i32>,
    /// When the run started.
    pub run_created_at: Option<NaiveDateTime>,
    /// When the run ended.
    pub run_finished_at: Option<NaiveDateTime>,
    /// Nodes that failed and were handled.
    pub run_exceptions_count: Option<i32>,
}

/// Which lines a page shows.
#[derive(Debug, Clone, Default)]
pub struct LogFilter<'a> {
    /// Part of inputs, outputs or an end user's session, at most 30 characters.
    pub keyword: Option<&'a str>,
    /// The run, if the keyword is its id.
    pub keyword_run: Option<WorkflowRunId>,
    /// The run's status.
    pub status: Option<&'a str>,
    /// Not after.
    pub before: Option<NaiveDateTime>,
    /// Not before.
    pub after: Option<NaiveDateTime>,
    /// Of the end users with this session.
    pub session: Option<&'a str>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// Whether to read `trigger_metadata`.
    pub detail: bool,
}

/// A page of an app's log, newest first.
#[tracing::instrument(name = "db.workflow_app_log.page", skip_all, err)]
#[boxed]
pub async fn page(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    filter: &LogFilter<'_>,
    limit: types::Limit,
) -> Result<Vec<LogRow>> {
    let mut query = QueryBuilder::new(
        "SELECT l.id, l.workflow_run_id, l.created_from, l.created_by_role, l.created_by, l.created_at, \
         r.version AS run_version, r.status AS run_status, r.triggered_from AS run_triggered_from, \
         r.error AS run_error, r.elapsed_time AS run_elapsed_time, r.total_tokens AS run_total_tokens, \
         r.total_steps AS run_total_steps, r.created_at AS run_created_at, r.finished_at AS run_finished_at, \
         r.exceptions_count AS run_exceptions_count, ",
    );
    query.push(if filter.detail {
        "(SELECT t.trigger_metadata FROM workflow_trigger_logs t WHERE t.tenant_id = l.tenant_id \
         AND t.app_id = l.app_id AND t.workflow_run_id = l.workflow_run_id LIMIT 1)"
    } else {
        "NULL::text"
    });
    query.push(" AS trigger_metadata");
    condition(&mut query, tenant, app, filter);
    query.push(" ORDER BY l.created_at DESC, l.id DESC LIMIT ").push_bind(limit.limit);
    query.push(" OFFSET ").push_bind(limit.offset());
    Ok(query.build_query_as::<LogRow>().fetch_all(db).await?)
}

/// How many lines of an app's log fit.
#[tracing::instrument(name = "db.workflow_app_log.count", skip_all, err)]
#[boxed]
pub async fn count(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    filter: &LogFilter<'_>,
) -> Result<i64> {
    let mut query = QueryBuilder::new("SELECT COUNT(*)");
    condition(&mut query, tenant, app, filter);
    Ok(query.build_query_scalar::<i64>().fetch_one(db).await?)
}

fn condition<'q>(
    query: &mut QueryBuilder<Postgres>,
    tenant: TenantId,
    app: AppId,
    filter: &LogFilter<'q>,
) {
    query.push(" FROM workflow_app_logs l");
    // A log outlives its run; only the filters on the run need it.
    let needs_run = filter.keyword.is_some() || filter.status.is_some();
    query.push(if needs_run { " JOIN" } else { " LEFT JOIN" });
    query.push(" workflow_runs r ON r.id = l.workflow_run_id AND r.tenant_id = l.tenant_id");
    query.push(" WHERE l.tenant_id = ").push_bind(tenant.0);
    query.push(" AND l.app_id = ").push_bind(app.0);
    if let Some(keyword) = filter.keyword {
        let pattern = crate::like::containing(keyword);
        query.push(" AND (r.inputs ILIKE ").push_bind(pattern.clone());
        query.push(" OR r.outputs ILIKE ").push_bind(pattern.clone());
        query.push(" OR (r.created_by_role = 'end_user' AND EXISTS (SELECT 1 FROM end_users e WHERE e.id = r.created_by");
        query
            .push(" AND e.tenant_id = l.tenant_id AND e.session_id ILIKE ")
            .push_bind(pattern)
            .push("))");
        if let Some(run) = filter.keyword_run {
            query.push(" OR r.id = ").push_bind(run.0);
        }
        query.push(")");
    }
    if let Some(status) = filter.status {
        query.push(" AND r.status = ").push_bind(status.to_owned());
    }
    if let Some(before) = filter.before {
        query.push(" AND l.created_at <= ").push_bind(before);
    }
    if let Some(after) = filter.after {
        query.push(" AND l.created_at >= ").push_bind(after);
    }
    if let Some(session) = filter.session {
        query.push(" AND l.created_by_role = 'end_user' AND EXISTS (SELECT 1 FROM end_users e WHERE e.id = l.created_by");
        query
            .push(" AND e.tenant_id = l.tenant_id AND e.session_id = ")
            .push_bind(session.to_owned())
            .push(")");
    }
    if let Some(account) = filter.account {
        query.push(" AND l.created_by_role = 'account' AND l.created_by = ").push_bind(account.0);
    }
}

/// A run that was archived.
#[derive(Debug, Clone)]
pub struct ArchiveRow {
    /// The archive's row.
    pub id: Uuid,
    /// The run.
    pub workflow_run_id: WorkflowRunId,
    /// `account` or `end_user`.
    pub created_by_role: String,
    /// Who ran it.
    pub created_by: Uuid,
    /// When the log's line was made.
    pub log_created_at: Option<NaiveDateTime>,
    /// The run's status.
    pub run_status: String,
    /// What the run came from.
    pub run_triggered_from: String,
    /// Seconds.
    pub run_elapsed_time: f64,
    /// Tokens.
    pub run_total_tokens: i64,
    /// JSON text.
    pub trigger_metadata: Option<String>,
}

/// A page of an app's archived runs, newest first.
#[tracing::instrument(name = "db.workflow_app_log.archived", skip_all, err)]
#[boxed]
pub async fn archived(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    limit: types::Limit,
) -> Result<Vec<ArchiveRow>> {
    Ok(sqlx::query_as!(
        ArchiveRow,
        r#"
        SELECT id, workflow_run_id, created_by_role, created_by, log_created_at, run_status, run_triggered_from,
               run_elapsed_time, run_total_tokens, trigger_metadata
        FROM workflow_archive_logs
        WHERE tenant_id = $1 AND app_id = $2 AND log_id IS NOT NULL
        ORDER BY run_created_at DESC
        LIMIT $3 OFFSET $4
        "#,
        tenant as _,
        app as _,
        limit.limit,
        limit.offset(),
    )
    .fetch_all(db)
    .await?)
}

/// How many runs of an app were archived.
#[tracing::instrument(name = "db.workflow_app_log.count_archived", skip_all, err)]
#[boxed]
pub async fn count_archived(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT COUNT(*) AS "count!"
        FROM workflow_archive_logs
        WHERE tenant_id = $1 AND app_id = $2 AND log_id IS NOT NULL
        "#,
        tenant as _,
        app as _,
    )
    .fetch_one(db)
    .await?)
}

/// When an archived run started: part of its archive's name.
#[tracing::instrument(name = "db.workflow_app_log.archived_at", skip_all, err)]
#[boxed]
pub async fn archived_run_start(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    run: WorkflowRunId,
) -> Result<Option<NaiveDateTime>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT run_created_at
        FROM workflow_archive_logs
        WHERE tenant_id = $1 AND app_id = $2 AND workflow_run_id = $3
        LIMIT 1
        "#,
        tenant as _,
        app as _,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}

/// A line that is about to be written.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of LogRow")]
pub struct NewLog<'a> {
    pub tenant: TenantId,
    pub app: AppId,
    pub workflow: types::WorkflowId,
    pub run: WorkflowRunId,
    pub created_from: &'a str,
    pub created_by_role: &'a str,
    pub created_by: Uuid,
    pub now: NaiveDateTime,
}

/// Adds a line to the log.
#[tracing::instrument(name = "db.workflow_app_log.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewLog<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO workflow_app_logs (tenant_id, app_id, workflow_id, workflow_run_id, created_from, created_by_role,
                                       created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        new.tenant as _,
        new.app as _,
        new.workflow as _,
        new.run as _,
        new.created_from,
        new.created_by_role,
        new.created_by,
        new.now,
    )
    .execute(db)
    .await?;
    Ok(())
}
