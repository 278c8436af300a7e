//! Why nothing was asked.

use app_engine::{RunError, ports::ModelError};
use db::DbError;
use services_core::{Failure, Fault};
use types::AppId;

use crate::record::NotRecorded;

/// Why a question was refused before a run began.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The conversation is not the caller's, or there is none.
    #[error("Conversation Not Exists.")]
    NoConversation,
    /// The message is not the caller's, or there is none.
    #[error("Message Not Exists.")]
    NoMessage,
    /// The app does not give more answers like one.
    #[error("The 'More like this' feature is disabled. Please refresh your page.")]
    MoreLikeThisDisabled,
    /// The app was never configured, or its configuration is gone.
    #[error("App unavailable, please check your app configurations.")]
    NoConfig,
    /// As many runs as the app may have are going on.
    #[error(
        "Too many requests. Please try again later. The current maximum concurrent requests allowed for {app} is {limit}."
    )]
    TooMany {
        /// The app.
        app: AppId,
        /// How many it may have.
        limit: u64,
    },
    /// Something in the question does not fit; the reference's words.
    #[error("{0}")]
    Invalid(String),
    /// The workspace cannot use the model.
    #[error("{0}")]
    NotInitialized(String),
    /// The hosted quota is used up.
    #[error(
        "Your quota for Dify Hosted OpenAI has been exhausted. Please go to Settings -> Model Provider to complete your \
         own provider credentials."
    )]
    QuotaExceeded,
    /// The hosted plan does not include the model.
    #[error("Dify Hosted OpenAI trial currently not support the GPT-4 model.")]
    NotSupported,
    /// A refusal with its own code.
    #[error("{0}")]
    Refused(RunError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<DbError> for GenerateError {
    fn from(err: DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<NotRecorded> for GenerateError {
    fn from(err: NotRecorded) -> Self {
        Self::Fault(err.into())
    }
}

impl From<RunError> for GenerateError {
    fn from(err: RunError) -> Self {
        if err.code == "invalid_param" { Self::Invalid(err.message) } else { Self::Refused(err) }
    }
}

impl From<ModelError> for GenerateError {
    fn from(err: ModelError) -> Self {
        match err {
            ModelError::NotInitialized(why) => Self::NotInitialized(why),
            ModelError::QuotaExceeded(_) => Self::QuotaExceeded,
            ModelError::NotSupported(_) => Self::NotSupported,
            ModelError::Unknown(why) => Self::Invalid(why),
            ModelError::Fault(source) => {
                Self::Fault(Fault::caused("the model could not be looked up", source))
            }
        }
    }
}

impl Failure for GenerateError {
    fn status(&self) -> u16 {
        match self {
            Self::NoConversation | Self::NoMessage => 404,
            Self::MoreLikeThisDisabled => 403,
            Self::NoConfig
            // The reference says so too: its limit is a ValueError here.
            | Self::TooMany { .. }
            | Self::Invalid(_)
            | Self::NotInitialized(_)
            | Self::QuotaExceeded
            | Self::NotSupported => 400,
            Self::Refused(err) => err.status,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoConversation | Self::NoMessage => "not_found",
            Self::MoreLikeThisDisabled => "app_more_like_this_disabled",
            Self::NoConfig => "app_unavailable",
            Self::TooMany { .. } | Self::Invalid(_) => "invalid_param",
            Self::NotInitialized(_) => "provider_not_initialize",
            Self::QuotaExceeded => "provider_quota_exceeded",
            Self::NotSupported => "model_currently_not_support",
            Self::Refused(err) => err.code,
            Self::Fault(fault) => fault.code(),
        }
    }
}
