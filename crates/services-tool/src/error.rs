//! Why something about tools or plugins did not work out.

use plugin::DaemonError;
use services_core::{Failure, Fault};

/// Why not. `Display` is what people read, in the reference's words.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The request makes no sense in the present state, or somebody beyond us refused it.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The user may not.
    #[error("{0}")]
    Forbidden(String),
    /// The plugin daemon answered with a fault of its own.
    #[error("the plugin daemon failed")]
    Daemon(#[source] DaemonError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ToolError {
    /// Something in the request makes no sense.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<DaemonError> for ToolError {
    fn from(err: DaemonError) -> Self {
        match err {
            DaemonError::Status { .. } => Self::Daemon(err),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<db::DbError> for ToolError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for ToolError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<serde_json::Error> for ToolError {
    fn from(err: serde_json::Error) -> Self {
        Self::Fault(Fault::caused("a value does not print or read as JSON", err))
    }
}

impl Failure for ToolError {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Daemon(_) => 500,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Daemon(_) => "internal_server_error",
            Self::Fault(fault) => fault.code(),
        }
    }
}
