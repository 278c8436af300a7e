//! What can go wrong with the database.

use std::borrow::Cow;

/// `Result` of everything in this crate.
pub type Result<T, E = DbError> = std::result::Result<T, E>;

/// A failed statement, connection or decode.
///
/// Services treat it as a fault and pass it on, after asking the few questions below where an
/// outcome depends on the answer.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Every pooled connection stayed in use for the whole acquire time-out.
    #[error("no database connection became free in time")]
    Busy,
    /// The server could not be reached within the start-up time.
    #[error("could not connect to the database")]
    Connect(#[source] sqlx::Error),
    /// The connection URL or another option is unusable.
    #[error("the database settings are unusable")]
    Options(#[source] sqlx::Error),
    /// The server or the driver refused a statement, or the connection broke.
    #[error("a database statement failed")]
    Statement(#[source] sqlx::Error),
    /// A stored value is not what its column promises (for example text that is not JSON).
    #[error("a stored value is unreadable: {0}")]
    Data(Cow<'static, str>),
}

impl From<sqlx::Error> for DbError {
    fn from(err: sqlx::Error) -> Self {
        match err {
            sqlx::Error::PoolTimedOut => Self::Busy,
            err => {
                if is_transient(&err) {
                    trouble::note();
                }
                Self::Statement(err)
            }
        }
    }
}

impl DbError {
    /// A unique index or primary key already holds the value.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        self.code().as_deref() == Some("23505")
    }

    /// A referenced row does not exist, or a row is still referenced.
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        self.code().as_deref() == Some("23503")
    }

    /// A `CHECK` or `NOT NULL` constraint does not hold.
    #[must_use]
    pub fn is_check_violation(&self) -> bool {
        matches!(self.code().as_deref(), Some("23514" | "23502"))
    }

    /// A deadlock or serialization failure: the same transaction may succeed when run again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.code().as_deref(), Some("40001" | "40P01"))
    }

    /// The server cancelled the statement because it ran longer than the statement time-out.
    #[must_use]
    pub fn is_statement_timeout(&self) -> bool {
        self.code().as_deref() == Some("57014")
    }

    /// The database is not there or has no room: overloaded, restarting, unreachable.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Busy | Self::Connect(_) => true,
            Self::Statement(err) => is_transient(err),
            Self::Options(_) | Self::Data(_) => false,
        }
    }

    /// Name of the violated constraint or unique index.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self.source_error()? {
            sqlx::Error::Database(err) => err.constraint(),
            _ => None,
        }
    }

    /// The five characters of SQLSTATE, if the server sent them.
    #[must_use]
    pub fn code(&self) -> Option<Cow<'_, str>> {
        match self.source_error()? {
            sqlx::Error::Database(err) => err.code(),
            _ => None,
        }
    }

    fn source_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Connect(err) | Self::Options(err) | Self::Statement(err) => Some(err),
            Self::Busy | Self::Data(_) => None,
        }
    }
}

/// When a connection of this process broke last. Who else was connected at that time has probably lost its connection too.
pub(crate) mod trouble {
    use std::{
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
        time::{Duration, Instant},
    };

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    /// Milliseconds after the start; 0: never.
    static LAST: AtomicU64 = AtomicU64::new(0);

    pub fn note() {
        let now = u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX);
        LAST.fetch_max(now.max(1), Ordering::Relaxed);
    }

    /// Whether a connection broke within this time.
    pub fn is_within(time: Duration) -> bool {
        let last = LAST.load(Ordering::Relaxed);
        last != 0 && START.elapsed() <= Duration::from_millis(last + 1) + time
    }
}

/// Whether trying again later, unchanged, may help.
pub(crate) fn is_transient(err: &sqlx::Error) -> bool {
    match err {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, no free slots, and a server that starts or stops.
        sqlx::Error::Database(err) => err.code().is_some_and(|code| {
            code.starts_with("08") || matches!(&*code, "53300" | "57P01" | "57P02" | "57P03")
        }),
        _ => false,
    }
}
