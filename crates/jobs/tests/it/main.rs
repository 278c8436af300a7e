//! Queues, workers and schedules, in process and on a server.
//!
//! The server is `TEST_REDIS_URL`, or 127.0.0.1:6379 database 11 if something answers there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, also in its helpers"
)]

mod beat;
mod queue;
mod support;
mod worker;
