//! The time of queues and schedules, which tests can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// The system's clock, plus what tests added. Clones move together.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    /// Time since 1970.
    #[must_use]
    pub fn since_epoch(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// The time as a date.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let millis = i64::try_from(self.since_epoch().as_millis()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    /// Moves the clock forward, for tests.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(millis, Ordering::Relaxed);
    }
}
