//! Chats over HTTP, against the mock model server.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed the test")]

mod agent;
mod agent_tools;
mod annotation;
mod audio;
mod blocking;
mod chatflow;
mod idempotency;
mod kept;
mod limit;
mod streaming;
mod support;
mod trial;
