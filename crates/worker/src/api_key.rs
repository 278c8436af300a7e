//! Writes down when keys of the service API were last used.

use chrono::NaiveDateTime;
use jobs::{JobFailure, Registry, tasks};
use services_core::Ctx;

use crate::failure::of_fault;

const PREFIX: &str = "api_token_active:";

/// No more keys than this are looked at in one go; the next run finds the rest.
const MOST: usize = 100_000;

/// Adds the handlers of this module.
pub(crate) fn register(registry: Registry, ctx: &Ctx) -> Registry {
    let ctx = ctx.clone();
    registry.on(tasks::BATCH_UPDATE_API_TOKEN_LAST_USED, move |_, _| {
        let ctx = ctx.clone();
        async move { flush(&ctx).await }
    })
}

async fn flush(ctx: &Ctx) -> Result<(), JobFailure> {
    let keys = ctx.redis.scan(&format!("{PREFIX}*"), MOST).await.map_err(of_fault)?;
    let mut conn = ctx.db.acquire().await.map_err(of_fault)?;
    for key in &keys {
        let Some(value) = ctx.redis.get_string(key).await.map_err(of_fault)? else { continue };
        let named = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':'));
        let at = NaiveDateTime::parse_from_str(&value, "%Y-%m-%dT%H:%M:%S%.f");
        if let (Some((kind, token)), Ok(at)) = (named, at) {
            db::api_token::note_use(&mut conn, kind, token, at).await.map_err(of_fault)?;
        }
        // A use that was noted meanwhile stays for the next run.
        ctx.redis.del_if(key, &value).await.map_err(of_fault)?;
    }
    tracing::info!(count = keys.len(), "uses of API keys written down");
    Ok(())
}
