//! Copies of messages that are old enough to go (`CONVERSATION_STORE_RETENTION_DAYS`).

use boxed::boxed;
use std::time::Duration;

use services_core::{Ctx, Fault};

/// How often old copies are looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// Copies deleted at once: small enough to hold no lock for long.
const BATCH: i64 = 1000;

/// Who looks holds this key, so that of several servers one does.
const TURN: &str = "dify_rs:conversation_store:retention";

/// Deletes what is too old, every hour, until the server stops. Without a limit it is over at once.
#[boxed]
pub async fn keep(ctx: Ctx) {
    let Ok(days) = u32::try_from(ctx.config.own.conversation_store_retention_days) else { return };
    if days == 0 {
        return;
    }
    loop {
        match ctx.redis.set_nx_ex(TURN, "1", EVERY / 2).await {
            Ok(true) => match expire(&ctx, days, BATCH).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "deleted old copies of messages"),
                Err(err) => {
                    tracing::warn!(
                        error = &err as &dyn std::error::Error,
                        "old copies of messages stay until the next attempt"
                    );
                }
            },
            Ok(false) => {}
            Err(err) => tracing::warn!(error = %err, "old copies of messages stay without Redis"),
        }
        tokio::select! {
            () = ctx.shutdown().cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Deletes copies older than so many days, `batch` at a time; how many it were.
///
/// # Errors
/// The database's; what was deleted by then stays deleted.
#[boxed]
pub async fn expire(ctx: &Ctx, days: u32, batch: i64) -> Result<u64, Fault> {
    let before = ctx.now() - chrono::TimeDelta::days(i64::from(days));
    let mut deleted = 0;
    loop {
        // A transaction of its own each, so that chats find room in between.
        let mut conn = ctx.db.acquire().await?;
        let rows = db::conversation_message::expire(&mut conn, before, batch).await?;
        drop(conn);
        deleted += rows;
        if rows < u64::try_from(batch).unwrap_or(u64::MAX) || ctx.shutdown().is_cancelled() {
            return Ok(deleted);
        }
    }
}
