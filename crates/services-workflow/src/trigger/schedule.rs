//! Schedules: from a node's settings to a cron expression, and from that to the next time.

use boxed::boxed;
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use db::{
    PgConnection, app::App, workflow_schedule_plan::PlanChange,
    workflow_schedule_plan::SchedulePlan,
};
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};

use crate::{
    WorkflowError,
    graph_check::{self, TRIGGER_SCHEDULE},
    queue,
};

/// When a schedule node fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields, or `@daily` and the like.
    pub cron: String,
    /// IANA name.
    pub timezone: String,
}

impl Schedule {
    /// Reads the settings of a schedule node.
    ///
    /// # Errors
    /// [`WorkflowError::Invalid`] in the reference's words.
    pub fn of_node(data: &Map<String, Value>) -> Result<Self, WorkflowError> {
        let text = |key: &str| data.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        let cron = match text("mode").unwrap_or("visual") {
            "cron" => text("cron_expression").map(str::to_owned).ok_or_else(|| {
                WorkflowError::invalid("Cron expression is required for cron mode")
            })?,
            "visual" => {
                let frequency = text("frequency").ok_or_else(|| {
                    WorkflowError::invalid("Frequency is required for visual mode")
                })?;
                visual(frequency, data.get("visual_config").unwrap_or(&Value::Null))?
            }
            other => {
                return Err(WorkflowError::invalid(format!("Invalid schedule mode: {other}")));
            }
        };
        Ok(Self { cron, timezone: text("timezone").unwrap_or("UTC").to_owned() })
    }

    /// The first time after `now`.
    ///
    /// # Errors
    /// [`WorkflowError::Invalid`] for an expression or a zone that is none, or that never comes.
    pub fn next(&self, now: DateTime<Utc>) -> Result<NaiveDateTime, WorkflowError> {
        let expression = self.cron.trim();
        let fields = expression.split_whitespace().count();
        if fields != 5 && !self.cron.starts_with('@') {
            return Err(WorkflowError::invalid(format!(
                "Cron expression must have exactly 5 fields or be a predefined expression (@daily, @weekly, etc.). Got \
                 {fields} fields: '{}'",
                self.cron
            )));
        }
        let zone: Tz = self
            .timezone
            .parse()
            .map_err(|_| WorkflowError::invalid(format!("'{}'", self.timezone)))?;
        let wrong = |err: croner::errors::CronError| {
            WorkflowError::invalid(format!("[{expression}] is not acceptable: {err}"))
        };
        let cron: Cron = expression.parse().map_err(wrong)?;
        let next = cron.find_next_occurrence(&now.with_timezone(&zone), false).map_err(wrong)?;
        Ok(next.with_timezone(&Utc).naive_utc())
    }
}

fn visual(frequency: &str, config: &Value) -> Result<String, WorkflowError> {
    let on_minute = match config.get("on_minute") {
        None => Some(0),
        Some(minute) => minute.as_i64(),
    };
    let time = || {
        let time = match config.get("time") {
            None => "12:00 AM",
            Some(time) => time.as_str().unwrap_or_default(),
        };
        if time.is_empty() {
            return Err(WorkflowError::invalid(format!(
                "time is required for {frequency} schedules"
            )));
        }
        clock(time)
    };
    let list = |key: &str| config.get(key).and_then(Value::as_array).filter(|it| !it.is_empty());
    match frequency {
        "hourly" => match on_minute {
            Some(minute @ 0..=59) => Ok(format!("{minute} * * * *")),
            Some(_) => Err(WorkflowError::invalid("on_minute must be between 0 and 59")),
            None => Err(WorkflowError::invalid("on_minute is required for hourly schedules")),
        },
        "daily" => {
            let (hour, minute) = time()?;
            Ok(format!("{minute} {hour} * * *"))
        }
        "weekly" => {
            let (hour, minute) = time()?;
            let days = list("weekdays").ok_or_else(|| {
                WorkflowError::invalid("Weekdays are required for weekly schedules")
            })?;
            Ok(format!("{minute} {hour} * * {}", weekdays(days)?))
        }
        "monthly" => {
            let (hour, minute) = time()?;
            let days = list("monthly_days").ok_or_else(|| {
                WorkflowError::invalid("Monthly days are required for monthly schedules")
            })?;
            Ok(format!("{minute} {hour} {} * *", monthly_days(days)))
        }
        other => Err(WorkflowError::invalid(format!("Unsupported frequency: {other}"))),
    }
}

fn weekdays(days: &[Value]) -> Result<String, WorkflowError> {
    const NAMES: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let mut numbers = Vec::new();
    for day in days {
        let number = NAMES.iter().position(|name| day.as_str() == Some(name));
        let number = number.ok_or_else(|| WorkflowError::invalid("weekdays must be sun to sat"))?;
        numbers.push(number);
    }
    numbers.sort_unstable();
    Ok(numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

fn monthly_days(days: &[Value]) -> String {
    let mut numbers: Vec<i64> = days.iter().filter_map(Value::as_i64).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut parts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    if days.iter().any(|day| day.as_str() == Some("last")) {
        parts.push("L".to_owned());
    }
    parts.join(",")
}

/// `1:30 PM` as hour and minute of 24.
fn clock(time: &str) -> Result<(u32, u32), WorkflowError> {
    let wrong = |what: &str| {
        WorkflowError::invalid(format!("Invalid time format: '{time}'. Expected '{what}'"))
    };
    let parts: Vec<&str> = time.split_whitespace().collect();
    let [clock, period] = parts.as_slice() else { return Err(wrong("HH:MM AM/PM")) };
    let period = period.to_uppercase();
    if period != "AM" && period != "PM" {
        return Err(WorkflowError::invalid(format!(
            "Invalid period: '{period}'. Must be 'AM' or 'PM'"
        )));
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute] = parts.as_slice() else {
        return Err(WorkflowError::invalid(format!(
            "Invalid time format: '{clock}'. Expected 'HH:MM'"
        )));
    };
    let number = |text: &str| {
        text.parse::<u32>().map_err(|_| {
            WorkflowError::invalid(format!(
                "Invalid time values: invalid literal for int() with base 10: '{text}'"
            ))
        })
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    if !(1..=12).contains(&hour) {
        return Err(WorkflowError::invalid(format!(
            "Invalid hour: {hour}. Must be between 1 and 12"
        )));
    }
    if minute > 59 {
        return Err(WorkflowError::invalid(format!(
            "Invalid minute: {minute}. Must be between 0 and 59"
        )));
    }
    let hour = match period.as_str() {
        "PM" if hour != 12 => hour + 12,
        "AM" if hour == 12 => 0,
        _ => hour,
    };
    Ok((hour, minute))
}

/// Makes the plan of an app that of its first schedule node; drops it without one.
///
/// # Errors
/// [`WorkflowError::Invalid`].
#[boxed]
pub async fn sync(
    db: &mut PgConnection,
    app: &App,
    graph: &Value,
    now: NaiveDateTime,
) -> Result<(), WorkflowError> {
    let node = graph_check::nodes(graph).find(|node| node.kind == TRIGGER_SCHEDULE);
    let Some(node) = node else {
        db::workflow_schedule_plan::delete(db, app.tenant_id, app.id).await?;
        return Ok(());
    };
    let schedule = Schedule::of_node(node.data)?;
    let change = PlanChange {
        node_id: node.id,
        cron_expression: &schedule.cron,
        timezone: &schedule.timezone,
        next_run_at: schedule.next(now.and_utc())?,
        now,
    };
    db::workflow_schedule_plan::replace(db, app.tenant_id, app.id, change).await?;
    Ok(())
}

/// Fires the plans that are due at `now`, each on this node of the server alone, and moves them to their next time. Times that
/// were missed count once. A plan that has no next time any more stops. Answers how many fired.
///
/// Jobs are queued before the plans are moved for good: a node that dies in between makes a tick's job come twice, under
/// the same name, and its run still starts once.
///
/// # Errors
/// Faults of the database and the queue. What fired until then has fired.
#[boxed]
pub async fn fire_due(ctx: &Ctx, now: NaiveDateTime) -> Result<usize, Fault> {
    let settings = &ctx.config.feature;
    let batch = settings.workflow_schedule_poller_batch_size.max(1);
    let cap = usize::try_from(settings.workflow_schedule_max_dispatch_per_tick).unwrap_or(0);
    let mut fired = 0;
    loop {
        let mut tx = ctx.db.begin().await?;
        let due = db::workflow_schedule_plan::lock_due(&mut tx, now, batch).await?;
        if due.is_empty() {
            return Ok(fired);
        }
        for plan in &due {
            let next = next_of(plan, now);
            db::workflow_schedule_plan::advance(&mut tx, plan.tenant_id, plan.id, next, now)
                .await?;
            let tick = plan.next_run_at.unwrap_or(now).and_utc().timestamp();
            queue::schedule(ctx, plan.id, tick).await?;
        }
        tx.commit().await?;
        fired += due.len();
        if cap > 0 && fired >= cap {
            tracing::warn!(
                schedules = fired,
                "as many schedules fired as one tick may; the rest waits"
            );
            return Ok(fired);
        }
    }
}

fn next_of(plan: &SchedulePlan, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let schedule = Schedule { cron: plan.cron_expression.clone(), timezone: plan.timezone.clone() };
    match schedule.next(now.and_utc()) {
        Ok(next) => Some(next),
        Err(err) => {
            tracing::warn!(error = %err, app.id = %plan.app_id, "a schedule has no next time and stops");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cron(data: Value) -> Result<String, String> {
        let Value::Object(data) = data else { panic!("an object") };
        Schedule::of_node(&data).map(|it| it.cron).map_err(|err| err.to_string())
    }

    #[test]
    fn visual_settings_become_cron() {
        for (frequency, config, expected) in [
            ("hourly", json!({"on_minute": 15}), "15 * * * *"),
            ("hourly", json!({}), "0 * * * *"),
            ("daily", json!({"time": "9:30 AM"}), "30 9 * * *"),
            ("daily", json!({}), "0 0 * * *"),
            ("weekly", json!({"time": "12:00 PM", "weekdays": ["mon", "sun"]}), "0 12 * * 0,1"),
            (
                "monthly",
                json!({"time": "11:59 PM", "monthly_days": [31, 1, 1, "last"]}),
                "59 23 1,31,L * *",
            ),
        ] {
            let data = json!({"mode": "visual", "frequency": frequency, "visual_config": config});
            assert_eq!(cron(data), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn faults_are_named() {
        for (data, expected) in [
            (
                json!({"mode": "cron", "cron_expression": ""}),
                "Cron expression is required for cron mode",
            ),
            (
                json!({"mode": "visual", "visual_config": {}}),
                "Frequency is required for visual mode",
            ),
            (
                json!({"frequency": "daily", "visual_config": {"time": "25:99"}}),
                "Invalid time format: '25:99'. Expected 'HH:MM AM/PM'",
            ),
            (
                json!({"frequency": "daily", "visual_config": {"time": "13:00 PM"}}),
                "Invalid hour: 13. Must be between 1 and 12",
            ),
            (
                json!({"frequency": "weekly", "visual_config": {}}),
                "Weekdays are required for weekly schedules",
            ),
            (json!({"frequency": "yearly"}), "Unsupported frequency: yearly"),
            (json!({"mode": "lunar"}), "Invalid schedule mode: lunar"),
        ] {
            assert_eq!(cron(data), Err(expected.to_owned()));
        }
    }

    fn next(cron: &str, zone: &str, now: &str) -> Result<String, String> {
        let schedule = Schedule { cron: cron.to_owned(), timezone: zone.to_owned() };
        let now = DateTime::parse_from_rfc3339(now).unwrap().with_timezone(&Utc);
        schedule.next(now).map(|time| time.to_string()).map_err(|err| err.to_string())
    }

    #[test]
    fn the_next_time_is_in_the_schedule_s_zone() {
        for (cron, zone, now, expected) in [
            ("*/5 * * * *", "UTC", "2025-01-01T00:01:00Z", "2025-01-01 00:05:00"),
            ("*/5 * * * *", "UTC", "2025-01-01T00:05:00Z", "2025-01-01 00:10:00"),
            ("30 9 * * *", "Europe/Berlin", "2025-01-01T00:00:00Z", "2025-01-01 08:30:00"),
            ("30 9 * * *", "Europe/Berlin", "2025-07-01T08:00:00Z", "2025-07-02 07:30:00"),
            ("0 0 1,15,L * *", "UTC", "2025-02-16T00:00:00Z", "2025-02-28 00:00:00"),
            ("0 12 * * 0", "UTC", "2025-01-01T00:00:00Z", "2025-01-05 12:00:00"),
            ("0 12 * * 7", "UTC", "2025-01-01T00:00:00Z", "2025-01-05 12:00:00"),
            ("0 0 ? JAN MON-FRI", "UTC", "2025-02-01T00:00:00Z", "2026-01-01 00:00:00"),
            // Either the day of the month or that of the week.
            ("0 0 13 * FRI", "UTC", "2025-01-01T00:00:00Z", "2025-01-03 00:00:00"),
            ("@daily", "Asia/Tokyo", "2025-01-01T00:00:00Z", "2025-01-01 15:00:00"),
            ("@hourly", "UTC", "2025-01-01T00:59:59Z", "2025-01-01 01:00:00"),
            // The clock goes forward over 02:30.
            ("30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00Z", "2025-03-30 01:00:00"),
            // The clock goes back: 02:30 comes twice, and fires once.
            ("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00Z", "2025-10-26 00:30:00"),
        ] {
            assert_eq!(next(cron, zone, now), Ok(expected.to_owned()), "{cron} {zone}");
        }
    }

    #[test]
    fn expressions_that_are_none_are_refused() {
        let fields = "Cron expression must have exactly 5 fields or be a predefined expression (@daily, @weekly, etc.).";
        let now = "2025-01-01T00:00:00Z";
        assert_eq!(
            next("every day", "UTC", now),
            Err(format!("{fields} Got 2 fields: 'every day'"))
        );
        assert_eq!(
            next("0 0 0 0 0 0", "UTC", now),
            Err(format!("{fields} Got 6 fields: '0 0 0 0 0 0'"))
        );
        assert!(next("61 * * * *", "UTC", now).is_err());
        assert!(next("0 0 31 2 *", "UTC", now).is_err());
        assert!(next("@never", "UTC", now).is_err());
        assert!(next("* * * * *", "Mars/Base", now).is_err());
    }
}
