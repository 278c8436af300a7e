//! Jobs on schedules.
//!
//! Every server may run a [`Beat`]: ticks are points in time that all of them compute alike, and whoever claims a tick
//! in Redis enqueues its job. A claim becomes final when the job is enqueued; if the claimant dies before, the claim
//! runs out and another one fires, so a tick fires once, and in the worst case twice, but is not lost.

use boxed::boxed;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use redis::Redis;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::JobsError;
use crate::job::Job;
use crate::queue::JobQueue;
use crate::tasks::Task;

mod standard;

pub use standard::{Switches, standard};

/// How long a claim holds before its job must be enqueued.
const CLAIM: Duration = Duration::from_secs(30);
/// How long a fired tick is remembered; also how late a tick may still fire.
const MEMORY: Duration = Duration::from_secs(3600);
/// How often schedules are looked at.
const STEP: Duration = Duration::from_secs(1);

/// When a job is due.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// Five fields, in the time zone of `LOG_TZ`.
    Cron(Box<Cron>, Tz),
    /// Every so often, counted from 1970 so that all servers agree.
    Every(Duration),
}

impl Schedule {
    /// A crontab line.
    ///
    /// # Errors
    /// [`JobsError::Config`] if it is none.
    pub fn cron(line: &str, zone: Tz) -> Result<Self, JobsError> {
        let cron = Cron::from_str(line)
            .map_err(|err| JobsError::Config(format!("schedule {line}: {err}")))?;
        Ok(Self::Cron(Box::new(cron), zone))
    }

    /// Every so many minutes; 0 counts as 1.
    #[must_use]
    pub fn minutes(minutes: u64) -> Self {
        Self::Every(Duration::from_secs(60 * minutes.max(1)))
    }

    /// The last tick not after `now`.
    fn last_tick(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(period) => {
                let period = i64::try_from(period.as_millis()).ok()?.max(1000);
                let at = now.timestamp_millis().div_euclid(period) * period;
                DateTime::from_timestamp_millis(at)
            }
            Self::Cron(cron, zone) => {
                let local = zone.from_utc_datetime(&now.naive_utc());
                let last = cron.find_previous_occurrence(&local, true).ok()?;
                Some(last.with_timezone(&Utc))
            }
        }
    }
}

/// A job on a schedule.
#[derive(Debug, Clone)]
pub struct BeatEntry {
    /// Unique.
    pub name: &'static str,
    /// When.
    pub schedule: Schedule,
    /// What, without arguments.
    pub task: Task,
}

/// Fires entries; see the module.
#[derive(Debug)]
pub struct Beat {
    entries: Vec<(BeatEntry, Option<DateTime<Utc>>)>,
    queue: Arc<dyn JobQueue>,
    redis: Redis,
    clock: Clock,
}

impl Beat {
    /// A beat that fires ticks after now; `redis` must be the same for all servers.
    #[must_use]
    pub fn new(
        entries: Vec<BeatEntry>,
        queue: Arc<dyn JobQueue>,
        redis: Redis,
        clock: Clock,
    ) -> Self {
        let now = clock.now();
        let entries = entries
            .into_iter()
            .map(|entry| {
                let last = entry.schedule.last_tick(now);
                (entry, last)
            })
            .collect();
        Self { entries, queue, redis, clock }
    }

    /// Fires until `stop`.
    #[boxed]
    pub async fn run(mut self, stop: CancellationToken) {
        tracing::info!(beat.entries = self.entries.len(), "the beat is running");
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(STEP) => self.step().await,
            }
        }
    }

    /// Fires what is due now; [`Beat::run`] calls it every second.
    #[boxed]
    pub async fn step(&mut self) {
        let now = self.clock.now();
        for index in 0..self.entries.len() {
            let Some((entry, last)) = self.entries.get(index) else { continue };
            let Some(tick) = entry.schedule.last_tick(now) else { continue };
            let late = (now - tick).to_std().unwrap_or_default();
            if last.is_some_and(|last| tick <= last) {
                continue;
            }
            let settled = late >= MEMORY || self.fire(entry, tick).await;
            if settled && let Some((_, last)) = self.entries.get_mut(index) {
                *last = Some(tick);
            }
        }
    }

    /// True when the tick has fired, here or elsewhere; false to look again.
    async fn fire(&self, entry: &BeatEntry, tick: DateTime<Utc>) -> bool {
        let key = format!("dify_rs:beat:{}:{}", entry.name, tick.timestamp());
        match self.try_fire(entry, &key).await {
            Ok(done) => done,
            Err(err) => {
                tracing::warn!(beat.entry = entry.name, error = %err, "could not fire a schedule");
                false
            }
        }
    }

    async fn try_fire(&self, entry: &BeatEntry, key: &str) -> Result<bool, JobsError> {
        if !self.redis.set_nx_ex(key, "claimed", CLAIM).await? {
            // Somebody else's: look again until it is final, in case that somebody dies.
            return Ok(self.redis.get(key).await?.as_deref() == Some(b"fired"));
        }
        let enqueued = self.queue.enqueue(Job::new(entry.task)).await;
        match enqueued {
            Ok(id) => {
                tracing::debug!(beat.entry = entry.name, job.id = id, "fired a schedule");
                self.redis.set_ex(key, "fired", MEMORY * 2).await?;
                Ok(true)
            }
            Err(err) => {
                // Give the claim up at once instead of letting it run out.
                let _ = self.redis.del_if(key, "claimed").await;
                Err(err)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;

    use super::Schedule;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn ticks_are_points_in_time_everyone_agrees_on() {
        fn check(schedule: &Schedule, now: &str, expected: &str) {
            assert_eq!(schedule.last_tick(at(now)), Some(at(expected)), "{now}");
        }
        let quarter = Schedule::cron("*/15 * * * *", Tz::UTC).unwrap();
        check(&quarter, "2026-01-01T10:14:59Z", "2026-01-01T10:00:00Z");
        check(&quarter, "2026-01-01T10:15:00Z", "2026-01-01T10:15:00Z");
        let shanghai = Schedule::cron("0 2 */2 * *", Tz::Asia__Shanghai).unwrap();
        check(&shanghai, "2026-01-03T17:59:59Z", "2026-01-02T18:00:00Z");
        check(&shanghai, "2026-01-04T18:00:00Z", "2026-01-04T18:00:00Z");
        let monday = Schedule::cron("0 10 * * 1", Tz::UTC).unwrap();
        check(&monday, "2026-11-22T12:00:00Z", "2026-11-16T10:00:00Z");
        let every = Schedule::minutes(10);
        check(&every, "2026-01-01T10:19:59.500Z", "2026-01-01T10:10:00Z");
        assert!(Schedule::cron("nonsense", Tz::UTC).is_err());
    }
}
