//! The log of a published app, and of runs that were archived.

use boxed::boxed;
use chrono::NaiveDateTime;
use db::{
    app::App,
    creator::{SimpleAccount, SimpleEndUser},
    workflow_app_log::{self, ArchiveRow, LogFilter, LogRow},
};
use serde_json::{Map, Value, json};
use services_core::Ctx;
use types::{Limit, Page, TenantId};

use crate::{WorkflowError, view::Creators};

/// A line of the log.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line and its run.
    pub row: LogRow,
    /// The account that ran it.
    pub created_by_account: Option<SimpleAccount>,
    /// The end user that ran it.
    pub created_by_end_user: Option<SimpleEndUser>,
    /// What triggered it; only if asked for.
    pub trigger_metadata: Option<Map<String, Value>>,
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Part of inputs, outputs or an end user's session; or the id of a run.
    pub keyword: Option<String>,
    /// The run's status.
    pub status: Option<String>,
    /// Not after, UTC.
    pub before: Option<NaiveDateTime>,
    /// Not before, UTC.
    pub after: Option<NaiveDateTime>,
    /// Of the end users with this session.
    pub session: Option<String>,
    /// Of the member with this address.
    pub account: Option<String>,
    /// With what triggered the runs.
    pub detail: bool,
}

/// A page of an app's log, newest first.
///
/// # Errors
/// [`WorkflowError::Invalid`] for an address that is no member's.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    asked: &Asked,
    limit: Limit,
) -> Result<Page<Line>, WorkflowError> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let keyword = set(&asked.keyword);
    let cut: Option<String> = keyword.as_ref().map(|it| it.chars().take(30).collect());
    let (session, status) = (set(&asked.session), set(&asked.status));
    let mut filter = LogFilter {
        keyword: cut.as_deref(),
        keyword_run: keyword
            .as_ref()
            .filter(|text| text.len() >= 32)
            .and_then(|text| text.parse().ok()),
        status: status.as_deref(),
        before: asked.before,
        after: asked.after,
        session: session.as_deref(),
        account: None,
        detail: asked.detail,
    };
    let (total, rows) = {
        let mut conn = ctx.db.acquire_replica().await?;
        if let Some(email) = set(&asked.account) {
            let account = db::creator::member_by_email(&mut conn, app.tenant_id, &email).await?;
            filter.account =
                Some(account.ok_or_else(|| {
                    WorkflowError::invalid(format!("Account not found: {email}"))
                })?);
        }
        let total = workflow_app_log::count(&mut conn, app.tenant_id, app.id, &filter).await?;
        let rows = workflow_app_log::page(&mut conn, app.tenant_id, app.id, &filter, limit).await?;
        (total, rows)
    };
    let made = rows.iter().map(|row| (row.created_by_role.as_str(), row.created_by));
    let creators = Creators::find(ctx, app.tenant_id, made).await?;
    let lines = rows
        .into_iter()
        .map(|row| Line {
            created_by_account: creators.account(&row.created_by_role, row.created_by),
            created_by_end_user: creators.end_user(&row.created_by_role, row.created_by),
            trigger_metadata: asked
                .detail
                .then(|| metadata(ctx, app.tenant_id, row.trigger_metadata.as_deref())),
            row,
        })
        .collect();
    Ok(Page::new(limit, total, lines))
}

/// What triggered a run, with links to the icons of its plugin.
fn metadata(ctx: &Ctx, tenant: TenantId, stored: Option<&str>) -> Map<String, Value> {
    let stored = stored.unwrap_or_default();
    let mut metadata: Map<String, Value> = serde_json::from_str(stored).unwrap_or_default();
    if metadata.get("type").and_then(Value::as_str) != Some("trigger-plugin") {
        return metadata;
    }
    let base = &ctx.config.feature.console_api_url;
    for (file, link) in [("icon_filename", "icon"), ("icon_dark_filename", "icon_dark")] {
        let name = metadata.get(file).and_then(Value::as_str).filter(|name| !name.is_empty());
        let url = name.map(|name| {
            format!(
                "{base}/console/api/workspaces/current/plugin/icon?tenant_id={tenant}&filename={name}"
            )
        });
        metadata.insert(link.to_owned(), json!(url));
    }
    metadata
}

/// A run that was archived.
#[derive(Debug, Clone)]
pub struct Archived {
    /// The row.
    pub row: ArchiveRow,
    /// The account that ran it.
    pub created_by_account: Option<SimpleAccount>,
    /// The end user that ran it.
    pub created_by_end_user: Option<SimpleEndUser>,
    /// What triggered it.
    pub trigger_metadata: Map<String, Value>,
}

/// A page of an app's archived runs, newest first.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn archived(ctx: &Ctx, app: &App, limit: Limit) -> Result<Page<Archived>, WorkflowError> {
    let (total, rows) = {
        let mut conn = ctx.db.acquire_replica().await?;
        let total = workflow_app_log::count_archived(&mut conn, app.tenant_id, app.id).await?;
        let rows = workflow_app_log::archived(&mut conn, app.tenant_id, app.id, limit).await?;
        (total, rows)
    };
    let made = rows.iter().map(|row| (row.created_by_role.as_str(), row.created_by));
    let creators = Creators::find(ctx, app.tenant_id, made).await?;
    let lines = rows
        .into_iter()
        .map(|row| Archived {
            created_by_account: creators.account(&row.created_by_role, row.created_by),
            created_by_end_user: creators.end_user(&row.created_by_role, row.created_by),
            trigger_metadata: metadata(ctx, app.tenant_id, row.trigger_metadata.as_deref()),
            row,
        })
        .collect();
    Ok(Page::new(limit, total, lines))
}

/// Where an archived run can be had. This edition archives nothing itself and has no archive storage, so there never
/// is a link: the answer says which of the two is missing.
///
/// # Errors
/// Always: [`WorkflowError::Body`] with 404 or 500 in the reference's form, or faults.
#[boxed]
pub async fn export(
    ctx: &Ctx,
    app: &App,
    run: types::WorkflowRunId,
) -> Result<std::convert::Infallible, WorkflowError> {
    let start = {
        let mut conn = ctx.db.acquire().await?;
        workflow_app_log::archived_run_start(&mut conn, app.tenant_id, app.id, run).await?
    };
    Err(match start {
        None => WorkflowError::Body(
            404,
            json!({"code": "archive_log_not_found", "message": "workflow run archive not found"}),
        ),
        Some(_) => WorkflowError::Body(
            500,
            json!({
                "code": "archive_storage_not_configured",
                "message": "Archive storage is not enabled"
            }),
        ),
    })
}
