//! Jobs on accounts.

use jobs::{Registry, tasks};
use services_account::deletion;
use services_core::Ctx;

use crate::failure;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let ctx = ctx.clone();
    registry.on(tasks::DELETE_ACCOUNT, move |job, _| {
        let ctx = ctx.clone();
        async move {
            deletion::carry_out(&ctx, job.get("account_id")?).await.map_err(failure::of_service)
        }
    })
}
