//! Apps as DSL texts (YAML): export, import, copies.

pub mod dependency;
mod export;
mod features;
mod graph;
mod import;
mod pending;
mod source;
pub mod variables;
mod version;

pub use export::{Export, export};
pub use features::fill as fill_features;
pub use import::{Import, Imported, Overrides, Status, confirm, copy, import};

use services_core::{Failure, Fault};

/// The version of the texts we write.
pub const VERSION: &str = "0.6.0";

/// Bytes a text may have.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;

/// How long an import waits for its confirmation, and a list of plugins for its question.
const WAIT: std::time::Duration = std::time::Duration::from_secs(600);

/// Why a text was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum DslError {
    /// A reason a client can act on; the reference's words.
    #[error("{0}")]
    Invalid(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl DslError {
    fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<db::DbError> for DslError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<crate::ports::PluginError> for DslError {
    fn from(err: crate::ports::PluginError) -> Self {
        match err {
            crate::ports::PluginError::Refused(message) => Self::Invalid(message),
            crate::ports::PluginError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<crate::model_config::ConfigError> for DslError {
    fn from(err: crate::model_config::ConfigError) -> Self {
        match err {
            crate::model_config::ConfigError::Invalid(message) => Self::Invalid(message),
            crate::model_config::ConfigError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Failure for DslError {
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
