//! The same behaviour on a server and in process.
//!
//! The server is `TEST_REDIS_URL`, or 127.0.0.1:6379 database 11 if something answers there. Every test has a key
//! prefix of its own.

mod commands;
mod limits;
mod locks;
mod outage;
mod pubsub;
mod support;
