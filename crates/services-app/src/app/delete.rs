//! Deleting an app, and later what belonged to it.

use boxed::boxed;
use db::app::App;
use jobs::{Job, tasks};
use services_core::{Ctx, Fault};
use types::{AppId, TenantId};

use super::AppError;

/// Deletes an app. What belonged to it goes in the background ([`purge`]).
///
/// # Errors
/// [`AppError::NotFound`] if the app has gone meanwhile.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn delete(ctx: &Ctx, app: &App) -> Result<(), AppError> {
    let mut conn = ctx.db.acquire().await?;
    if !db::app::delete(&mut conn, app.tenant_id, app.id).await? {
        return Err(AppError::NotFound);
    }
    drop(conn);
    let job = Job::new(tasks::REMOVE_APP_AND_RELATED_DATA)
        .set("tenant_id", app.tenant_id)
        .set("app_id", app.id);
    // The app is gone already; what is left of it is in nobody's way.
    if let Err(err) = ctx.jobs.enqueue(job).await {
        tracing::error!(error = %err, app.id = %app.id, "what belonged to a deleted app stays behind");
    }
    Ok(())
}

/// Deletes every row and object that belonged to a deleted app; answers how many rows. Safe to repeat; does nothing
/// while the app exists.
///
/// # Errors
/// The database's; what was deleted until then stays deleted.
#[tracing::instrument(skip_all, fields(app.id = %app))]
#[boxed]
pub async fn purge(ctx: &Ctx, tenant: TenantId, app: AppId) -> Result<u64, Fault> {
    let mut conn = ctx.db.acquire().await?;
    if db::app::find_by_credential(&mut conn, app).await?.is_some() {
        return Ok(0);
    }
    loop {
        let files = db::app::draft_variable_files(&mut conn, app).await?;
        if files.is_empty() {
            break;
        }
        // Objects first: a row that is left finds its object again, an object without row is lost.
        drop(conn);
        for key in files.iter().filter_map(|(_, key)| key.as_deref()) {
            if let Err(err) = ctx.storage.delete(key).await {
                tracing::warn!(error = %err, "could not delete the object of a draft variable");
            }
        }
        conn = ctx.db.acquire().await?;
        let ids: Vec<_> = files.into_iter().map(|(id, _)| id).collect();
        db::app::forget_draft_variable_files(&mut conn, app, &ids).await?;
    }
    Ok(db::app::purge(&mut conn, tenant, app).await?)
}
