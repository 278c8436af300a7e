//! Sorted sets.

use crate::client::Redis;
use crate::error::RedisError;
use boxed::boxed;

/// The score of a member.
pub type Score = f64;

/// One end of a range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// From or to this score, the score included.
    Including(Score),
    /// From or to this score, the score excluded.
    Excluding(Score),
    /// The least possible.
    Lowest,
    /// The greatest possible.
    Highest,
}

impl Limit {
    fn word(self) -> String {
        match self {
            Self::Including(score) => score.to_string(),
            Self::Excluding(score) => format!("({score}"),
            Self::Lowest => "-inf".to_owned(),
            Self::Highest => "+inf".to_owned(),
        }
    }
}

impl Redis {
    /// Adds or moves members; how many are new.
    ///
    /// # Errors
    /// See [`RedisError`]; so for all commands.
    #[boxed]
    pub async fn zadd(&self, key: &str, members: &[(Score, &[u8])]) -> Result<u64, RedisError> {
        if members.is_empty() {
            return Ok(0);
        }
        let mut command = self.on("ZADD", key);
        for (score, member) in members {
            command.arg(*score).arg(*member);
        }
        self.ask(&command).await
    }

    /// Adds a member unless it exists; true if it was added.
    #[boxed]
    pub async fn zadd_nx(
        &self,
        key: &str,
        score: Score,
        member: &[u8],
    ) -> Result<bool, RedisError> {
        self.ask(self.on("ZADD", key).arg("NX").arg(score).arg(member)).await
    }

    /// Adds to the score of a member; the sum.
    #[boxed]
    pub async fn zincr_by(&self, key: &str, by: Score, member: &[u8]) -> Result<Score, RedisError> {
        self.ask(self.on("ZINCRBY", key).arg(by).arg(member)).await
    }

    /// Removes members; how many there were.
    #[boxed]
    pub async fn zrem(&self, key: &str, members: &[&[u8]]) -> Result<u64, RedisError> {
        if members.is_empty() {
            return Ok(0);
        }
        let mut command = self.on("ZREM", key);
        for member in members {
            command.arg(*member);
        }
        self.ask(&command).await
    }

    /// Removes members by score; how many there were.
    #[boxed]
    pub async fn zremrangebyscore(
        &self,
        key: &str,
        low: Limit,
        high: Limit,
    ) -> Result<u64, RedisError> {
        self.ask(self.on("ZREMRANGEBYSCORE", key).arg(low.word()).arg(high.word())).await
    }

    /// Removes members by rank, lowest score first; how many there were.
    #[boxed]
    pub async fn zremrangebyrank(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<u64, RedisError> {
        self.ask(self.on("ZREMRANGEBYRANK", key).arg(start).arg(stop)).await
    }

    /// How many members there are.
    #[boxed]
    pub async fn zcard(&self, key: &str) -> Result<u64, RedisError> {
        self.ask(&self.on("ZCARD", key)).await
    }

    /// How many members have a score in the range.
    #[boxed]
    pub async fn zcount(&self, key: &str, low: Limit, high: Limit) -> Result<u64, RedisError> {
        self.ask(self.on("ZCOUNT", key).arg(low.word()).arg(high.word())).await
    }

    /// The score of a member.
    #[boxed]
    pub async fn zscore(&self, key: &str, member: &[u8]) -> Result<Option<Score>, RedisError> {
        self.ask(self.on("ZSCORE", key).arg(member)).await
    }

    /// Members `start..=stop` by rank, lowest score first.
    #[boxed]
    pub async fn zrange(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<Vec<u8>>, RedisError> {
        self.ask(self.on("ZRANGE", key).arg(start).arg(stop)).await
    }

    /// Members `start..=stop` by rank with their scores.
    #[boxed]
    pub async fn zrange_with_scores(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<(Vec<u8>, Score)>, RedisError> {
        self.ask(self.on("ZRANGE", key).arg(start).arg(stop).arg("WITHSCORES")).await
    }

    /// Members with a score in the range, lowest first, at most `most`.
    #[boxed]
    pub async fn zrangebyscore(
        &self,
        key: &str,
        low: Limit,
        high: Limit,
        most: usize,
    ) -> Result<Vec<Vec<u8>>, RedisError> {
        let mut command = self.on("ZRANGEBYSCORE", key);
        command.arg(low.word()).arg(high.word()).arg("LIMIT").arg(0).arg(most);
        self.ask(&command).await
    }
}
