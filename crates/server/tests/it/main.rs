//! The server as a whole.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod cli;
mod documents;
mod killed;
mod lifecycle;
mod outage;
mod process;
mod security;
mod shell;
