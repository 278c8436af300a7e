//! What can go wrong with objects.

/// A failed operation on an object.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no such object.
    #[error("File not found")]
    NotFound,
    /// The key is empty, absolute, or climbs out with `..`.
    #[error("not a storage key: {0}")]
    InvalidKey(String),
    /// The settings are incomplete or name something this build has not got; found at start-up.
    #[error("storage settings: {0}")]
    Config(String),
    /// A stream given to `save_stream` failed; nothing was stored.
    #[error("could not read what was to be stored")]
    Source(#[source] std::io::Error),
    /// A file outside the storage could not be written.
    #[error("could not write a local file")]
    Local(#[source] std::io::Error),
    /// The store failed, after retries where they make sense.
    #[error("the object store failed")]
    Store(#[source] opendal::Error),
}

impl From<opendal::Error> for StorageError {
    fn from(err: opendal::Error) -> Self {
        match err.kind() {
            opendal::ErrorKind::NotFound => Self::NotFound,
            opendal::ErrorKind::ConfigInvalid => Self::Config(err.to_string()),
            _ => Self::Store(err),
        }
    }
}

impl StorageError {
    /// True when the object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound)
    }
}
