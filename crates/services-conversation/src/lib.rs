//! Conversations: asking and stopping, and what is kept of it.

pub mod adapt;
pub mod agent_log;
pub mod annotation;
pub mod annotation_import;
pub mod annotation_reply;
pub mod assist;
pub mod audio;
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
