//! Ranges of time as the console asks for them: in the time zone of whoever asks.

use chrono::{LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use services_core::Failure;

/// A range in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// Its beginning.
    pub start: Option<NaiveDateTime>,
    /// Its end.
    pub end: Option<NaiveDateTime>,
    /// The zone it was asked for in.
    pub zone: Tz,
}

/// Why a range is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeRangeError {
    /// Not `YYYY-MM-DD HH:MM`.
    #[error("Invalid {0} time format: time data '{1}' does not match format '%Y-%m-%d %H:%M'")]
    Format(&'static str, String),
    /// It ends before it begins.
    #[error("start must be earlier than or equal to end")]
    Backwards,
}

impl Failure for TimeRangeError {
    fn status(&self) -> u16 {
        400
    }

    fn code(&self) -> &'static str {
        "bad_request"
    }
}

impl TimeRange {
    /// The range between two texts like `2026-01-31 08:00`; empty ones are open ends.
    ///
    /// # Errors
    /// [`TimeRangeError`].
    pub fn parse(
        start: Option<&str>,
        end: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Self, TimeRangeError> {
        // A zone that is none would make every statistic of its user fail.
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
        let read = |text: Option<&str>, label| match text.filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => instant(text, zone)
                .map(Some)
                .ok_or_else(|| TimeRangeError::Format(label, text.to_owned())),
        };
        let (start, end) = (read(start, "start")?, read(end, "end")?);
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            return Err(TimeRangeError::Backwards);
        }
        Ok(Self { start, end, zone })
    }
}

fn instant(text: &str, zone: Tz) -> Option<NaiveDateTime> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()?;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) => Some(time.naive_utc()),
        // The hour that comes twice is meant the second time, the one that is left out an hour later.
        LocalResult::Ambiguous(_, later) => Some(later.naive_utc()),
        LocalResult::None => {
            let shifted = local.checked_add_signed(TimeDelta::hours(1))?;
            zone.from_local_datetime(&shifted).earliest().map(|time| time.naive_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TimeRange, TimeRangeError};

    #[test]
    fn local_times_become_utc() {
        for (zone, text, expected) in [
            ("UTC", "2026-01-31 08:00", "2026-01-31 08:00:00"),
            ("Europe/Rome", "2026-07-01 00:00", "2026-06-30 22:00:00"),
            ("Europe/Rome", "2026-03-29 02:30", "2026-03-29 01:30:00"),
            ("Europe/Rome", "2026-10-25 02:30", "2026-10-25 01:30:00"),
            ("nowhere", "2026-01-31 08:00", "2026-01-31 08:00:00"),
        ] {
            let range = TimeRange::parse(Some(text), None, Some(zone)).unwrap();
            assert_eq!(range.start.unwrap().to_string(), expected, "{zone} {text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let parse = |start, end| TimeRange::parse(start, end, None);
        assert!(matches!(parse(Some("x"), None), Err(TimeRangeError::Format("start", _))));
        assert_eq!(
            parse(Some("2026-01-02 00:00"), Some("2026-01-01 00:00")),
            Err(TimeRangeError::Backwards)
        );
        assert!(parse(Some(""), None).is_ok_and(|range| range.start.is_none()));
    }
}
