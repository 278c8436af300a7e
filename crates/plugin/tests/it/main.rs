//! The client, against a daemon of the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail by panicking"
)]

mod daemon;
mod models;
mod support;
