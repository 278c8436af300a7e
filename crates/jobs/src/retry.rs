//! How often and after which pauses a job is tried again.

use std::time::Duration;

/// Retries of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first.
    pub max_retries: u32,
    /// Pause before the first retry; doubles each time.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// How long one attempt may take before it is cancelled and counts as failed.
    pub time_limit: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(900),
            time_limit: Duration::from_secs(6 * 3600),
        }
    }
}

impl RetryPolicy {
    /// Never again: for work whose failure the next schedule repairs anyway.
    #[must_use]
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// The pause before retry number `retry`, counted from 0.
    #[must_use]
    pub fn pause(&self, retry: u32) -> Duration {
        self.first_pause.saturating_mul(2_u32.saturating_pow(retry)).min(self.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RetryPolicy;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.pause(0), Duration::from_secs(10));
        assert_eq!(policy.pause(3), Duration::from_secs(80));
        assert_eq!(policy.pause(99), Duration::from_secs(900));
    }
}
