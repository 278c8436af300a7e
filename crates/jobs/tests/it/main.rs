//! Queues, workers and schedules, in process and on a server.
//!
//! The server is `TEST_REDIS_URL`, or 127.0.0.1:6379 database 11 if something answers there.

mod beat;
mod queue;
mod support;
mod worker;
