//! The same behaviour on a server and in process.
//!
//! The server is `TEST_REDIS_URL`, or 127.0.0.1:6379 database 11 if something answers there. Every test has a key
//! prefix of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, also in its helpers"
)]

mod commands;
mod limits;
mod locks;
mod outage;
mod pubsub;
mod support;
mod topologies;
