//! App runs: chat, completion, agent, advanced chat, workflow.
//!
//! A run emits [`AppEvent`]s into its [`RunLog`] and knows neither HTTP nor SQL. Whoever wants to show the run reads the
//! log: a streaming answer, a blocking one, a client that comes back with `Last-Event-ID`. The log belongs to the
//! [`RunHub`], not to a connection, so a client that leaves strands nothing.

pub mod basic;
pub mod event;
#[cfg(test)]
mod fake;
pub mod hub;
pub mod log;
pub mod ports;
pub mod wire;
pub mod workflow;

pub use event::{AppEvent, Chunk, ChunkKind, RunError};
pub use hub::{Run, RunHub, RunKey};
pub use log::{Item, Reader, RunLog};
