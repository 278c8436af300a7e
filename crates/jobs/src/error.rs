//! Failures of the queue, and of jobs.

use std::time::Duration;

use redis::RedisError;

/// A failed operation of the queue.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The queue is away or refuses.
    #[error("the job queue failed")]
    Queue(#[from] RedisError),
    /// The job's arguments cannot be written, or its name is unknown to the caller.
    #[error("invalid job: {0}")]
    InvalidJob(String),
    /// Somebody put something else into a queue.
    #[error("not a job message: {0}")]
    Malformed(String),
    /// A setting makes no sense.
    #[error("job settings: {0}")]
    Config(String),
}

impl JobsError {
    /// True when the queue is away.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Queue(err) if err.is_unavailable())
    }
}

/// How a handler fails. The reason ends in logs and dead letters: no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// Trouble that may pass: try again, `after` a pause or by the task's [`crate::RetryPolicy`].
    #[error("{reason}")]
    Retry {
        /// What failed.
        reason: String,
        /// The pause, if the handler knows better.
        after: Option<Duration>,
    },
    /// Trying again is useless: straight to the dead letters.
    #[error("{0}")]
    Fatal(String),
}

impl JobFailure {
    /// A failure that may pass.
    pub fn retry(reason: impl std::fmt::Display) -> Self {
        Self::Retry { reason: reason.to_string(), after: None }
    }

    /// A failure that will not pass.
    pub fn fatal(reason: impl std::fmt::Display) -> Self {
        Self::Fatal(reason.to_string())
    }
}
