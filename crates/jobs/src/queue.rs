//! What a queue can do; [`crate::RedisQueue`] is one.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::error::JobsError;
use crate::job::Job;

/// Jobs waiting somewhere. All operations are atomic; a job is never in two places nor in none.
#[async_trait]
pub trait JobQueue: Send + Sync + std::fmt::Debug {
    /// Accepts a job; its id. When this returns the job is kept as safely as the store keeps anything.
    ///
    /// # Errors
    /// [`JobsError`]; so for all operations.
    async fn enqueue(&self, job: Job) -> Result<String, JobsError>;

    /// Hands out jobs, at most so many of each queue, leased for [`JobQueue::lease`]. Does not wait.
    async fn take(&self, wanted: &[(&str, usize)]) -> Result<Vec<Taken>, JobsError>;

    /// How long a lease lasts unless extended.
    fn lease(&self) -> Duration;

    /// Extends leases from now; those that are lost are missing in the answer.
    async fn extend(&self, leases: &[Lease]) -> Result<Vec<Lease>, JobsError>;

    /// The job is done. False if the lease was lost, and the job is or was handed out again.
    async fn finish(&self, lease: &Lease) -> Result<bool, JobsError>;

    /// The attempt failed: the job, with its retries counted up by the caller, runs again at its `eta`.
    async fn retry(&self, lease: &Lease, job: &Job) -> Result<bool, JobsError>;

    /// The attempt was not made or not finished, through no fault of the job: it is next in its queue.
    async fn release(&self, lease: &Lease, job: &Job) -> Result<bool, JobsError>;

    /// The job is given up, with the reason.
    async fn bury(&self, lease: &Lease, reason: &str) -> Result<bool, JobsError>;

    /// Puts back what is due: leases that ran out, and jobs whose time has come. How many that were.
    async fn reclaim(&self) -> Result<usize, JobsError>;

    /// How long a queue is.
    async fn depth(&self, queue: &str) -> Result<Depth, JobsError>;

    /// Jobs given up, newest first.
    async fn dead_letters(&self, skip: usize, most: usize) -> Result<Vec<DeadLetter>, JobsError>;

    /// Puts a job that was given up back into its queue, with fresh attempts; false if there is none of that id.
    async fn revive(&self, id: &str) -> Result<bool, JobsError>;

    /// Changes whenever something may have come in; wakes workers. Others' jobs may not be noticed this way, so ask
    /// now and then.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// The right to work on a job until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Unique for each time a job is handed out.
    pub tag: String,
    /// The queue it was taken from.
    pub queue: String,
    /// The message as it was found.
    pub message: Vec<u8>,
}

/// What [`JobQueue::take`] hands out.
#[derive(Debug)]
pub struct Taken {
    /// The lease.
    pub lease: Lease,
    /// The job, or why the message is none.
    pub job: Result<Job, JobsError>,
}

/// The length of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Jobs waiting.
    pub ready: u64,
    /// How long the next one has been waiting, if it says when it came.
    pub oldest: Option<Duration>,
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The job's id, or the lease's if the message was unreadable.
    pub id: String,
    /// The task's name, if readable.
    pub task: Option<String>,
    /// Its queue.
    pub queue: String,
    /// Why.
    pub reason: String,
    /// When.
    pub failed_at: DateTime<Utc>,
    /// Attempts after the first.
    pub retries: u32,
    /// The message as it was found.
    pub message: String,
}
