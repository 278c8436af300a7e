//! How many runs an app may have at once.

use boxed::boxed;
use std::time::Duration;

use db::app::App;
use services_core::Ctx;
use uuid::Uuid;

use super::GenerateError;

/// Runs longer than this do not count: their process may be gone. The reference's time.
const STALE: Duration = Duration::from_secs(600);

/// A place among the runs of an app.
#[must_use]
pub struct Slot(Option<(Ctx, String, String)>);

/// Takes a place.
///
/// # Errors
/// [`GenerateError::TooMany`] if all are taken. Without Redis nobody is refused.
#[boxed]
pub async fn take(ctx: &Ctx, app: &App) -> Result<Slot, GenerateError> {
    let Some(limit) = limit_of(ctx, app) else { return Ok(Slot(None)) };
    let key = format!("dify:rate_limit:{}:active_requests", app.id);
    let id = Uuid::new_v4().to_string();
    let now = Duration::from_millis(u64::try_from(ctx.now().timestamp_millis()).unwrap_or(0));
    match ctx.redis.slot_take(&key, &id, limit, now, STALE).await {
        Ok(true) => Ok(Slot(Some((ctx.clone(), key, id)))),
        Ok(false) => Err(GenerateError::TooMany { app: app.id, limit }),
        Err(err) => {
            tracing::warn!(error = %err, "cannot count the runs of an app; letting one in");
            Ok(Slot(None))
        }
    }
}

/// The smallest of the limits that are set.
fn limit_of(ctx: &Ctx, app: &App) -> Option<u64> {
    let feature = &ctx.config.feature;
    let own = app.max_active_requests.map(i64::from).filter(|limit| *limit != 0);
    let own = own.unwrap_or(feature.app_default_active_requests);
    let limits = [own, feature.app_max_active_requests];
    limits.into_iter().filter(|limit| 0 < *limit).min().and_then(|limit| u64::try_from(limit).ok())
}

impl Slot {
    /// Gives the place back.
    #[boxed]
    pub async fn leave(self) {
        let Some((ctx, key, id)) = self.0 else { return };
        if let Err(err) = ctx.redis.hdel(&key, &[&id]).await {
            tracing::warn!(error = %err, "a run's place is given back when it is stale");
        }
    }
}
