//! Configurations of the basic apps (chat, agent, completion): reading, checking and saving them.

mod datasets;
mod save;
mod secrets;
pub mod stored;
pub mod validate;

pub use datasets::used_datasets;
pub use save::{rows, save};
pub use secrets::{AgentTool, mask};

use services_core::{Failure, Fault};

/// Why a configuration was not saved.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A rule does not hold; the reference's words.
    #[error("{0}")]
    Invalid(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ConfigError {
    /// A rule that does not hold.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<db::DbError> for ConfigError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for ConfigError {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}
