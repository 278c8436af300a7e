//! Events of plugins: the workflows they start, and subscriptions that have to be prolonged.

use jobs::{Registry, RetryPolicy, tasks};
use services_workflow::trigger::plugin::{Events, receive::Happened};
use types::TenantId;
use uuid::Uuid;

use crate::failure;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, events: &Events) -> Registry {
    let start = events.clone();
    let registry = registry.on(tasks::DISPATCH_TRIGGERED_WORKFLOWS_ASYNC, move |job, _| {
        let events = start.clone();
        async move {
            let happened: Happened = job.get("dispatch_data")?;
            events.happened(&happened).await.map_err(failure::of_service)
        }
    });
    let due = events.clone();
    let registry = registry.on_with(tasks::TRIGGER_PROVIDER_REFRESH, RetryPolicy::none(), {
        move |_, _| {
            let events = due.clone();
            async move {
                let now = events.ctx.now().timestamp();
                events.queue_due(now).await.map_err(failure::of_service)?;
                Ok(())
            }
        }
    });
    let renew = events.clone();
    registry.on(tasks::TRIGGER_SUBSCRIPTION_REFRESH, move |job, _| {
        let events = renew.clone();
        async move {
            let tenant: TenantId = job.get("tenant_id")?;
            let subscription: Uuid = job.get("subscription_id")?;
            let now = events.ctx.now().timestamp();
            events.renew(tenant, subscription, now).await.map_err(failure::of_service)
        }
    })
}
