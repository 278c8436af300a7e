//! How a service's error becomes an answer: every service enum says, variant by variant, which status and code a
//! client sees. The edge wraps that in the envelope of its API.

use std::error::Error;

/// An error with an outcome a client can act on.
///
/// `Display` of the error is the client's `message` for every status below 500; from 500 on the client sees a general
/// text and the log has the chain.
pub trait Failure: Error + Send + Sync + 'static {
    /// The HTTP status that fits this outcome.
    fn status(&self) -> u16;

    /// The machine-readable `code` of the envelope (snake case, the reference's names).
    fn code(&self) -> &'static str;

    /// Extra members of the answer, for the few outcomes that have some.
    fn data(&self) -> Option<serde_json::Value> {
        None
    }
}

/// A fault of the ground (database, Redis, storage, a broken invariant): nothing a client can act on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] db::DbError),
    /// Redis failed.
    #[error("Redis failed")]
    Redis(#[from] redis::RedisError),
    /// Object storage failed.
    #[error("object storage failed")]
    Storage(#[from] storage::StorageError),
    /// Anything else that should not happen.
    #[error("{0}")]
    Other(String),
    /// Anything else that should not happen, with its cause.
    #[error("{0}")]
    Caused(String, #[source] Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// A fault with its cause.
    pub fn caused(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Caused(what.into(), source.into())
    }
}

impl Failure for Fault {
    fn status(&self) -> u16 {
        match self {
            Self::Db(err) if err.is_unavailable() => 503,
            _ => 500,
        }
    }

    fn code(&self) -> &'static str {
        "internal_server_error"
    }
}
