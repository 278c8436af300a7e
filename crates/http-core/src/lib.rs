//! What every HTTP crate shares: state, error envelopes, extractors, guards, server-sent events.

pub mod error;
pub mod extract;
pub mod guard;
pub mod idempotency;
pub mod picture;
pub mod provider_path;
pub mod sse;
pub mod state;
pub mod validation;

pub use error::{ApiError, ErrorBody};
pub use extract::{Json, NoContent, Part, Path, Query, Valid};
pub use state::AppState;
