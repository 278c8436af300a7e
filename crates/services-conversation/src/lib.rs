//! Conversations: asking and stopping, and what is kept of it.

pub mod adapt;
pub mod annotation;
pub mod assist;
pub mod engine;
pub mod feedback_export;
pub mod file;
pub mod generate;
pub mod idempotency;
pub mod log;
pub mod record;
pub mod shown;
pub mod statistic;
pub mod stop;
pub mod talk;
pub mod time_range;

pub use engine::Engine;
