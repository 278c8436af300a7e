//! What mails say, and how they leave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, also in its helpers"
)]

mod sending;
mod server;
mod texts;
