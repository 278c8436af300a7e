//! Daily figures of an app.

use boxed::boxed;
use db::{
    app::App,
    app_statistic::{self, Day, Days, SessionDay},
};
use services_core::{Ctx, Fault};

use crate::time_range::TimeRange;

/// The figures of each day that has messages, in order.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn days(ctx: &Ctx, app: &App, range: TimeRange) -> Result<Vec<Day>, Fault> {
    let mut conn = ctx.db.acquire_replica().await?;
    Ok(app_statistic::days(&mut conn, app.id, of(range)).await?)
}

/// Questions a conversation, by the day the conversation began, in order.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn sessions(ctx: &Ctx, app: &App, range: TimeRange) -> Result<Vec<SessionDay>, Fault> {
    let mut conn = ctx.db.acquire_replica().await?;
    Ok(app_statistic::sessions(&mut conn, app.id, of(range)).await?)
}

fn of(range: TimeRange) -> Days<'static> {
    Days { zone: range.zone.name(), start: range.start, end: range.end }
}
