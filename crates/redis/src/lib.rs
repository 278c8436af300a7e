//! One Redis type: standalone, TLS, Sentinel, Cluster, and an in-process twin with the same behaviour.
//!
//! [`Redis`] is a cheap clone. With `REDIS_*` unset the server runs on [`RedisOptions::in_process`]: the same
//! commands, expiry, scripts, locks and pub/sub, kept in this process and bounded in memory. Code above
//! cannot tell them apart, and one test-suite runs against both.
//!
//! Calls never hang: connecting and answering have time limits, and while Redis is away calls fail at once with
//! [`RedisError::is_unavailable`] until a reconnect succeeds, which needs no restart. What to do then is the caller's
//! decision: limiters fail open, tokens fail closed.
//!
//! Keys are written exactly as the reference writes them; [`RedisOptions::key_prefix`] exists for shared servers
//! and for tests and is empty by default.

mod client;
mod error;
mod local;
mod lock;
mod ops;
mod options;
mod pubsub;
mod remote;
mod script;

pub use client::{Pipe, Redis};
pub use deadpool_redis::redis::Value;
pub use error::RedisError;
pub use local::Tx;
pub use lock::{Lock, LockGuard};
pub use ops::{Limit, Score, Ttl, Window};
pub use options::{Endpoint, RedisOptions, TlsOptions};
pub use pubsub::Subscription;
pub use script::{Script, reply};

/// Results of this crate.
pub type Result<T> = std::result::Result<T, RedisError>;
