//! Workflows: drafts, versions, runs, triggers.

pub mod error;
pub mod pydantic;
pub mod run;
pub mod variable;

pub use error::WorkflowError;
