//! `time`: clocks and calendars.

use std::fmt::Write as _;

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone, Utc,
    format::{Item, StrftimeItems},
};
use chrono_tz::Tz;
use graph::{Object, Value as Argument};

use super::{failed, whole};
use crate::call::{CallError, argument_text};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
const SHANGHAI: &str = "Asia/Shanghai";

/// A time zone; an unknown one is told as Python's `KeyError` tells it.
fn zone(name: &str) -> Result<Tz, CallError> {
    name.parse().map_err(|_| failed(format!("'{name}'")))
}

fn named_zone(arguments: &Object, name: &str, default: &str) -> Result<Tz, CallError> {
    match argument_text(arguments, name) {
        None => zone(default),
        // Without a zone the reference takes the server's, which is UTC.
        Some(text) if text.is_empty() => Ok(Tz::UTC),
        Some(text) => zone(&text),
    }
}

fn parsed(text: &str) -> Result<NaiveDateTime, CallError> {
    NaiveDateTime::parse_from_str(text, FORMAT)
        .map_err(|_| failed(format!("time data '{text}' does not match format '{FORMAT}'")))
}

/// A local time of a zone as an instant; of two the earlier, and after a gap what the clock would have shown.
fn instant(zone: Tz, time: NaiveDateTime) -> DateTime<Tz> {
    zone.from_local_datetime(&time).earliest().unwrap_or_else(|| zone.from_utc_datetime(&time))
}

/// The current time in a format of the user's.
pub(super) fn current(now: DateTime<Utc>, arguments: &Object) -> Result<String, CallError> {
    let name = argument_text(arguments, "timezone").unwrap_or_else(|| "UTC".to_owned());
    let format = argument_text(arguments, "format").filter(|format| !format.is_empty());
    let format = format.unwrap_or_else(|| format!("{FORMAT} %Z"));
    let Ok(zone) = zone(&name) else { return Ok(format!("Invalid timezone: {name}")) };
    let items: Vec<Item<'_>> = StrftimeItems::new(&format).collect();
    if items.contains(&Item::Error) {
        return Err(failed(format!("Invalid format: {format}")));
    }
    let mut text = String::new();
    write!(text, "{}", now.with_timezone(&zone).format_with_items(items.iter()))
        .map_err(|_| failed(format!("Invalid format: {format}")))?;
    Ok(text)
}

/// A Unix timestamp as a local time.
pub(super) fn local(arguments: &Object) -> Result<String, CallError> {
    let timestamp = whole(arguments, "timestamp").unwrap_or_default();
    let zone = named_zone(arguments, "timezone", SHANGHAI)?;
    match DateTime::<Utc>::from_timestamp(timestamp, 0) {
        Some(time) => Ok(time.with_timezone(&zone).format(FORMAT).to_string()),
        None => Err(failed(format!("Invalid timestamp: {timestamp}"))),
    }
}

/// A local time as a Unix timestamp.
pub(super) fn timestamp(arguments: &Object) -> Result<String, CallError> {
    let text = argument_text(arguments, "localtime").unwrap_or_default();
    let zone = named_zone(arguments, "timezone", SHANGHAI)?;
    Ok(match instant(zone, parsed(&text)?).timestamp() {
        0 => format!("Invalid localtime: {text}"),
        timestamp => timestamp.to_string(),
    })
}

/// A time of one zone in another.
pub(super) fn converted(arguments: &Object) -> Result<String, CallError> {
    let text = argument_text(arguments, "current_time").unwrap_or_default();
    let from = argument_text(arguments, "current_timezone").unwrap_or_else(|| SHANGHAI.to_owned());
    let to = argument_text(arguments, "target_timezone").unwrap_or_else(|| "Asia/Tokyo".to_owned());
    let (from, to) = (zone(&from)?, zone(&to)?);
    Ok(instant(from, parsed(&text)?).with_timezone(&to).format(FORMAT).to_string())
}

/// The day of the week of a date.
pub(super) fn weekday(arguments: &Object) -> Result<String, CallError> {
    let shown =
        |name: &str| arguments.get(name).map_or_else(|| "None".to_owned(), Argument::py_str);
    let month = whole(arguments, "month").ok_or_else(|| failed("Month is required"))?;
    let date = whole(arguments, "year").zip(whole(arguments, "day")).and_then(|(year, day)| {
        let year = i32::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        NaiveDate::from_ymd_opt(year, month.try_into().ok()?, day.try_into().ok()?)
    });
    Ok(match date {
        Some(date) => format!(
            "{} {}, {} is {}.",
            date.format("%B"),
            date.day(),
            date.year(),
            date.format("%A")
        ),
        None => format!(
            "Invalid date: Year {}, Month {}, Day {}.",
            shown("year"),
            shown("month"),
            shown("day")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn arguments(value: Value) -> Object {
        Argument::from_json(value).as_object().cloned().unwrap()
    }

    #[test]
    fn times_are_told() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let current = |value: Value| current(now, &arguments(value)).map_err(|err| err.to_string());
        assert_eq!(current(json!({})).unwrap(), "2023-11-14 22:13:20 UTC");
        assert_eq!(current(json!({"timezone": "Asia/Tokyo", "format": "%H:%M"})).unwrap(), "07:13");
        assert_eq!(current(json!({"timezone": "Mars"})).unwrap(), "Invalid timezone: Mars");
        assert!(current(json!({"format": "%Q!"})).is_err());
    }

    #[test]
    fn times_are_converted() {
        let given = json!({"current_time": "2024-01-01 08:00:00", "current_timezone": "Asia/Shanghai",
            "target_timezone": "UTC"});
        assert_eq!(converted(&arguments(given)).unwrap(), "2024-01-01 00:00:00");
        let mars = json!({"current_time": "2024-01-01 08:00:00", "current_timezone": "Mars"});
        assert_eq!(converted(&arguments(mars)).unwrap_err().to_string(), "'Mars'");
        let zero = json!({"timestamp": 0, "timezone": "Europe/Berlin"});
        assert_eq!(local(&arguments(zero)).unwrap(), "1970-01-01 01:00:00");
        let one = json!({"localtime": "1970-01-01 08:00:01"});
        assert_eq!(timestamp(&arguments(one)).unwrap(), "1");
    }

    #[test]
    fn days_of_the_week_are_told() {
        let told = |value: Value| weekday(&arguments(value)).map_err(|err| err.to_string());
        assert_eq!(
            told(json!({"year": 2024, "month": 2, "day": 29})).unwrap(),
            "February 29, 2024 is Thursday."
        );
        assert_eq!(
            told(json!({"year": 2023, "month": 2, "day": 30})).unwrap(),
            "Invalid date: Year 2023, Month 2, Day 30."
        );
        assert_eq!(told(json!({"year": 2023})).unwrap_err(), "Month is required");
    }
}
