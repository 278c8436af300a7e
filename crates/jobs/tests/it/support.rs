use std::sync::Arc;
use std::time::Duration;

use jobs::{Clock, RedisQueue};
use redis::{Redis, RedisOptions};

pub const LEASE: Duration = Duration::from_secs(60);

/// A queue, its store and its clock.
pub struct Bench {
    pub redis: Redis,
    pub queue: Arc<RedisQueue>,
    pub clock: Clock,
}

impl Bench {
    fn new(redis: Redis) -> Self {
        let clock = Clock::default();
        let queue = RedisQueue::with(redis.clone(), clock.clone(), LEASE).unwrap();
        Self { redis, queue: Arc::new(queue), clock }
    }

    /// Another process on the same store.
    pub fn neighbour(&self) -> Self {
        let queue = RedisQueue::with(self.redis.clone(), self.clock.clone(), LEASE).unwrap();
        Self { redis: self.redis.clone(), queue: Arc::new(queue), clock: self.clock.clone() }
    }
}

/// In process, and on the server if there is one, with keys of its own.
pub fn benches() -> Vec<Bench> {
    let explicit = std::env::var("TEST_REDIS_URL").ok();
    let reachable = explicit.is_some() || std::net::TcpStream::connect("127.0.0.1:6379").is_ok();
    let mut benches = vec![Bench::new(Redis::in_process())];
    if reachable {
        let url = explicit.as_deref().unwrap_or("redis://127.0.0.1:6379/11");
        let mut options = RedisOptions::from_url(url, None).unwrap();
        options.key_prefix = format!("t:{}:", uuid::Uuid::new_v4().simple());
        benches.push(Bench::new(Redis::new(options).unwrap()));
    }
    benches
}
