//! Why a mail was not sent.

/// A mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Settings that cannot work; found at start-up.
    #[error("{0}")]
    Config(String),
    /// Sender, recipient, subject or text is missing or cannot be written.
    #[error("{0}")]
    Invalid(String),
    /// A template does not render.
    #[error("could not render the mail")]
    Template(#[from] minijinja::Error),
    /// The mail server could not be reached, or said to come back later.
    #[error("the mail server is unavailable: {0}")]
    Unavailable(String),
    /// The mail server refused this mail for good.
    #[error("the mail server refused the mail: {0}")]
    Refused(String),
}

impl MailError {
    /// True when sending again later may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
