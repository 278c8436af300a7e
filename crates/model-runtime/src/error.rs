//! What goes wrong when a model is called, by what a caller can do about it.

use serde_json::Value;

/// A model call failed. `Display` is the message that users of the reference see.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// The provider was not reached, or went away.
    #[error("{0}")]
    Connection(String),
    /// The provider has a fault.
    #[error("{0}")]
    ServerUnavailable(String),
    /// Too many requests, or no quota left.
    #[error("{0}")]
    RateLimit(String),
    /// The credentials were refused.
    #[error("{0}")]
    Authorization(String),
    /// The provider did not accept the request.
    #[error("{0}")]
    BadRequest(String),
    /// A plugin raised something else.
    #[error("{0}")]
    Plugin(PluginFailure),
    /// Any other failure of the provider.
    #[error("{0}")]
    Provider(String),
    /// The call makes no sense (`ValueError` of the reference).
    #[error("{0}")]
    Value(String),
}

/// An error that a plugin raised and that is none of the known kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailure {
    /// What the daemon sent: JSON with `error_type` and `message`.
    pub description: String,
    /// Ten hexadecimal digits, to find the call in the logs.
    pub request_id: String,
}

impl PluginFailure {
    fn field(&self, name: &str) -> Option<String> {
        let object: Value = serde_json::from_str(&self.description).ok()?;
        object.get(name)?.as_str().map(str::to_owned)
    }

    /// The Python class the plugin raised; `unknown` if it does not say.
    #[must_use]
    pub fn error_type(&self) -> String {
        self.field("error_type").unwrap_or_else(|| "unknown".to_owned())
    }

    /// What the plugin said; `unknown` if nothing.
    #[must_use]
    pub fn message(&self) -> String {
        self.field("message").unwrap_or_else(|| "unknown".to_owned())
    }

    /// The sentence shown to users. `plugin` is its name, or `currently running plugin`.
    #[must_use]
    pub fn user_friendly(&self, plugin: &str) -> String {
        format!(
            "An error occurred in the {plugin}, please contact the author of {plugin} for help, error type: {}, \
             error details: {}",
            self.error_type(),
            self.message()
        )
    }
}

impl std::fmt::Display for PluginFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "req_id: {} PluginInvokeError: {}", self.request_id, self.description)
    }
}

impl InvokeError {
    /// The class of the reference, which `error_type` outputs of failed nodes name.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Connection(_) => "InvokeConnectionError",
            Self::ServerUnavailable(_) => "InvokeServerUnavailableError",
            Self::RateLimit(_) => "InvokeRateLimitError",
            Self::Authorization(_) => "InvokeAuthorizationError",
            Self::BadRequest(_) => "InvokeBadRequestError",
            Self::Plugin(_) => "PluginInvokeError",
            Self::Provider(_) => "InvokeError",
            Self::Value(_) => "ValueError",
        }
    }

    /// Whether the reference's class is an `InvokeError` (and not merely a `ValueError`).
    #[must_use]
    pub const fn is_invoke_error(&self) -> bool {
        !matches!(self, Self::Plugin(_) | Self::Value(_))
    }

    /// As callers of `provider` (its short name) see it: refused credentials are not explained further.
    #[must_use]
    pub fn seen_from(self, provider: &str) -> Self {
        match self {
            Self::Authorization(_) => Self::Authorization(format!(
                "[{provider}] Incorrect model credentials provided, please check and try again."
            )),
            other => other,
        }
    }
}

/// Credentials were not accepted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CredentialsError {
    /// They do not fit the form.
    #[error("{0}")]
    Form(String),
    /// The provider refused them or was not reached.
    #[error("{0}")]
    Refused(String),
    /// The check itself failed.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugin_failures_are_told_in_two_ways() {
        let failure = PluginFailure {
            description: r#"{"error_type":"KeyError","message":"'x'"}"#.to_owned(),
            request_id: "0123456789".to_owned(),
        };
        assert_eq!(
            failure.to_string(),
            r#"req_id: 0123456789 PluginInvokeError: {"error_type":"KeyError","message":"'x'"}"#
        );
        assert_eq!(
            failure.user_friendly("currently running plugin"),
            "An error occurred in the currently running plugin, please contact the author of currently running \
             plugin for help, error type: KeyError, error details: 'x'"
        );
    }

    #[test]
    fn refused_credentials_are_not_explained() {
        let error = InvokeError::Authorization("sk-… is wrong".to_owned()).seen_from("openai");
        assert_eq!(
            error.to_string(),
            "[openai] Incorrect model credentials provided, please check and try again."
        );
    }
}
