//! The server as a whole.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod cli;
mod documents;
mod faults;
mod killed;
mod lifecycle;
mod outage;
mod process;
mod security;
mod shell;
