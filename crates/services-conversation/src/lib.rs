//! Conversations: asking and stopping, and what is kept of it.

pub mod adapt;
pub mod engine;
pub mod generate;
pub mod record;
pub mod stop;

pub use engine::Engine;
