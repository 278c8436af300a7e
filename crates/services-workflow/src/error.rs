//! Why a use case of workflows gives no result.

use serde_json::Value;
use services_core::{Failure, Fault};

/// What a client can act on, and faults.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// A value the server cannot use.
    #[error("{0}")]
    Invalid(String),
    /// A request that does not fit what is stored.
    #[error("{0}")]
    Refused(String),
    /// The app has no draft yet.
    #[error("Draft workflow need to be initialized.")]
    NoDraft,
    /// Somebody else saved the draft meanwhile.
    #[error("Workflow graph might have been modified, please refresh and resubmit.")]
    NotSync,
    /// No such app, or one of another mode.
    #[error("{0}")]
    NoApp(String),
    /// Nothing there.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else's.
    #[error(
        "You don't have the permission to access the requested resource. It is either read-protected or not readable \
         by the server."
    )]
    Forbidden,
    /// The app's mode has no such API.
    #[error("Please check if your app mode matches the right API route.")]
    NotWorkflowApp,
    /// An answer in a shape of its own: status and body.
    #[error("an answer in a shape of its own")]
    Body(u16, Value),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl WorkflowError {
    /// [`WorkflowError::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// [`WorkflowError::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }
}

impl From<db::DbError> for WorkflowError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for WorkflowError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<storage::StorageError> for WorkflowError {
    fn from(err: storage::StorageError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<serde_json::Error> for WorkflowError {
    fn from(err: serde_json::Error) -> Self {
        Self::Fault(Fault::caused("a value does not serialise", err))
    }
}

impl Failure for WorkflowError {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) | Self::Refused(_) | Self::NotWorkflowApp => 400,
            Self::NoDraft | Self::NoApp(_) | Self::NotFound(_) => 404,
            Self::NotSync => 409,
            Self::Forbidden => 403,
            Self::Body(status, _) => *status,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Refused(_) => "bad_request",
            Self::NoDraft => "draft_workflow_not_exist",
            Self::NotSync => "draft_workflow_not_sync",
            Self::NoApp(_) => "app_not_found",
            Self::NotFound(_) => "not_found",
            Self::Forbidden => "forbidden",
            Self::NotWorkflowApp => "not_workflow_app",
            Self::Body(..) => "",
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Body(_, body) => Some(body.clone()),
            _ => None,
        }
    }
}
