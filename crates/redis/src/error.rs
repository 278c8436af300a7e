//! What a Redis call can end with besides its answer.

use deadpool_redis::redis as driver;

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisError {
    /// No connection, no answer in time, or a server that cannot serve (loading, failing over).
    #[error("Redis is unavailable: {0}")]
    Unavailable(String),
    /// The server refused the command (wrong type, out of memory, no permission, script error).
    #[error("Redis refused the command: {0}")]
    Refused(String),
    /// The reply has another shape than the command promises.
    #[error("unexpected reply from Redis: {0}")]
    Reply(String),
    /// The settings make no sense; found at start-up.
    #[error("Redis settings: {0}")]
    Config(String),
}

impl RedisError {
    /// True when Redis is away, so that nothing is known about the data.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn wrong_type() -> Self {
        Self::Refused(
            "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned(),
        )
    }

    pub(crate) fn syntax() -> Self {
        Self::Refused("ERR syntax error".to_owned())
    }
}

impl From<driver::RedisError> for RedisError {
    fn from(err: driver::RedisError) -> Self {
        use driver::{ErrorKind, ServerErrorKind};
        match err.kind() {
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            )
            | ErrorKind::Io
            | ErrorKind::AuthenticationFailed
            | ErrorKind::MasterNameNotFoundBySentinel
            | ErrorKind::NoValidReplicasFoundBySentinel
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Parse => Self::Unavailable(err.to_string()),
            ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList => {
                Self::Config(err.to_string())
            }
            ErrorKind::UnexpectedReturnType => Self::Reply(err.to_string()),
            _ => Self::Refused(err.to_string()),
        }
    }
}

impl From<driver::ParsingError> for RedisError {
    fn from(err: driver::ParsingError) -> Self {
        Self::Reply(err.to_string())
    }
}
