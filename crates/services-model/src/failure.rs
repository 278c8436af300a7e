//! Why a workspace's providers cannot be changed as asked.

use model_runtime::{CredentialsError, InvokeError};
use services_core::{Failure, Fault};

/// Why not. `Display` is what people read, in the reference's words.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Nobody has the provider.
    #[error("Provider {0} does not exist.")]
    UnknownProvider(String),
    /// The request makes no sense in the present state.
    #[error("{0}")]
    Invalid(String),
    /// The provider refused the credentials.
    #[error("{0}")]
    Refused(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl SetupError {
    /// Something in the request makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<db::DbError> for SetupError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for SetupError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<CredentialsError> for SetupError {
    fn from(err: CredentialsError) -> Self {
        match err {
            CredentialsError::Form(message) => Self::Invalid(message),
            CredentialsError::Refused(message) => Self::Refused(message),
            CredentialsError::Invoke(err) => err.into(),
        }
    }
}

impl From<InvokeError> for SetupError {
    fn from(err: InvokeError) -> Self {
        Self::Invalid(err.to_string())
    }
}

impl Failure for SetupError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            _ => "invalid_param",
        }
    }
}
