//! Scripts: atomic programs, in Lua for a server and in Rust for the in-process twin.

use std::sync::OnceLock;

use deadpool_redis::redis::{FromRedisValue, Value, from_redis_value};

use crate::error::RedisError;
use crate::local::Tx;

/// The in-process twin of a script: sees the store alone, calls commands through [`Tx`].
pub type Native = fn(&mut Tx<'_>, &[String], &[&[u8]]) -> Result<Value, RedisError>;

/// One program in two languages. Keep them line by line alike, and test both.
pub struct Script {
    lua: &'static str,
    native: Native,
    hash: OnceLock<String>,
}

impl Script {
    /// A script; `const`, so that it can be a `static` beside its callers.
    #[must_use]
    pub const fn new(lua: &'static str, native: Native) -> Self {
        Self { lua, native, hash: OnceLock::new() }
    }

    pub(crate) fn lua(&self) -> &'static str {
        self.lua
    }

    pub(crate) fn native(&self) -> Native {
        self.native
    }

    pub(crate) fn hash(&self) -> &str {
        self.hash.get_or_init(|| deadpool_redis::redis::Script::new(self.lua).get_hash().to_owned())
    }
}

/// Reads a reply inside a native twin.
///
/// # Errors
/// [`RedisError::Reply`] if it has another type.
pub fn reply<T: FromRedisValue>(value: Value) -> Result<T, RedisError> {
    Ok(from_redis_value(value)?)
}
