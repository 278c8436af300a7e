//! Published versions of an app's workflow.

use boxed::boxed;
use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use db::{
    app::App,
    workflow::{
        DRAFT,
        version::{Marks, NewVersion, VersionFilter},
    },
};
use services_core::Ctx;
use types::{AccountId, Limit, WorkflowId};

use crate::{
    WorkflowError, app, feature, graph_check, trigger,
    view::{self, Version},
};

/// A page of versions.
#[derive(Debug)]
pub struct Versions {
    /// The draft before the others, then newest first.
    pub items: Vec<Version>,
    /// Whether a later page exists.
    pub has_more: bool,
}

/// The version an app runs, if it was published.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn published(ctx: &Ctx, app: &App) -> Result<Option<Version>, WorkflowError> {
    let Some(id) = app.workflow_id else { return Ok(None) };
    let row = {
        let mut conn = ctx.db.acquire().await?;
        db::workflow::find(&mut conn, app.tenant_id, app.id, id).await?
    };
    match row {
        Some(row) => Ok(Some(view::version(ctx, row).await?)),
        None => Ok(None),
    }
}

/// The versions of an app that was published; nothing of one that was not.
///
/// # Errors
/// [`WorkflowError::Forbidden`] for the versions of somebody else than `by`.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    of: Option<&str>,
    named_only: bool,
    page: Limit,
) -> Result<Versions, WorkflowError> {
    let of = of.filter(|of| !of.is_empty());
    if of.is_some_and(|of| of != by.to_string()) {
        return Err(WorkflowError::Forbidden);
    }
    if app.workflow_id.is_none() {
        return Ok(Versions { items: Vec::new(), has_more: false });
    }
    let filter = VersionFilter {
        created_by: of.map(|_| by),
        named_only,
        limit: page.limit + 1,
        offset: page.offset(),
    };
    let mut rows = {
        let mut conn = ctx.db.acquire().await?;
        db::workflow::version::list_versions(&mut conn, app.tenant_id, app.id, filter).await?
    };
    let size = usize::try_from(page.limit).unwrap_or_default();
    let has_more = rows.len() > size;
    rows.truncate(size);
    Ok(Versions { items: view::versions(ctx, app.tenant_id, rows).await?, has_more })
}

/// Publishes the draft; answers when, in Unix seconds.
///
/// # Errors
/// [`WorkflowError::Invalid`] without a draft, or for one that cannot run.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn publish(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    name: &str,
    comment: &str,
) -> Result<i64, WorkflowError> {
    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    db::workflow::version::lock(&mut tx, app.tenant_id, app.id).await?;
    let Some(mut draft) = db::workflow::find_draft(&mut tx, app.tenant_id, app.id).await? else {
        return Err(WorkflowError::invalid("No valid workflow found."));
    };
    let graph = view::parsed(&draft.graph);
    graph_check::check(&graph)?;
    draft.features = types::pyjson::dumps(&feature::current(view::parsed(&draft.features)))?;
    let new = NewVersion {
        id: WorkflowId::random(),
        version: &python_time(now),
        // The secrets in it are this workspace's already.
        environment_variables: &draft.environment_variables,
        marked_name: name,
        marked_comment: comment,
        by,
        now,
    };
    db::workflow::version::publish(&mut tx, &draft, &new).await?;
    let datasets = graph_check::datasets(&graph);
    db::workflow::version::join_datasets(&mut tx, app.tenant_id, app.id, &datasets).await?;
    if app.mode == app::WORKFLOW {
        trigger::sync_published(&mut tx, app, &graph, now).await?;
    }
    tx.commit().await?;
    Ok(now.and_utc().timestamp())
}

/// Notes a name and comment on a version.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn mark(
    ctx: &Ctx,
    app: &App,
    id: &str,
    by: AccountId,
    name: Option<&str>,
    comment: Option<&str>,
) -> Result<Version, WorkflowError> {
    let missing = || WorkflowError::not_found("Workflow not found");
    let id: WorkflowId = id.parse().map_err(|_| missing())?;
    let marks = Marks { name, comment, by, now: ctx.now_naive() };
    let row = {
        let mut tx = ctx.db.begin().await?;
        if !db::workflow::version::mark(&mut tx, app.tenant_id, app.id, id, marks).await? {
            return Err(missing());
        }
        let row = db::workflow::find(&mut tx, app.tenant_id, app.id, id).await?;
        tx.commit().await?;
        row.ok_or_else(missing)?
    };
    view::version(ctx, row).await
}

/// Deletes a version that nothing uses.
///
/// # Errors
/// [`WorkflowError::NotFound`]; [`WorkflowError::Refused`] for the draft and for versions in use.
#[boxed]
pub async fn delete(ctx: &Ctx, app: &App, id: &str) -> Result<(), WorkflowError> {
    let missing = || WorkflowError::not_found(format!("Workflow with ID {id} not found"));
    let version: WorkflowId = id.parse().map_err(|_| missing())?;
    let mut tx = ctx.db.begin().await?;
    db::workflow::version::lock(&mut tx, app.tenant_id, app.id).await?;
    let row = db::workflow::find(&mut tx, app.tenant_id, app.id, version).await?;
    let row = row.ok_or_else(missing)?;
    if row.version == DRAFT {
        return Err(WorkflowError::Refused("Cannot delete draft workflow versions".to_owned()));
    }
    if let Some(user) = db::workflow::version::used_by(&mut tx, app.tenant_id, version).await? {
        return Err(WorkflowError::Refused(format!(
            "Cannot delete workflow that is currently in use by app '{user}'"
        )));
    }
    let tool =
        db::tool_workflow_provider::runs_version(&mut tx, app.tenant_id, app.id, &row.version);
    if tool.await? {
        return Err(WorkflowError::Refused(
            "Cannot delete workflow that is published as a tool".to_owned(),
        ));
    }
    db::workflow::version::delete(&mut tx, app.tenant_id, app.id, version).await?;
    tx.commit().await?;
    Ok(())
}

/// A time as Python's `str` prints it: no fraction for whole seconds, else six digits.
fn python_time(time: NaiveDateTime) -> String {
    let micros = time.nanosecond() / 1000;
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let whole = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    if micros == 0 { whole } else { format!("{whole}.{micros:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_as_python_prints_times() {
        let time =
            chrono::DateTime::from_timestamp_micros(1_735_786_984_678_901).unwrap().naive_utc();
        assert_eq!(python_time(time), "2025-01-02 03:03:04.678901");
        let whole =
            chrono::DateTime::from_timestamp_micros(1_735_786_984_000_000).unwrap().naive_utc();
        assert_eq!(python_time(whole), "2025-01-02 03:03:04");
    }
}
