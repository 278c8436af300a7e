//! Fails fast while Redis is away.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::RedisError;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After a failed connect nobody tries again for a pause that doubles up to two seconds.
#[derive(Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    retry_at: Option<Instant>,
    reason: String,
}

impl Breaker {
    /// # Errors
    /// The last failure, during the pause after it.
    pub fn check(&self) -> Result<(), RedisError> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.retry_at {
            Some(at) if Instant::now() < at => Err(RedisError::Unavailable(state.reason.clone())),
            _ => Ok(()),
        }
    }

    pub fn succeeded(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures > 0 {
            tracing::info!(redis.failures = state.failures, "connected to Redis again");
        }
        *state = State::default();
    }

    pub fn failed(&self, err: &RedisError) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures == 0 {
            tracing::warn!(error = %err, "could not connect to Redis");
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(state.failures));
        state.failures = state.failures.saturating_add(1);
        state.retry_at = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        state.reason = match err {
            RedisError::Unavailable(reason) => reason.clone(),
            other => other.to_string(),
        };
    }
}
