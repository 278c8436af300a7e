//! Runs of an app: lists, counts, one run, why it waits.

use boxed::boxed;
use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use db::{
    app::App,
    creator::{SimpleAccount, SimpleEndUser},
    human_input_recipient::Recipient,
    workflow_run::{self, Listed, RunFilter, RunMessage, WorkflowRun},
};
use serde_json::Value;
use services_core::Ctx;
use types::{TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::{WorkflowError, view::Creators};

/// A run in a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The run.
    pub row: Listed,
    /// The account that ran it.
    pub created_by: Option<SimpleAccount>,
    /// The message it answered, in chatflows.
    pub message: Option<RunMessage>,
}

/// A page of runs.
#[derive(Debug, Clone)]
pub struct Page {
    /// Newest first.
    pub data: Vec<Entry>,
    /// Whether older ones exist.
    pub has_more: bool,
}

/// Which runs are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `debugging` or `app-run`.
    pub triggered_from: &'a str,
    /// One status, or every.
    pub status: Option<&'a str>,
    /// Those before this one.
    pub last: Option<WorkflowRunId>,
    /// How many at the most.
    pub limit: i64,
}

/// A page of an app's runs.
///
/// # Errors
/// [`WorkflowError::Invalid`] if the last run is not in the list.
#[boxed]
pub async fn list(ctx: &Ctx, app: &App, asked: Asked<'_>) -> Result<Page, WorkflowError> {
    let (mut rows, messages) = {
        let mut conn = ctx.db.acquire().await?;
        let mut filter = RunFilter {
            triggered_from: asked.triggered_from,
            status: asked.status,
            before: None,
            limit: asked.limit + 1,
        };
        if let Some(last) = asked.last {
            let time =
                workflow_run::cursor(&mut conn, app.tenant_id, app.id, &filter, last).await?;
            let time =
                time.ok_or_else(|| WorkflowError::invalid("Last workflow run not exists"))?;
            filter.before = Some((time, last));
        }
        let rows = workflow_run::list(&mut conn, app.tenant_id, app.id, &filter).await?;
        let messages = if app.mode == crate::app::CHATFLOW {
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
            workflow_run::messages(&mut conn, app.id, &ids).await?
        } else {
            Vec::new()
        };
        (rows, messages)
    };
    let size = usize::try_from(asked.limit).unwrap_or_default();
    let has_more = rows.len() > size;
    rows.truncate(size);
    let made = rows.iter().map(|row| (row.created_by_role.as_str(), row.created_by));
    let creators = Creators::find(ctx, app.tenant_id, made).await?;
    let messages: HashMap<WorkflowRunId, RunMessage> =
        messages.into_iter().map(|message| (message.run, message)).collect();
    let data = rows
        .into_iter()
        .map(|row| Entry {
            created_by: creators.account(&row.created_by_role, row.created_by),
            message: messages.get(&row.id).copied(),
            row,
        })
        .collect();
    Ok(Page { data, has_more })
}

/// How many runs there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "a number for each status")]
pub struct Counts {
    pub total: i64,
    pub running: i64,
    pub succeeded: i64,
    pub failed: i64,
    pub stopped: i64,
    pub partial_succeeded: i64,
}

/// Counts an app's runs; of one status alone if one is given. `span` is like `7d`, `4h`, `30m`, `30s`.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn count(
    ctx: &Ctx,
    app: &App,
    triggered_from: &str,
    status: Option<&str>,
    span: Option<&str>,
) -> Result<Counts, WorkflowError> {
    let since: Option<NaiveDateTime> =
        span.and_then(duration).and_then(|span| ctx.now_naive().checked_sub_signed(span));
    let found = {
        let mut conn = ctx.db.acquire().await?;
        workflow_run::count(&mut conn, app.tenant_id, app.id, triggered_from, since).await?
    };
    let mut counts = Counts::default();
    for entry in found {
        if status.is_some_and(|status| status != entry.status) {
            continue;
        }
        counts.total += entry.count;
        match entry.status.as_str() {
            "running" => counts.running = entry.count,
            "succeeded" => counts.succeeded = entry.count,
            "failed" => counts.failed = entry.count,
            "stopped" => counts.stopped = entry.count,
            "partial-succeeded" => counts.partial_succeeded = entry.count,
            _ => {}
        }
    }
    Ok(counts)
}

/// The time a text like `7d`, `4h`, `30m` or `30s` stands for.
#[must_use]
pub fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    match unit.to_ascii_lowercase() {
        'd' => TimeDelta::try_days(number),
        'h' => TimeDelta::try_hours(number),
        'm' => TimeDelta::try_minutes(number),
        's' => TimeDelta::try_seconds(number),
        _ => None,
    }
}

/// A run with who ran it.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The run.
    pub row: WorkflowRun,
    /// The account that ran it.
    pub created_by_account: Option<SimpleAccount>,
    /// The end user that ran it.
    pub created_by_end_user: Option<SimpleEndUser>,
}

/// A run of an app; `None` for one it does not have.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    id: WorkflowRunId,
) -> Result<Option<Detail>, WorkflowError> {
    let row = {
        let mut conn = ctx.db.acquire().await?;
        workflow_run::find(&mut conn, app.tenant_id, app.id, id).await?
    };
    let Some(row) = row else { return Ok(None) };
    let made = [(row.created_by_role.as_str(), row.created_by)];
    let creators = Creators::find(ctx, app.tenant_id, made).await?;
    Ok(Some(Detail {
        created_by_account: creators.account(&row.created_by_role, row.created_by),
        created_by_end_user: creators.end_user(&row.created_by_role, row.created_by),
        row,
    }))
}

/// The same for the service API, which only workflows have.
///
/// # Errors
/// [`WorkflowError::NotWorkflowApp`], [`WorkflowError::NotFound`].
#[boxed]
pub async fn find_for_service(
    ctx: &Ctx,
    app: &App,
    id: &str,
) -> Result<WorkflowRun, WorkflowError> {
    if !crate::app::FLOWS.contains(&app.mode.as_str()) {
        return Err(WorkflowError::NotWorkflowApp);
    }
    let missing = || WorkflowError::not_found("Workflow run not found");
    let id: WorkflowRunId = id.parse().map_err(|_| missing())?;
    let mut conn = ctx.db.acquire().await?;
    workflow_run::find(&mut conn, app.tenant_id, app.id, id).await?.ok_or_else(missing)
}

/// Why a run waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Since when; `None` if it does not wait.
    pub paused_at: Option<NaiveDateTime>,
    /// The nodes that wait for people.
    pub nodes: Vec<WaitingNode>,
}

/// A node that waits for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingNode {
    /// The node.
    pub node_id: String,
    /// Its title.
    pub title: String,
    /// Its form.
    pub form_id: String,
    /// Where members fill it in.
    pub url: Option<String>,
}

/// Why a run of the workspace waits.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn waiting(ctx: &Ctx, tenant: TenantId, run: &str) -> Result<Waiting, WorkflowError> {
    let missing = || WorkflowError::not_found("Workflow run not found");
    let id: WorkflowRunId = run.parse().map_err(|_| missing())?;
    let mut conn = ctx.db.acquire().await?;
    let row = workflow_run::find_of_tenant(&mut conn, tenant, id).await?.ok_or_else(missing)?;
    if row.status != "paused" {
        return Ok(Waiting::default());
    }
    let pause = db::workflow_pause::find(&mut conn, tenant, id).await?;
    let reasons = db::workflow_pause::reasons(&mut conn, tenant, id).await?;
    let ids: Vec<Uuid> = reasons.iter().filter_map(|reason| reason.form_id.parse().ok()).collect();
    let forms = db::human_input_form::find_many(&mut conn, tenant, &ids).await?;
    let recipients = db::human_input_recipient::list(&mut conn, tenant, &ids).await?;
    drop(conn);
    let base = ctx.config.feature.app_web_url.trim_end_matches('/');
    let mut nodes = Vec::new();
    for reason in reasons.into_iter().filter(|reason| reason.r#type == "human_input_required") {
        let form = forms.iter().find(|form| form.id.to_string() == reason.form_id);
        let definition: Value = form
            .and_then(|form| serde_json::from_str(&form.form_definition).ok())
            .unwrap_or_default();
        let title = definition.get("node_title").and_then(Value::as_str).unwrap_or("Human Input");
        let token = form.and_then(|form| shown_token(&recipients, form.id));
        nodes.push(WaitingNode {
            node_id: form.map_or(reason.node_id, |form| form.node_id.clone()),
            title: title.to_owned(),
            form_id: reason.form_id,
            url: token.map(|token| format!("{base}/form/{token}")),
        });
    }
    Ok(Waiting { paused_at: pause.map(|pause| pause.created_at), nodes })
}

/// The token members are shown: that of the back stage, else of the console, else of the web app.
#[must_use]
pub fn shown_token(recipients: &[Recipient], form: Uuid) -> Option<&str> {
    ["backstage", "console", "standalone_web_app"].into_iter().find_map(|kind| {
        let mut fitting =
            recipients.iter().filter(|it| it.form_id == form && it.recipient_type == kind);
        fitting.next().map(|it| it.access_token.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        for (text, seconds) in [
            ("7d", Some(604_800)),
            ("4h", Some(14_400)),
            ("30m", Some(1800)),
            ("30s", Some(30)),
            ("2y", None),
            ("0D", Some(0)),
            ("-1d", None),
            ("d", None),
            ("", None),
        ] {
            assert_eq!(duration(text).map(|span| span.num_seconds()), seconds, "{text}");
        }
    }
}
