//! Sets.

use crate::client::Redis;
use crate::error::RedisError;
use boxed::boxed;

impl Redis {
    /// Adds members; how many are new.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    #[boxed]
    pub async fn sadd(&self, key: &str, members: &[&[u8]]) -> Result<u64, RedisError> {
        self.members("SADD", key, members).await
    }

    /// Removes members; how many there were.
    #[boxed]
    pub async fn srem(&self, key: &str, members: &[&[u8]]) -> Result<u64, RedisError> {
        self.members("SREM", key, members).await
    }

    /// All members, in no order.
    #[boxed]
    pub async fn smembers(&self, key: &str) -> Result<Vec<Vec<u8>>, RedisError> {
        self.ask(&self.on("SMEMBERS", key)).await
    }

    /// True if `member` is in the set.
    #[boxed]
    pub async fn sismember(&self, key: &str, member: &[u8]) -> Result<bool, RedisError> {
        self.ask(self.on("SISMEMBER", key).arg(member)).await
    }

    /// How many members there are.
    #[boxed]
    pub async fn scard(&self, key: &str) -> Result<u64, RedisError> {
        self.ask(&self.on("SCARD", key)).await
    }

    /// Takes some member.
    #[boxed]
    pub async fn spop(&self, key: &str) -> Result<Option<Vec<u8>>, RedisError> {
        self.ask(&self.on("SPOP", key)).await
    }

    async fn members(&self, name: &str, key: &str, members: &[&[u8]]) -> Result<u64, RedisError> {
        if members.is_empty() {
            return Ok(0);
        }
        let mut command = self.on(name, key);
        for member in members {
            command.arg(*member);
        }
        self.ask(&command).await
    }
}
