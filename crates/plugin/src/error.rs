//! What the daemon, and plugins through it, answer instead of results.

use model_runtime::{InvokeError, PluginFailure};
use serde::Deserialize;

/// A call of the daemon failed. `Display` is what users of the reference see.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DaemonError {
    /// The daemon is not reached, broke off, or did not answer in time.
    #[error("Request to Plugin Daemon Service failed")]
    Unreachable,
    /// The daemon is not reached, for a call that answers in one piece.
    #[error("Failed to request plugin daemon, url: {path}")]
    NotReached {
        /// The path asked for.
        path: String,
    },
    /// The daemon answered with an HTTP error.
    #[error("Plugin daemon answered {status} for {path}")]
    Status {
        /// HTTP status.
        status: u16,
        /// The path asked for.
        path: String,
    },
    /// The daemon's answer makes no sense, or says something without a class.
    #[error("{0}")]
    Value(String),
    /// The daemon has an inner fault.
    #[error("{message}")]
    Inner {
        /// What it says.
        message: String,
    },
    /// A fault of the daemon with a class.
    #[error("{0}")]
    Fault(DaemonFault),
    /// A plugin's model call failed.
    #[error("{0}")]
    Invoke(InvokeError),
    /// Credentials were not accepted.
    #[error("{0}")]
    CredentialsRefused(String),
    /// An endpoint could not be set up.
    #[error("{0}")]
    EndpointSetup(String),
    /// A trigger provider's credentials were not accepted.
    #[error("{0}")]
    TriggerCredentials(String),
    /// A trigger plugin raised something.
    #[error("{0}")]
    TriggerPlugin(String),
    /// A trigger could not be invoked.
    #[error("{0}")]
    TriggerInvoke(String),
    /// A trigger plugin does not care about an event.
    #[error("{0}")]
    EventIgnored(String),
}

/// A fault of the daemon with a class of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonFault {
    /// `PluginNotFoundError` and the like.
    pub class: &'static str,
    /// What the daemon says.
    pub description: String,
    /// Ten hexadecimal digits, to find the call in the logs.
    pub request_id: String,
}

impl std::fmt::Display for DaemonFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "req_id: {} {}: {}", self.request_id, self.class, self.description)
    }
}

/// Classes of [`DaemonFault`].
const CLASSES: [&str; 7] = [
    "PluginDaemonInternalServerError",
    "PluginDaemonBadRequestError",
    "PluginDaemonNotFoundError",
    "PluginUniqueIdentifierError",
    "PluginNotFoundError",
    "PluginDaemonUnauthorizedError",
    "PluginPermissionDeniedError",
];

#[derive(Debug, Deserialize)]
struct Wire {
    error_type: String,
    message: String,
}

impl DaemonError {
    /// What the text of an error envelope means; `None` if it is not the daemon's usual JSON.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let Wire { error_type, message } = serde_json::from_str(text).ok()?;
        if error_type == "PluginDaemonInnerError" {
            return Some(Self::Inner { message });
        }
        if error_type == "PluginInvokeError" {
            return Some(Self::raised(message));
        }
        let class = CLASSES.into_iter().find(|class| *class == error_type);
        Some(match class {
            Some(class) => {
                Self::Fault(DaemonFault { class, description: message, request_id: request_id() })
            }
            None => Self::Value(format!(
                "got unknown error from plugin daemon: {error_type}, message: {message}"
            )),
        })
    }

    /// What a plugin raised, told as JSON.
    fn raised(description: String) -> Self {
        let wire: Option<Wire> = serde_json::from_str(&description).ok();
        let Some(Wire { error_type, message }) = wire else { return Self::plugin(description) };
        match error_type.as_str() {
            "InvokeRateLimitError" => Self::Invoke(InvokeError::RateLimit(message)),
            "InvokeAuthorizationError" => Self::Invoke(InvokeError::Authorization(message)),
            "InvokeBadRequestError" => Self::Invoke(InvokeError::BadRequest(message)),
            "InvokeConnectionError" => Self::Invoke(InvokeError::Connection(message)),
            "InvokeServerUnavailableError" => Self::Invoke(InvokeError::ServerUnavailable(message)),
            "CredentialsValidateFailedError" => Self::CredentialsRefused(message),
            "EndpointSetupFailedError" => Self::EndpointSetup(message),
            "TriggerProviderCredentialValidationError" => Self::TriggerCredentials(message),
            "TriggerPluginInvokeError" => Self::TriggerPlugin(message),
            "TriggerInvokeError" => Self::TriggerInvoke(message),
            "EventIgnoreError" => Self::EventIgnored(message),
            _ => Self::plugin(description),
        }
    }

    fn plugin(description: String) -> Self {
        Self::Invoke(InvokeError::Plugin(PluginFailure { description, request_id: request_id() }))
    }

    /// What a plugin raised that is no known kind of failure.
    #[must_use]
    pub const fn plugin_failure(&self) -> Option<&PluginFailure> {
        match self {
            Self::Invoke(InvokeError::Plugin(failure)) => Some(failure),
            _ => None,
        }
    }

    /// The class of the reference.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Unreachable | Self::Inner { .. } => "PluginDaemonInnerError",
            Self::NotReached { .. } | Self::Value(_) => "ValueError",
            Self::Status { .. } => "HTTPStatusError",
            Self::Fault(fault) => fault.class,
            Self::Invoke(error) => error.class(),
            Self::CredentialsRefused(_) => "CredentialsValidateFailedError",
            Self::EndpointSetup(_) => "EndpointSetupFailedError",
            Self::TriggerCredentials(_) => "TriggerProviderCredentialValidationError",
            Self::TriggerPlugin(_) => "TriggerPluginInvokeError",
            Self::TriggerInvoke(_) => "TriggerInvokeError",
            Self::EventIgnored(_) => "EventIgnoreError",
        }
    }

    /// The plugin, or the thing asked for, is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.class(), "PluginNotFoundError" | "PluginDaemonNotFoundError")
            || matches!(self, Self::Status { status: 404, .. })
    }

    /// As a failure of a model call.
    #[must_use]
    pub fn invoke(self) -> InvokeError {
        match self {
            Self::Invoke(error) => error,
            // The reference appends the code, and so do its users' log searches.
            Self::Unreachable | Self::Inner { .. } => InvokeError::Value(format!("{self}-500")),
            other => InvokeError::Value(other.to_string()),
        }
    }
}

fn request_id() -> String {
    let known = net::request_id().filter(|id| id.len() == 10);
    known.unwrap_or_else(|| format!("{:010x}", rand::random::<u64>() >> 24))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_told_apart_by_their_types() {
        let raised = |kind: &str| {
            let inner = json!({"error_type": kind, "message": "words", "args": {}}).to_string();
            let outer = json!({"error_type": "PluginInvokeError", "message": inner, "args": null});
            DaemonError::decode(&outer.to_string()).unwrap()
        };
        for (kind, class) in [
            ("InvokeRateLimitError", "InvokeRateLimitError"),
            ("CredentialsValidateFailedError", "CredentialsValidateFailedError"),
            ("EventIgnoreError", "EventIgnoreError"),
            ("KeyError", "PluginInvokeError"),
        ] {
            assert_eq!(raised(kind).class(), class);
        }
        assert_eq!(raised("InvokeRateLimitError").to_string(), "words");
        assert_eq!(raised("KeyError").plugin_failure().unwrap().error_type(), "KeyError");

        let fault = json!({"error_type": "PluginNotFoundError", "message": "plugin not found"});
        let fault = DaemonError::decode(&fault.to_string()).unwrap();
        assert!(fault.is_not_found());
        let text = fault.to_string();
        assert!(text.ends_with(" PluginNotFoundError: plugin not found"), "{text}");
        assert_eq!(text.len(), "req_id: 0123456789 PluginNotFoundError: plugin not found".len());

        let odd = DaemonError::decode(r#"{"error_type":"Odd","message":"m"}"#).unwrap();
        assert_eq!(odd.to_string(), "got unknown error from plugin daemon: Odd, message: m");
        assert!(DaemonError::decode("not json").is_none());
        assert_eq!(
            DaemonError::Unreachable.invoke().to_string(),
            "Request to Plugin Daemon Service failed-500"
        );
    }
}
