//! The server as a whole.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod killed;
mod security;
