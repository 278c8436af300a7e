//! What is left of deleted apps.

use jobs::{Registry, tasks};
use services_app::app;
use services_core::Ctx;

use crate::failure;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let ctx = ctx.clone();
    registry.on(tasks::REMOVE_APP_AND_RELATED_DATA, move |job, _| {
        let ctx = ctx.clone();
        async move {
            let (tenant, id) = (job.get("tenant_id")?, job.get("app_id")?);
            let rows = app::purge(&ctx, tenant, id).await.map_err(failure::of_fault)?;
            tracing::info!(app.id = %id, rows, "what belonged to a deleted app is gone");
            Ok(())
        }
    })
}
