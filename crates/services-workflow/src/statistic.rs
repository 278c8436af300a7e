//! Runs of a published workflow by day, in the reader's time zone.

use boxed::boxed;
use chrono::{LocalResult, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use db::{
    app::App,
    workflow_run::statistic::{self, Day, DayMean, Window},
};
use services_core::Ctx;

use crate::WorkflowError;

/// Which days are asked for: texts of requests, in the reader's zone.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// From here on, `YYYY-MM-DD HH:MM`.
    pub start: Option<&'a str>,
    /// Before this.
    pub end: Option<&'a str>,
    /// The reader's zone, IANA name.
    pub zone: &'a str,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Runs.
    Runs,
    /// Users.
    Users,
    /// Tokens.
    Tokens,
}

/// A number for each day that has runs.
///
/// # Errors
/// [`WorkflowError::Refused`] for times that are none.
#[boxed]
pub async fn daily(
    ctx: &Ctx,
    app: &App,
    asked: Asked<'_>,
    count: Count,
) -> Result<Vec<Day>, WorkflowError> {
    let window = window(app, asked)?;
    let mut conn = ctx.db.acquire_replica().await?;
    Ok(match count {
        Count::Runs => statistic::daily_runs(&mut conn, window).await?,
        Count::Users => statistic::daily_users(&mut conn, window).await?,
        Count::Tokens => statistic::daily_tokens(&mut conn, window).await?,
    })
}

/// Runs a user, for each day that has runs.
///
/// # Errors
/// As [`daily`].
#[boxed]
pub async fn interactions(
    ctx: &Ctx,
    app: &App,
    asked: Asked<'_>,
) -> Result<Vec<DayMean>, WorkflowError> {
    let window = window(app, asked)?;
    let mut conn = ctx.db.acquire_replica().await?;
    Ok(statistic::daily_interactions(&mut conn, window).await?)
}

fn window<'a>(app: &App, asked: Asked<'a>) -> Result<Window<'a>, WorkflowError> {
    let start = time(asked.start, asked.zone, "start")?;
    let end = time(asked.end, asked.zone, "end")?;
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(WorkflowError::Refused(
            "start must be earlier than or equal to end".to_owned(),
        ));
    }
    Ok(Window {
        tenant: app.tenant_id,
        app: app.id,
        triggered_from: "app-run",
        start,
        end,
        zone: asked.zone.parse::<Tz>().map_or("UTC", |zone| zone.name()),
    })
}

/// A time of a request as UTC.
fn time(
    text: Option<&str>,
    zone: &str,
    which: &str,
) -> Result<Option<NaiveDateTime>, WorkflowError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").map_err(|_| {
        WorkflowError::Refused(format!(
            "Invalid {which} time format: time data '{text}' does not match format '%Y-%m-%d %H:%M'"
        ))
    })?;
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let time = match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.with_timezone(&Utc),
        // The clock jumped over it: what it would have been without the jump.
        LocalResult::None => local.and_utc(),
    };
    Ok(Some(time.naive_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_reader_s_zone() {
        let time =
            |text, zone| time(Some(text), zone, "start").map(|time| time.unwrap().to_string());
        assert_eq!(time("2025-01-01 00:00", "Asia/Tokyo").unwrap(), "2024-12-31 15:00:00");
        assert_eq!(time("2025-01-01 00:00", "nowhere").unwrap(), "2025-01-01 00:00:00");
        assert_eq!(
            time("2020", "UTC").unwrap_err().to_string(),
            "Invalid start time format: time data '2020' does not match format '%Y-%m-%d %H:%M'"
        );
    }
}
