//! The job queue: Celery's messages on Redis, so that Python workers and ours can share queues during a migration.
//!
//! - [`Job`] is one call of a [`tasks`] task; [`JobQueue`] takes and hands out jobs; [`RedisQueue`] keeps them in a
//!   Redis or, with `Redis::in_process()`, in this process (lost when it stops).
//! - [`Worker`] runs registered handlers with limits per queue, retries with growing pauses, and dead letters.
//! - [`Beat`] enqueues jobs on schedules; several may run, each tick fires once.
//!
//! **Delivery is at least once.** A job is leased, not popped: when a process dies, its leases run out and the jobs
//! are handed out again, also if they were done but not yet acknowledged. Handlers must be idempotent.

pub mod beat;
mod clock;
mod error;
mod job;
mod message;
mod queue;
mod redis_queue;
mod retry;
pub mod tasks;
mod worker;

pub use beat::{Beat, BeatEntry, Schedule};
pub use clock::Clock;
pub use error::{JobFailure, JobsError};
pub use job::Job;
pub use message::{decode, encode};
pub use queue::{DeadLetter, Depth, JobQueue, Lease, Taken};
pub use redis_queue::RedisQueue;
pub use retry::RetryPolicy;
pub use tasks::Task;
pub use worker::{JobContext, Registry, Worker, WorkerOptions};
