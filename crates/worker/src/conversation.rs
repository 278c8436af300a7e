//! What is left of deleted conversations.

use jobs::{Registry, tasks};
use services_conversation::talk::conversation;
use services_core::Ctx;

use crate::failure;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let ctx = ctx.clone();
    registry.on(tasks::DELETE_CONVERSATION_RELATED_DATA, move |job, _| {
        let ctx = ctx.clone();
        async move {
            let id = job.get("conversation_id")?;
            let rows = conversation::purge(&ctx, id).await.map_err(failure::of_fault)?;
            tracing::info!(conversation.id = %id, rows, "what belonged to a deleted conversation is gone");
            Ok(())
        }
    })
}
